// The journal's segments as files in one directory: makes them, finds them, gives them up, and keeps to the bounds.
#pragma once

#include "backlog/file_system.hpp"
#include "backlog/segment.hpp"

#include <trackd/journal.hpp>

#include <cstdint>
#include <deque>
#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <system_error>
#include <vector>

namespace trackd::journal {

/// There is no room for another segment: the journal's own bound, or the system's.
class no_room : public std::system_error {
public:
    using std::system_error::system_error;
};

/// Whether the error only says that there is no room, and nothing about the disk's health.
[[nodiscard]] bool is_no_room(const std::error_code& error) noexcept;

/// A segment as it lies in the directory.
struct segment_file {
    segment_header header;
    std::uint64_t bytes = 0; ///< of the file
    std::filesystem::path path;
};

/// What a reader needs to know of a segment.
struct segment_place {
    segment_file segment;
    std::optional<trackd::position> end; ///< first position of the next one; none: it is the newest
};

/// Any thread.
class segment_store {
public:
    /// @param present what is already there, in order
    /// @param spares  files of `segment_bytes` that may be used again
    segment_store(
        file_system& files, const journal_options& options, std::vector<segment_file> present,
        std::vector<std::filesystem::path> spares
    );

    struct made {
        segment_header header;
        std::uint64_t bytes = 0;
        std::unique_ptr<file> open;
    };

    /// Makes the next segment: reserved, with its header on disk, and under its name for good. A spare is used where
    /// there is one.
    /// @param header `reused` is filled in
    /// @param least  bytes that the file must have
    /// @throws no_room: nothing has changed; std::system_error: the disk failed
    [[nodiscard]] made make_next(segment_header header, std::uint64_t least);

    /// Gives up the segments whose positions all lie below; files that serve again become spares. Not by two threads at
    /// once.
    /// @param below the least cursor on disk: with no segment left, the cursors alone say which position comes next
    /// @return whether there were any
    /// @throws std::system_error: what is left to do is done by the next call
    bool trim(trackd::position below);

    /// The writer asks for the newest segment to be removed, because there is no room for another one. Granted if it is
    /// the only segment and every cursor on disk is past it; the next `trim` removes it.
    /// @param end first position after the newest segment
    /// @return whether it is granted: then nothing may be written to the segment any more
    [[nodiscard]] bool release_newest(trackd::position end);

    /// The least cursor on disk at the last `trim`.
    [[nodiscard]] trackd::position passed() const;

    /// The newest segment ends here now: the rest of its file is gone.
    void newest_was_cut(std::uint64_t bytes);

    /// The segment that has the position, or would have it.
    [[nodiscard]] std::optional<segment_place> find(trackd::position at) const;

    /// The first position of the oldest segment, if there is any.
    [[nodiscard]] std::optional<trackd::position> begin() const;

    /// The end of the oldest segment that can be given up; none while there is only one, unless that one is released.
    [[nodiscard]] std::optional<trackd::position> end_of_oldest() const;

    /// Whether there is room for no segment behind the newest one until another is given up.
    [[nodiscard]] bool has_its_last() const;

    /// How far the newest segment is written, whose file has room for more.
    struct written {
        trackd::position end = 0;
        std::uint64_t bytes = 0; ///< 0: all of the file
    };

    /// About how many bytes the records of the events in [from, to) take, as if they were all alike in each segment.
    [[nodiscard]] std::uint64_t
    bytes_between(trackd::position from, trackd::position to, written newest) const;

    struct usage {
        std::uint64_t segments = 0;
        std::uint64_t bytes = 0; ///< spares included
    };

    [[nodiscard]] usage used() const;

private:
    [[nodiscard]] std::optional<std::filesystem::path> take_spare(std::uint64_t least);
    [[nodiscard]] std::unique_ptr<file> open_spare(const std::filesystem::path& path);
    void take_room(std::uint64_t more);
    [[nodiscard]] std::unique_ptr<file> create(const std::filesystem::path& path, std::uint64_t bytes);
    [[nodiscard]] std::unique_ptr<file>
    create_with_what_spares_take(const std::filesystem::path& path, std::uint64_t bytes);
    bool remove_spares();
    void reserve_ahead();
    [[nodiscard]] bool is_last() const;
    bool give_up_released(trackd::position below);
    [[noreturn]] void
    give_back(const std::filesystem::path& path, std::uint64_t bytes, const std::system_error& why);
    [[nodiscard]] made
    put_into_place(segment_header header, const std::filesystem::path& from, std::unique_ptr<file> open);
    [[nodiscard]] std::optional<segment_file> given_up(trackd::position below) const;
    void give_up(const segment_file& segment);
    [[nodiscard]] std::size_t spares() const;
    [[nodiscard]] bool keeps_bounds() const;
    void remove_quietly(const std::filesystem::path& path) noexcept;
    [[nodiscard]] std::filesystem::path next_spare_path();

    file_system& files_;
    const std::filesystem::path directory_;
    const std::uint64_t segment_bytes_;
    const std::uint64_t max_bytes_;
    const std::uint64_t min_free_bytes_;

    mutable std::mutex mutex_;
    std::deque<segment_file> segments_;
    std::deque<std::filesystem::path> spares_;
    std::vector<std::filesystem::path> new_spares_; // whose names are not on disk yet; used by `trim` alone
    std::uint64_t bytes_ = 0;                       // of all files, those being made included
    std::uint64_t spares_made_ = 0;
    trackd::position passed_ = 0;
    std::optional<trackd::position> released_end_; // of the newest segment
    bool tight_ = false;   // the disk has refused a segment, or may refuse the next one
    bool is_last_ = false; // the disk has no room for a segment after the newest one

    // Held while the newest segment gets its name, or loses it: a released segment and its successor may have the same
    // one. Locked before `mutex_`.
    std::mutex newest_name_;
};

} // namespace trackd::journal
