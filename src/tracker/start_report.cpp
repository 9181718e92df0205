#include "tracker/start_report.hpp"

#include <spdlog/fmt/fmt.h>

#include <chrono>

namespace trackd {

namespace {

std::string count(std::uint64_t events, bool at_most) {
    return fmt::format("{}{} event{}", at_most ? "at most " : "", events, events == 1 ? "" : "s");
}

} // namespace

std::string describe_pending(const std::vector<std::pair<std::string, pending_at_start>>& of_sinks) {
    std::string text = "pending at the start:";
    bool is_bound = false;
    const char* separator = "";
    for (const auto& [sink, pending] : of_sinks) {
        const bool at_most = pending.at_most && pending.events > 0;
        text += fmt::format("{} sink {} {}", separator, sink, count(pending.events, at_most));
        is_bound |= at_most;
        separator = ",";
    }
    return is_bound ? text + " (at most: the route of the sink is not applied to them yet)" : text;
}

std::string describe(const start_backlog::caught_up& event, const std::string& sink) {
    auto text = fmt::format(
        "sink {}: caught up with what was pending at the start, {}, after {:.1f} s", sink,
        count(event.events, event.at_most), std::chrono::duration<double>(event.took).count()
    );
    if (event.not_delivered > 0)
        text += fmt::format(
            "; {} not delivered since the start: dead letters, skipped or damaged",
            count(event.not_delivered, false)
        );
    return text;
}

} // namespace trackd
