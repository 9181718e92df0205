// How far one read fills a chunk: the same for events in memory and for those on the disk.
#pragma once

#include <trackd/backlog.hpp>

#include <algorithm>
#include <cstddef>

namespace trackd {

/// Makes room for as many events, from `found.first` on, as one read usually gives.
inline void reserve_events(chunk& found, position below, read_limits limits) {
    constexpr std::size_t usual = 4096; // more may not fit into `limits.bytes`
    if (found.first >= below) return;
    found.events.reserve(std::min<position>(below - found.first, std::min(limits.events, usual)));
}

/// Whether it takes no more. It takes one event at least, however large.
/// @param bytes of the events that it has, as they are encoded
[[nodiscard]] inline bool is_full(const chunk& found, std::size_t bytes, read_limits limits) noexcept {
    return !found.events.empty() && (found.events.size() >= limits.events || bytes >= limits.bytes);
}

} // namespace trackd
