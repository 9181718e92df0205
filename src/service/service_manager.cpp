#include "service/service_manager.hpp"

#include "base/descriptor.hpp"
#include "base/log.hpp"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <system_error>
#include <unistd.h>
#include <utility>

namespace trackd::service {

namespace {

using namespace std::chrono_literals;

// Returns -1 for what is no number.
std::int64_t number_in(const char* text) {
    std::int64_t number = -1;
    const auto* end = text + std::strlen(text);
    const auto parsed = std::from_chars(text, end, number);
    return parsed.ec == std::errc{} && parsed.ptr == end ? number : -1;
}

} // namespace

service_manager service_manager::from_environment() {
    service_manager found{
        std::getenv("NOTIFY_SOCKET"), std::getenv("WATCHDOG_USEC"), std::getenv("WATCHDOG_PID")
    };
    for (const auto* variable : {"NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"})
        ::unsetenv(variable);
    return found;
}

service_manager::service_manager(const char* socket, const char* watchdog_usec, const char* watchdog_pid) {
    if (socket == nullptr) return;
    socket_ = socket;
    if (watchdog_usec == nullptr) return;
    if (watchdog_pid != nullptr && number_in(watchdog_pid) != ::getpid()) return; // somebody else's
    constexpr std::int64_t day = 86'400'000'000;
    watchdog_ = std::chrono::microseconds{std::clamp<std::int64_t>(number_in(watchdog_usec), 0, day)};
}

clock::duration service_manager::beat() const noexcept {
    return watchdog_ == 0s ? 1s : std::min<clock::duration>(1s, watchdog_ / 4);
}

void service_manager::enters(stage next) {
    auto message = std::string{"STATUS="}.append(to_string(next));
    if (next == stage::running) message += "\nREADY=1";
    if (next == stage::lame_duck) message += "\nSTOPPING=1";
    send(message);
}

void service_manager::reloads(clock::time_point now) {
    const auto since_boot = std::chrono::floor<std::chrono::microseconds>(now.time_since_epoch());
    send("RELOADING=1\nMONOTONIC_USEC=" + std::to_string(since_boot.count()) + "\nSTATUS=reloading");
}

void service_manager::lives(clock::time_point now) {
    if (watchdog_ == 0s) return;
    if (last_fed_ != clock::time_point{} && now + beat() - last_fed_ <= watchdog_ / 2) return;
    last_fed_ = now;
    send("WATCHDOG=1");
}

void service_manager::send(std::string_view message) {
    if (socket_.empty()) return;
    sockaddr_un to{};
    to.sun_family = AF_UNIX;
    const bool has_room = socket_.size() < sizeof to.sun_path;
    if (!has_room || (socket_[0] != '/' && socket_[0] != '@'))
        return fail("expected a path, or @ and a name, shorter than " + std::to_string(sizeof to.sun_path));
    socket_.copy(to.sun_path, socket_.size());
    if (to.sun_path[0] == '@') to.sun_path[0] = '\0';
    const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + socket_.size());
    const base::descriptor from{::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)};
    const timeval patience{1, 0};
    ::setsockopt(from.get(), SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    const auto sent = ::sendto(
        from.get(), message.data(), message.size(), MSG_NOSIGNAL, reinterpret_cast<const sockaddr*>(&to), size
    );
    if (sent < 0) fail(std::system_category().message(errno));
}

void service_manager::fail(const std::string& why) {
    if (std::exchange(has_failed_, true)) return;
    base::log().warn("the service manager cannot be told anything: NOTIFY_SOCKET is {}: {}", socket_, why);
}

} // namespace trackd::service
