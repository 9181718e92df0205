#include "sinks/null.hpp"

namespace trackd::sinks {

namespace {

class null_sink final : public sink {
public:
    write_result write(std::span<const event_view> events, std::stop_token /*stop*/) override {
        return {.confirmed = events.size(), .duplicates = 0};
    }
};

} // namespace

std::unique_ptr<sink> make_null_sink() {
    return std::make_unique<null_sink>();
}

} // namespace trackd::sinks
