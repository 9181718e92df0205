// Reads stored events back from the segments: from a position on, for whichever sink asks, over damage too.
#pragma once

#include "backlog/segment_store.hpp"
#include "backlog/segment_walk.hpp"

#include <trackd/backlog.hpp>

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <utility>
#include <vector>

namespace trackd::journal {

/// Owned by one thread. Sinks read at places of their own, mostly where they left off: the reader remembers where that
/// is in the files.
class journal_reader {
public:
    /// @param damaged_bytes is counted up as damage is found
    journal_reader(file_system& files, segment_store& store, std::atomic<std::uint64_t>& damaged_bytes);

    /// @param from  at most `below`
    /// @param below everything below it is in the journal
    /// @return events, or damage, or nothing if `from` is `below`
    /// @throws std::system_error
    [[nodiscard]] chunk read(position from, position below, read_limits limits);

    /// Lets go of the segments that were given up: what they take on the disk is only free then.
    void forget_below(position oldest);

private:
    // Where the events from `next` on are found.
    struct bookmark {
        position segment = 0; // its first position
        std::shared_ptr<file> open;
        segment_walk::place place;
    };

    [[nodiscard]] bookmark open_at(position from, const segment_place& in);
    void keep(bookmark mark);
    void found_damage(const segment_file& in, file& open, const bad_range& range);

    file_system& files_;
    segment_store& store_;
    std::atomic<std::uint64_t>& damaged_bytes_;
    std::vector<bookmark> bookmarks_; // the newest last
    std::set<std::pair<position, std::uint64_t>> known_damage_;
};

} // namespace trackd::journal
