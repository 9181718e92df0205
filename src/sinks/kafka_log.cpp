#include "sinks/kafka_log.hpp"

#include "base/json_text.hpp"

#include <syslog.h>
#include <utility>

namespace trackd::sinks {

namespace {

spdlog::level::level_enum level_of(int syslog_level) {
    if (syslog_level <= LOG_ERR) return spdlog::level::err;
    if (syslog_level == LOG_WARNING) return spdlog::level::warn;
    return syslog_level == LOG_DEBUG ? spdlog::level::debug : spdlog::level::info;
}

} // namespace

kafka_log::kafka_log(spdlog::logger& to, std::function<time_point()> now) : to_{to}, now_{std::move(now)} {}

void kafka_log::line(int level, std::string_view text) {
    const auto quoted = base::json_string(text); // brokers have their part in it
    std::size_t left_out = 0;
    {
        const std::lock_guard lock{mutex_};
        const bool says_why = !text.ends_with("brokers are down"); // which follows what does
        if (level <= LOG_ERR && says_why) last_error_ = quoted;
        if (level < LOG_DEBUG && !admit(left_out)) return; // debugging is what somebody has asked for
    }
    if (left_out > 0) to_.warn("librdkafka: {} lines were left out", left_out);
    to_.log(level_of(level), "librdkafka: {}", quoted);
}

std::string kafka_log::last_error() const {
    const std::lock_guard lock{mutex_};
    return last_error_;
}

void kafka_log::forget_error() {
    const std::lock_guard lock{mutex_};
    last_error_.clear();
}

bool kafka_log::admit(std::size_t& left_out) {
    const auto now = now_();
    if (lines_ == 0 || now - began_ >= window) {
        began_ = now;
        lines_ = 0;
    }
    if (lines_ == lines_a_window) {
        ++left_out_;
        return false;
    }
    ++lines_;
    left_out = std::exchange(left_out_, 0);
    return true;
}

} // namespace trackd::sinks
