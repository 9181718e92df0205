// See passed_sockets.hpp. The protocol is that of sd_listen_fds(3).
#include "http/passed_sockets.hpp"

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <fcntl.h>
#include <stdexcept>
#include <unistd.h>
#include <utility>

namespace trackd::http {

namespace {

constexpr std::string_view any_name = "systemd";
constexpr std::string_view by_name = "systemd:";
constexpr int first_passed = 3;
constexpr int most_passed = 1024;

// Returns -1 for what is no number.
int number_in(std::string_view text) {
    int number = -1;
    const auto* end = text.data() + text.size();
    const auto parsed = std::from_chars(text.data(), end, number);
    return parsed.ec == std::errc{} && parsed.ptr == end ? number : -1;
}

// The next of the names between colons; what systemd calls a socket without one, where there is none left.
std::string next_name(std::string_view& names) {
    const auto name = names.substr(0, names.find(':'));
    names.remove_prefix(std::min(names.size(), name.size() + 1));
    return name.empty() ? "unknown" : std::string{name};
}

} // namespace

bool is_passed_address(std::string_view address) noexcept {
    return address == any_name || address.starts_with(by_name);
}

passed_sockets passed_sockets::from_environment() {
    passed_sockets found{
        std::getenv("LISTEN_PID"), std::getenv("LISTEN_FDS"), std::getenv("LISTEN_FDNAMES"), first_passed
    };
    for (const auto* variable : {"LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"})
        ::unsetenv(variable);
    return found;
}

passed_sockets::passed_sockets(const char* process, const char* count, const char* names, int first) {
    if (count == nullptr) return;
    if (process == nullptr || number_in(process) != ::getpid()) {
        why_none_ = std::string{"LISTEN_PID is "} + (process == nullptr ? "not set" : process) +
                    ", but this is process " + std::to_string(::getpid());
        return;
    }
    const int many = number_in(count);
    if (many < 1 || many > most_passed) {
        why_none_ = std::string{"LISTEN_FDS is \""} + count + "\", where a number from 1 to " +
                    std::to_string(most_passed) + " was expected";
        return;
    }
    std::string_view left = names == nullptr ? "" : names;
    for (int number = first; number < first + many; ++number) {
        auto name = next_name(left);
        if (::fcntl(number, F_SETFD, FD_CLOEXEC) != 0) {
            why_none_ = "LISTEN_FDS is " + std::to_string(many) + ", but descriptor " +
                        std::to_string(number) + " is not open";
            sockets_.clear();
            return;
        }
        sockets_.push_back({native_socket(number), number, std::move(name)});
    }
}

void passed_sockets::reserve(std::span<const std::string> addresses) {
    for (const auto& address : addresses)
        if (address.starts_with(by_name)) reserved_.push_back(address);
}

bool passed_sockets::is_wanted(const passed& one, std::string_view address) const {
    const auto own = std::string{by_name} + one.name;
    return address == any_name ? std::ranges::find(reserved_, own) == reserved_.end() : address == own;
}

std::vector<listening_socket> passed_sockets::take(std::string_view address) {
    const auto fail = [&](const std::string& why) {
        throw std::runtime_error("cannot listen on " + std::string{address} + ": " + why);
    };
    std::vector<passed> others;
    std::vector<listening_socket> taken;
    const bool none = sockets_.empty();
    for (auto& one : sockets_) {
        if (!is_wanted(one, address)) {
            others.push_back(std::move(one));
            continue;
        }
        try {
            taken.push_back(describe_passed(std::move(one.descriptor)));
        } catch (const std::runtime_error& error) {
            fail(
                "the passed descriptor " + std::to_string(one.number) + " (\"" + one.name + "\") " +
                error.what()
            );
        }
    }
    sockets_.swap(others);
    if (!taken.empty()) return taken;
    if (none)
        fail("no socket was passed: " + why_none_ + "; expected to be started by a socket unit of systemd");
    fail(
        "no passed socket is left for it; expected one with this name (FileDescriptorName=); there is " +
        left()
    );
    return taken;
}

std::string passed_sockets::left() const {
    std::string names;
    for (const auto& one : sockets_)
        names.append(names.empty() ? "\"" : ", \"").append(one.name).append("\"");
    return names;
}

} // namespace trackd::http
