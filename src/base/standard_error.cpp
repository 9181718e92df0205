#include "base/standard_error.hpp"

#include <spdlog/fmt/fmt.h>

#include <cerrno>
#include <poll.h>
#include <string_view>
#include <unistd.h>
#include <utility>

namespace trackd::base {

namespace {

constexpr int patience_ms = 100; // a reader that is only slow has read by then

bool is_writable(int timeout_ms) noexcept {
    pollfd asked{STDERR_FILENO, POLLOUT, 0};
    return ::poll(&asked, 1, timeout_ms) != 0; // also on errors, which the write finds again
}

// As far as there is no error.
void write_to_standard_error(std::string_view text) noexcept {
    while (!text.empty()) {
        const auto written = ::write(STDERR_FILENO, text.data(), text.size());
        if (written >= 0)
            text.remove_prefix(static_cast<std::size_t>(written));
        else if (errno == EAGAIN)
            is_writable(-1);
        else if (errno != EINTR)
            return;
    }
}

} // namespace

void standard_error::sink_it_(const spdlog::details::log_msg& message) {
    if (unread_ == unread::is_dropped && !takes_line()) {
        ++dropped_;
        return;
    }
    if (const auto dropped = std::exchange(dropped_, 0); dropped > 0) {
        const auto text =
            fmt::format("log: {} lines were dropped, because standard error was not read", dropped);
        write({message.logger_name, spdlog::level::warn, text});
    }
    write(message);
}

bool standard_error::takes_line() const noexcept {
    return is_writable(dropped_ > 0 ? 0 : patience_ms);
}

void standard_error::write(const spdlog::details::log_msg& message) {
    spdlog::memory_buf_t line;
    formatter_->format(message, line);
    write_to_standard_error({line.data(), line.size()});
}

} // namespace trackd::base
