#include "backlog/held_events.hpp"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <utility>

namespace trackd::journal {

std::vector<journal_holder>
find_holders(const cursors& all, const std::set<std::string, std::less<>>& configured, trackd::position end) {
    std::vector<journal_holder> holders;
    for (const auto& [sink, place] : all)
        holders.push_back({sink, place.at, end - std::min(place.at, end), configured.contains(sink)});
    std::ranges::stable_sort(holders, {}, [](const journal_holder& one) {
        return std::pair{one.oldest, one.configured};
    });
    return holders;
}

std::string describe(const journal_holder& holder, std::string_view error) {
    if (holder.events == 0) return "no sink holds events";
    auto text = fmt::format(
        "sink {} holds the oldest events, {} from position {} on", holder.sink, holder.events, holder.oldest
    );
    if (!holder.configured)
        text += fmt::format("; it is not configured, `trackd sink forget {}` gives them up", holder.sink);
    else if (!error.empty())
        text += fmt::format("; it fails: {}", error);
    return text;
}

} // namespace trackd::journal
