// Writes commits: batches of events as records, one write and one sync for all of them. No thread, no queue.
#pragma once

#include "backlog/segment_store.hpp"

#include <trackd/batch.hpp>
#include <trackd/journal.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

namespace trackd::journal {

/// Owned by one thread.
class commit_writer {
public:
    /// Where the journal goes on.
    struct start {
        trackd::position next = 1;
        std::uint32_t chain = 0;
    };

    /// @param salts gives a new salt for each segment
    commit_writer(
        segment_store& store, journal_options options, start from, std::function<std::uint32_t()> salts
    );

    /// Makes the batches stored: all of them, in order, as one commit.
    /// @throws no_room: none of them is in the journal, and it is as it was before; std::system_error: the disk failed,
    ///         what has become of them is unknown, and nothing may be written here any more
    void commit(std::span<const std::shared_ptr<const batch>> batches);

    /// Whether `commit` would find room for these, or if there are none, for what it found no room for, but at most for
    /// a quarter of a segment: for a caller whose commit has just thrown no_room. Makes it, if it can.
    /// @throws std::system_error: the disk failed
    [[nodiscard]] bool make_room(std::span<const std::shared_ptr<const batch>> wanted);

    /// Writes a mark, unless nothing has come since the last one: from then on, damage of the last commit can be told
    /// from a commit that was interrupted. Where there is no room for it there is none.
    /// @throws std::system_error
    void mark();

    /// Syncs what was written without, because of `journal_sync`.
    /// @throws std::system_error
    void sync();

    [[nodiscard]] trackd::position next() const noexcept { return next_; }

    /// How far its newest segment is written; 0 if it has not made any.
    [[nodiscard]] std::uint64_t segment_bytes() const noexcept { return offset_; }

private:
    void start_segment(std::uint64_t commit_bytes);
    [[nodiscard]] segment_store::made make_next(const segment_header& header, std::uint64_t least);

    [[nodiscard]] bool fits(std::uint64_t bytes) const noexcept {
        return file_ && offset_ + bytes <= file_bytes_;
    }

    template <class Records>
    void write_commit(Records put_records);
    void put(record_head head, std::string_view body);
    void put_bytes(std::string_view bytes);
    void put_zeros(std::uint64_t bytes);
    void took(std::size_t bytes);
    void write_piece();
    [[nodiscard]] std::uint64_t zeros_behind(std::uint64_t end) const noexcept;
    void cut_back();

    segment_store& store_;
    const journal_options options_;
    const std::function<std::uint32_t()> salts_;

    std::unique_ptr<file> file_; // none: the next commit begins a new segment
    std::uint32_t salt_ = 0;
    std::uint64_t offset_ = 0; // where the next commit begins
    std::uint64_t file_bytes_ = 0;
    std::uint64_t written_end_ = 0; // up to here the file's blocks were written before
    trackd::position next_;
    std::uint32_t chain_;
    bool marked_ = true;
    bool unsynced_ = false;
    std::uint64_t refused_bytes_ = block_bytes; // of the last commit that needed another segment

    // The commit that is being put together, and the piece of it that is not written yet.
    std::vector<char> piece_;
    std::size_t used_ = 0;
    std::uint64_t commit_end_ = 0;
    trackd::position commit_next_ = 0;
    std::uint32_t commit_chain_ = 0;
};

} // namespace trackd::journal
