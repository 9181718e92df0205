// Names the sinks for which the journal keeps events.
#pragma once

#include "backlog/cursor_file.hpp"

#include <trackd/backlog.hpp>

#include <functional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace trackd::journal {

/// @param end the position after the last event
/// @return all of them, the least cursor first; of those with the same one, first those
/// that are not configured, whose cursor nothing moves
[[nodiscard]] std::vector<journal_holder>
find_holders(const cursors& all, const std::set<std::string, std::less<>>& configured, trackd::position end);

/// For a log line: names the sink, the events and what lets go of them.
/// @param error what the sink fails with; empty if it works, or is not configured
[[nodiscard]] std::string describe(const journal_holder& holder, std::string_view error);

} // namespace trackd::journal
