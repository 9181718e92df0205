// Compares what a sink finds in its destination with what its cursor says was delivered: a destination that was emptied,
// made again or restored from an older backup is reported. It is a warning only: new events are delivered all the same.
#pragma once

#include <trackd/sink.hpp>

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace trackd::sinks {

/// Decisions and texts only.
class destination_check {
public:
    struct event_key {
        std::string source;
        std::string id;
        wall_time received_at;
    };

    /// More events are looked for than could be missing for another reason: so one missing row is no warning.
    static constexpr std::size_t spare_events = 10;

    void expect(const earlier_deliveries& before) {
        delivered_ = before.events;
        at_ = before.at;
        not_delivered_ = before.not_delivered;
        for (const auto& event : before.last)
            last_.push_back({std::string{event.source}, std::string{event.id}, event.received_at});
    }

    void confirmed(std::size_t events) noexcept {
        delivered_ += events;
        here_ += events;
    }

    /// Whether there have to be rows, and no warning was given yet.
    [[nodiscard]] bool expects_rows() const noexcept { return delivered_ > 0 && warning_.empty(); }

    /// Some of the last delivered events, the newest first: at least one of them was stored. Once; empty where that is
    /// not known.
    /// @param since what was received before may have been deleted since
    [[nodiscard]] std::vector<event_key> take_last(wall_time since = wall_time::min()) {
        auto keys = std::exchange(last_, {});
        std::erase_if(keys, [since](const event_key& key) { return key.received_at < since; });
        if (keys.size() <= not_delivered_) return {};
        std::ranges::reverse(keys);
        const auto enough = std::min<std::uint64_t>(keys.size(), not_delivered_ + spare_events);
        keys.resize(static_cast<std::size_t>(enough));
        return keys;
    }

    void found_new(std::string_view where) { warn(where, "is new, trackd has just made it"); }

    void found_empty(std::string_view where) { warn(where, "is empty"); }

    /// @param events as many as were looked for
    void found_none_of(std::size_t events, std::string_view where) {
        warn(where, "has none of the last " + std::to_string(events) + " delivered events");
    }

    [[nodiscard]] const std::string& warning() const noexcept { return warning_; }

private:
    void warn(std::string_view where, const std::string& found) {
        if (!warning_.empty()) return;
        warning_ =
            std::string{where} + ' ' + found + ", but " + std::to_string(delivered_) +
            " events were delivered to this sink, whose cursor is at position " +
            std::to_string(at_ + here_) +
            ": it was emptied, replaced, or restored from an older backup. Only new events are "
            "delivered; to get the others back, see docs/troubleshooting.md#a-database-without-its-rows";
    }

    std::uint64_t delivered_ = 0;
    std::uint64_t here_ = 0; // of these, by this process
    position at_ = 1;
    std::uint64_t not_delivered_ = 0;
    std::vector<event_key> last_; // the oldest first
    std::string warning_;
};

} // namespace trackd::sinks
