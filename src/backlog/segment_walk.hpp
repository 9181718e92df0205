// Walks the records of one segment in order, over damage too: the one piece of code that reads the format, for
// recovery, replay, verification and the fuzzer.
#pragma once

#include "backlog/file_system.hpp"
#include "backlog/segment.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <variant>

namespace trackd::journal {

/// The header at the file's beginning.
/// @throws std::system_error
[[nodiscard]] decoded_header read_header(file& from);

/// A whole record whose checksums hold. `body` lives until the next step of the walk, unless the walk's window is
/// shared: see `segment_walk::window`.
struct found_record {
    record_head head;
    std::string_view body;
    std::uint64_t offset = 0; ///< in the file
    std::uint32_t head_checksum = 0;
};

/// A range that cannot be read, between what can be read before and after it. The records that it held have the
/// positions between those of its neighbours; often that is none, because only padding was hit. The next step is the
/// record behind it.
///
/// Missing positions alone make no bad range: where two sound records touch and positions are missing between them, or
/// a mark jumps, the second one's `head.position` is simply higher than expected.
struct bad_range {
    std::uint64_t offset = 0;
    std::uint64_t bytes = 0;

    bool operator==(const bad_range&) const = default;
};

/// What lies behind the last whole record. Not empty where something was written there that is no whole record, or
/// was left by an earlier use of the file.
struct segment_end {
    std::uint64_t offset = 0; ///< where the last whole record ends

    /// From there to the last byte of a commit that was never finished, as far as that can be told: up to the last byte
    /// that is not zero; in a reused segment, to where its first broken record would have ended, if that one's head is
    /// sound.
    std::uint64_t torn_bytes = 0;

    bool operator==(const segment_end&) const = default;
};

using walk_step = std::variant<found_record, bad_range, segment_end>;

/// One walk through one segment. Never throws because of what it reads, however broken; throws std::system_error where
/// the file cannot be read at all. Memory is bounded by `window_bytes` and the largest record.
class segment_walk {
public:
    /// Between two records. Behind an event, `next` is the event's position and one; behind a mark it is the mark's
    /// position, which the next event will get. A bad range leaves it as it was, because what was lost is not known, and
    /// so does the end. Sound records with lower positions are not of this journal's order, and count as damage; higher
    /// ones are taken where a record had to begin, and among damage if so many could have been lost there, or if the
    /// record begins a commit (a mark that jumped may have been lost; it should be a commit of its own, because what
    /// follows within its commit is lost with it). So `next` should be as high as is known.
    struct place {
        std::uint64_t offset = segment_header::encoded_bytes; ///< where a record or padding begins
        trackd::position next = 1; ///< the least position that a record there may have
    };

    static constexpr std::size_t default_window_bytes = std::size_t{1} << 20U;

    /// @param from outlives the walk
    /// @param end  where to stop, as if the file ended there: a record that it cuts is not found, and its bytes count
    ///             as torn. A later walk with a later end, from where this one is `at()` then, finds it
    segment_walk(
        file& from, const segment_header& header, place start, std::uint64_t end,
        std::size_t window_bytes = default_window_bytes
    );

    segment_walk(segment_walk&&) noexcept = default; // two walks must not fill one window

    /// The next thing in the file. After `segment_end` it keeps saying so.
    [[nodiscard]] walk_step next();

    /// Where the next step looks: what to start a later walk with.
    [[nodiscard]] place at() const noexcept { return {offset_, next_}; }

    /// Holds the bytes of the record found last; keep it, and its body stays valid however the walk goes on.
    [[nodiscard]] std::shared_ptr<const void> window() const noexcept;

    /// What `window().get()` would be, for one who may hold it already.
    [[nodiscard]] const void* window_address() const noexcept { return buffer_.get(); }

private:
    [[nodiscard]] std::optional<record_head> head_at(std::uint64_t offset);
    [[nodiscard]] std::optional<found_record> record_at(std::uint64_t offset);
    [[nodiscard]] std::optional<found_record> expected_record();
    [[nodiscard]] found_record pass(const found_record& found);
    [[nodiscard]] bool is_plausible(const record_head& head, std::uint64_t offset) const noexcept;
    [[nodiscard]] std::optional<std::uint64_t> next_head(std::uint64_t from);
    [[nodiscard]] std::optional<std::uint64_t> find_behind_damage();
    [[nodiscard]] bad_range damage_before(std::uint64_t found);
    [[nodiscard]] segment_end end_here();
    [[nodiscard]] std::uint64_t torn_end();

    [[nodiscard]] std::uint64_t next_block() const noexcept { return round_up(offset_, block_bytes); }

    [[nodiscard]] bool is_zero_to(std::uint64_t end);
    [[nodiscard]] std::uint64_t used_end();
    [[nodiscard]] std::string_view view(std::uint64_t offset, std::uint64_t least);
    void fill_window(std::uint64_t offset, std::uint64_t least);

    file& file_;
    const std::uint32_t salt_;
    const bool reused_;
    const std::size_t window_bytes_;
    std::uint64_t offset_;
    trackd::position next_;
    std::uint64_t end_;
    std::optional<segment_end> ended_;

    // What was read last, and where it stands in the file.
    std::shared_ptr<char[]> buffer_;
    std::size_t buffer_bytes_ = 0;
    std::uint64_t filled_from_ = 0;
    std::size_t filled_bytes_ = 0;
    mutable bool lent_ = false; // somebody may hold the buffer: it is not written to any more
};

} // namespace trackd::journal
