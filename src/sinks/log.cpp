#include "sinks/log.hpp"

#include "base/json_text.hpp"

#include <condition_variable>
#include <mutex>
#include <string>

namespace trackd::sinks {

namespace {

class log_sink final : public sink {
public:
    log_sink(log_options options, spdlog::logger& logger) : options_{options}, logger_{logger} {}

    write_result write(std::span<const event_view> events, std::stop_token stop) override {
        write_result result;
        for (const auto& event : events) {
            if (!pause(stop)) break;
            line_.clear();
            base::append_cloudevent(line_, event);
            logger_.log(options_.level, line_);
            ++result.confirmed;
        }
        return result;
    }

private:
    // Waits for the simulated latency. False: nobody waits for this sink any longer.
    static bool wait(std::chrono::milliseconds time, std::stop_token stop) {
        std::mutex mutex;
        std::unique_lock lock{mutex};
        std::condition_variable_any nobody_rings;
        nobody_rings.wait_for(lock, stop, time, [] { return false; });
        return !stop.stop_requested();
    }

    [[nodiscard]] bool pause(const std::stop_token& stop) const {
        if (stop.stop_requested()) return false;
        return options_.simulate_latency.count() <= 0 || wait(options_.simulate_latency, stop);
    }

    const log_options options_;
    spdlog::logger& logger_;
    std::string line_;
};

} // namespace

std::unique_ptr<sink> make_log_sink(log_options options, spdlog::logger& logger) {
    return std::make_unique<log_sink>(options, logger);
}

} // namespace trackd::sinks
