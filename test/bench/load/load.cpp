#include "bench/load/load.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdexcept>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <system_error>
#include <utility>

namespace trackd::bench {

namespace {

constexpr std::uint64_t patience = 10'000'000'000; // nanoseconds
constexpr int tick = 100;                          // milliseconds: how late the end may be noticed

int checked(int result, const char* what) {
    if (result < 0) throw std::system_error{errno, std::generic_category(), what};
    return result;
}

std::uint64_t now_ns() {
    return static_cast<std::uint64_t>(
        std::chrono::nanoseconds{std::chrono::steady_clock::now().time_since_epoch()}.count()
    );
}

base::descriptor connected_socket(std::uint16_t port) {
    base::descriptor socket{checked(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket")};
    const timeval limit{.tv_sec = 10, .tv_usec = 0};
    checked(::setsockopt(socket.get(), SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit), "setsockopt");
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::connect(socket.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
        const int why =
            errno == EINPROGRESS ? ETIMEDOUT : errno; // which is what a limit on sending makes of it
        throw std::system_error{why, std::generic_category(), "connect"};
    }
    const int on = 1;
    checked(::setsockopt(socket.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on), "setsockopt");
    return socket;
}

std::string repeated(const std::string& text, unsigned times) {
    std::string all;
    all.reserve(text.size() * times);
    for (unsigned i = 0; i < times; ++i)
        all += text;
    return all;
}

} // namespace

load::load(load_options options)
    : options_{std::move(options)}, burst_{repeated(options_.request, options_.depth)},
      end_{static_cast<std::uint64_t>(options_.seconds * 1e9)},
      poll_{checked(::epoll_create1(EPOLL_CLOEXEC), "epoll_create1")} {
    if (options_.rate > 0 && options_.depth > 1)
        throw std::invalid_argument{"a fixed rate is of single requests: its depth is 1"};
    while (connections_.size() < options_.connections)
        connect_one();
}

void load::connect_one() {
    auto& added =
        connections_.emplace_back(connection{.socket = connected_socket(options_.port), .answers = {}});
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.ptr = &added;
    checked(::epoll_ctl(poll_.get(), EPOLL_CTL_ADD, added.socket.get(), &event), "epoll_ctl");
    idle_.push_back(&added);
    ++alive_;
}

load_result load::run() {
    start_ = now_ns();
    for (auto now = start_; !is_over(now); now = now_ns()) {
        begin_due(now);
        wait_for_events(options_.rate == 0 || now >= start_ + end_);
    }
    const auto wanted = options_.rate > 0 ? due(start_ + end_) : begun_;
    result_.unanswered = wanted - result_.answers;
    return result_;
}

/// How many requests should have begun by now, since the start.
std::uint64_t load::due(std::uint64_t now) const {
    if (options_.rate == 0) return now < start_ + end_ ? options_.requests : begun_;
    const auto passed = static_cast<double>(std::min(now - start_, end_)) / 1e9;
    return std::min(options_.requests, static_cast<std::uint64_t>(passed * options_.rate));
}

bool load::is_over(std::uint64_t now) const {
    const bool all_begun = begun_ == options_.requests || (now >= start_ + end_ && begun_ == due(now));
    return (all_begun && under_way_ == 0) || alive_ == 0 || now > start_ + end_ + patience;
}

void load::begin_due(std::uint64_t now) {
    for (const auto until = due(now); begun_ < until && !idle_.empty();) {
        auto& on = *idle_.front();
        idle_.pop_front();
        on.awaited = static_cast<unsigned>(std::min<std::uint64_t>(options_.depth, until - begun_));
        on.began =
            options_.rate == 0
                ? now
                : start_ + static_cast<std::uint64_t>(static_cast<double>(begun_ + 1) * 1e9 / options_.rate);
        on.unsent = on.awaited * options_.request.size();
        begun_ += on.awaited;
        under_way_ += on.awaited;
        send_rest(on);
    }
}

void load::send_rest(connection& on) {
    const auto* rest = burst_.data() + (burst_.size() - on.unsent);
    const auto sent = ::send(on.socket.get(), rest, on.unsent, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent < 0 && errno != EAGAIN) return; // what comes next to read says that it has ended
    on.unsent -= static_cast<std::size_t>(std::max<ssize_t>(sent, 0));
    if (on.waits_for_room == (on.unsent > 0)) return;
    on.waits_for_room = on.unsent > 0;
    epoll_event event{};
    event.events = on.waits_for_room ? EPOLLIN | EPOLLOUT : EPOLLIN;
    event.data.ptr = &on;
    checked(::epoll_ctl(poll_.get(), EPOLL_CTL_MOD, on.socket.get(), &event), "epoll_ctl");
}

void load::receive(connection& on) {
    static thread_local std::array<char, 65536> buffer;
    const auto received = ::recv(on.socket.get(), buffer.data(), buffer.size(), MSG_DONTWAIT);
    if (received < 0 && errno == EAGAIN) return;
    if (received <= 0) return give_up(on);
    try {
        take_answers(on, {buffer.data(), static_cast<std::size_t>(received)});
    } catch (const std::runtime_error&) {
        give_up(on);
    }
}

void load::take_answers(connection& on, std::string_view bytes) {
    const auto now = now_ns();
    while (const auto status = on.answers.next(bytes)) {
        if (on.awaited == 0) throw std::runtime_error{"an answer that nobody has asked for"};
        ++result_.statuses[*status];
        ++result_.answers;
        result_.latency.add(now - std::min(on.began, now));
        result_.seconds = static_cast<double>(now - start_) / 1e9;
        --under_way_;
        if (--on.awaited == 0) idle_.push_back(&on);
    }
    begin_due(now); // at once, as clients do that do not know of each other
}

void load::give_up(connection& what) {
    checked(::epoll_ctl(poll_.get(), EPOLL_CTL_DEL, what.socket.get(), nullptr), "epoll_ctl");
    std::erase(idle_, &what);
    under_way_ -= what.awaited;
    what.awaited = 0;
    ++result_.broken;
    --alive_;
}

void load::wait_for_events(bool may_sleep) {
    std::array<epoll_event, 256> ready{};
    const int limit = static_cast<int>(ready.size());
    const int count = ::epoll_wait(poll_.get(), ready.data(), limit, may_sleep ? tick : 0);
    if (count < 0 && errno != EINTR) checked(count, "epoll_wait");
    for (int i = 0; i < count; ++i) {
        const auto& event = ready[static_cast<std::size_t>(i)];
        auto& on = *static_cast<connection*>(event.data.ptr);
        if ((event.events & EPOLLOUT) != 0 && on.unsent > 0) send_rest(on);
        if ((event.events & ~EPOLLOUT) != 0) receive(on);
    }
}

} // namespace trackd::bench
