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

// As far as there is no error.
void write_to_standard_error(std::string_view text) noexcept {
    while (!text.empty()) {
        const auto written = ::write(STDERR_FILENO, text.data(), text.size());
        if (written >= 0)
            text.remove_prefix(static_cast<std::size_t>(written));
        else if (errno == EAGAIN)
            static_cast<void>(takes_line(-1));
        else if (errno != EINTR)
            return;
    }
}

} // namespace

bool takes_line(int timeout_ms) noexcept {
    pollfd asked{STDERR_FILENO, POLLOUT, 0};
    int ready = 0;
    do
        ready = ::poll(&asked, 1, timeout_ms);
    while (ready < 0 && errno == EINTR);
    return ready > 0; // also on an error of the reader's side, which the write finds again
}

void standard_error::sink_it_(const spdlog::details::log_msg& message) {
    if (unread_ == unread::is_dropped && !takes_line(dropped_ > 0 ? 0 : patience_ms)) {
        ++dropped_;
        return;
    }
    spdlog::memory_buf_t lines; // written at once: there may be room for one write only
    if (const auto dropped = std::exchange(dropped_, 0); dropped > 0) {
        const auto text =
            fmt::format("log: {} lines were dropped, because standard error was not read", dropped);
        formatter_->format({message.logger_name, spdlog::level::warn, text}, lines);
    }
    formatter_->format(message, lines);
    write_to_standard_error({lines.data(), lines.size()});
}

} // namespace trackd::base
