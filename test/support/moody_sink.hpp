// A sink that does all that an interface allows, at random: for what must hold whatever a sink does.
#pragma once

#include <trackd/sink.hpp>

#include <algorithm>
#include <chrono>
#include <memory>
#include <mutex>
#include <random>
#include <set>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace trackd::test {

/// Fails, is busy, and confirms less than it was given. What it will never take it names, or refuses with others; nothing
/// else does it refuse. The same seed, the same moods.
class moody_sink final : public sink {
public:
    /// What it has stored: shared with the test.
    class shelf {
    public:
        [[nodiscard]] std::vector<std::string> ids() const {
            const std::lock_guard lock{mutex_};
            return ids_;
        }

    private:
        friend class moody_sink;
        mutable std::mutex mutex_;
        std::vector<std::string> ids_;
    };

    moody_sink(std::shared_ptr<shelf> onto, std::set<std::string> poison, unsigned seed)
        : onto_{std::move(onto)}, poison_{std::move(poison)}, random_{seed} {}

    write_result write(std::span<const event_view> events, std::stop_token stop) override {
        if (stop.stop_requested()) return {};
        const auto mood = below(10);
        if (mood < 2) throw std::runtime_error{"a failure"};
        if (mood == 2) throw sink_busy{"later", std::chrono::milliseconds{50}};
        const auto culprit = std::ranges::find_if(events, [this](const event_view& event) {
            return poison_.contains(std::string{event.id});
        });
        const auto sound = static_cast<std::size_t>(culprit - events.begin());
        if (mood < 5 && sound > 0) return store(events.first(1 + below(sound)));
        if (culprit == events.end()) return store(events);
        if (mood < 8) throw events_refused{"one of them is bad"};
        auto result = store(events.first(sound));
        result.refusal = "this one is bad";
        return result;
    }

private:
    std::size_t below(std::size_t bound) {
        return std::uniform_int_distribution<std::size_t>{0, bound - 1}(random_);
    }

    write_result store(std::span<const event_view> events) {
        const std::lock_guard lock{onto_->mutex_};
        for (const auto& event : events)
            onto_->ids_.emplace_back(event.id);
        return {.confirmed = events.size()};
    }

    const std::shared_ptr<shelf> onto_;
    const std::set<std::string> poison_;
    std::mt19937 random_;
};

} // namespace trackd::test
