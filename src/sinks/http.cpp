#include "sinks/http.hpp"

#include "sinks/http_answers.hpp"
#include "sinks/http_bodies.hpp"
#include "sinks/http_client.hpp"

#include <optional>
#include <stdexcept>
#include <utility>

namespace trackd::sinks {

namespace {

class http_sink final : public sink {
public:
    http_sink(http_options options, spdlog::logger& log) : options_{std::move(options)}, log_{log} {}

    void check() override { static_cast<void>(http_client{options_}); }

    void open() override {
        client_.emplace(options_);
        if (!options_.verify)
            log_.warn(
                "{}: verify = false: whoever is in between can read and change the events", client_->where()
            );
    }

    write_result write(std::span<const event_view> events, std::stop_token stop) override {
        if (stop.stop_requested()) return {};
        const auto body = packed(http_body(events, options_.format), options_.compression);
        const auto answer = client_->post(body, stop);
        if (!answer) return {};
        switch (fate_of(answer->status, options_.statuses)) {
        case http_fate::delivered: return {.confirmed = events.size()};
        case http_fate::refused: throw events_refused{named(*answer)};
        case http_fate::failed: break;
        }
        if (answer->retry_after) throw sink_busy{named(*answer), *answer->retry_after};
        throw std::runtime_error{named(*answer)};
    }

    void close() override { client_.reset(); }

private:
    [[nodiscard]] std::string named(const http_answer& answer) const {
        return client_->where() + ' ' + described(answer);
    }

    const http_options options_;
    spdlog::logger& log_;
    std::optional<http_client> client_; // from `open` to `close`
};

} // namespace

std::unique_ptr<sink> make_http_sink(http_options options, spdlog::logger& log) {
    return std::make_unique<http_sink>(std::move(options), log);
}

} // namespace trackd::sinks
