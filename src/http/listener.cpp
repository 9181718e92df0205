// See listener.hpp.
#include "http/listener.hpp"

#include "base/log.hpp"

#include <boost/asio/ip/v6_only.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdint>
#include <optional>
#include <stdexcept>
#include <sys/socket.h>
#include <utility>

namespace trackd::http {

namespace asio = boost::asio;
using tcp = asio::ip::tcp;

namespace {

constexpr int backlog = 4096;
constexpr std::chrono::milliseconds first_delay{50};
constexpr std::chrono::milliseconds longest_delay{1'000};

// So many in a row, then whatever else the thread has to do.
constexpr int accepts_in_a_row = 64;

std::optional<std::uint16_t> parse_port(std::string_view text) {
    std::uint16_t port = 0;
    const auto end = text.data() + text.size();
    const auto parsed = std::from_chars(text.data(), end, port);
    if (parsed.ec != std::errc{} || parsed.ptr != end) return {};
    return port;
}

std::optional<asio::ip::address> parse_host(std::string_view text) {
    if (text == "localhost") return asio::ip::address_v4::loopback();
    if (text == "*") return asio::ip::address_v6::any();
    boost::system::error_code error;
    if (text.starts_with('[') && text.ends_with(']')) {
        const auto v6 = asio::ip::make_address_v6(std::string{text.substr(1, text.size() - 2)}, error);
        if (!error) return v6;
    } else {
        const auto v4 = asio::ip::make_address_v4(std::string{text}, error);
        if (!error) return v4;
    }
    return {};
}

} // namespace

listen_address parse_listen(std::string_view text) {
    const auto colon = text.rfind(':');
    if (colon != std::string_view::npos) {
        const auto host = parse_host(text.substr(0, colon));
        const auto port = parse_port(text.substr(colon + 1));
        if (host && port) return {{*host, *port}, host->is_v6() && host->is_unspecified()};
    }
    throw std::invalid_argument(
        "expected ADDRESS:PORT with a numeric address, such as \"127.0.0.1:8080\", \"[::1]:8080\", "
        "\"localhost:8080\" or, for all interfaces, \"*:8080\""
    );
}

namespace {

using acceptor_type = asio::basic_socket_acceptor<tcp, executor_type>;

void open_and_bind(acceptor_type& acceptor, const listen_address& where) {
    acceptor.open(where.endpoint.protocol());
    acceptor.set_option(asio::socket_base::reuse_address(true));
    acceptor.set_option(tcp::no_delay(true)); // on Linux what it accepts inherits this
    if (where.endpoint.address().is_v6()) acceptor.set_option(asio::ip::v6_only(!where.all_interfaces));
    acceptor.bind(where.endpoint);
}

// Where the kernel has no IPv6, all interfaces are those of IPv4.
void bind_somewhere(acceptor_type& acceptor, const listen_address& where) {
    try {
        open_and_bind(acceptor, where);
    } catch (const boost::system::system_error& error) {
        const bool no_ipv6 = error.code() == asio::error::address_family_not_supported ||
                             error.code() == boost::system::errc::address_not_available;
        if (!where.all_interfaces || !no_ipv6) throw;
        if (acceptor.is_open()) acceptor.close();
        open_and_bind(acceptor, {{tcp::v4(), where.endpoint.port()}, false});
    }
}

} // namespace

listener::listener(
    asio::io_context& context, std::string_view address, std::vector<worker*> workers, connection_limit& limit
)
    : acceptor_(context), pause_(context), workers_(std::move(workers)), limit_(limit) {
    const auto where = parse_listen(address);
    try {
        bind_somewhere(acceptor_, where);
        acceptor_.listen(backlog);
        acceptor_.non_blocking(true);
        local_ = acceptor_.local_endpoint();
    } catch (const boost::system::system_error& error) {
        throw std::runtime_error("cannot listen on " + std::string{address} + ": " + error.code().message());
    }
}

task<void> listener::run() {
    for (int in_a_row = 0; !closing_;) {
        auto slot = limit_.try_take();
        if (!slot) {
            say_full();
            co_await limit_.wait();
            continue;
        }
        boost::system::error_code error;
        switch (accept_one(std::move(slot))) {
        case outcome::accepted:
            if (++in_a_row % accepts_in_a_row != 0) break;
            co_await asio::post(acceptor_.get_executor(), use_task);
            break;
        case outcome::nothing_queued:
            co_await acceptor_.async_wait(acceptor::wait_read, asio::redirect_error(use_task, error));
            break;
        case outcome::short_of_resources: co_await back_off(); break;
        }
    }
    hand_over_the_queue();
    acceptor_.close();
}

void listener::close() {
    closing_ = true;
    boost::system::error_code ignored;
    acceptor_.cancel(ignored);
    pause_.cancel();
    limit_.wake();
}

listener::outcome listener::accept_one(connection_slot slot) {
    for (;;) {
        const int accepted =
            ::accept4(acceptor_.native_handle(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (accepted >= 0) {
            delay_ = {};
            workers_[next_worker_++ % workers_.size()]->adopt(native_socket(accepted), std::move(slot));
            return outcome::accepted;
        }
        last_error_ = errno;
        switch (last_error_) {
        case EAGAIN: return outcome::nothing_queued;
        case EMFILE:
        case ENFILE:
        case ENOBUFS:
        case ENOMEM: return outcome::short_of_resources;
        case EBADF:
        case EFAULT:
        case EINVAL:
        case ENOTSOCK:
        case EOPNOTSUPP:
            throw boost::system::system_error(last_error_, boost::system::system_category(), "accept");
        default: break; // it concerns that one connection, which is gone: accept(2) says to try the next
        }
    }
}

void listener::hand_over_the_queue() {
    while (accept_one(limit_.take()) == outcome::accepted) {
    }
}

// Waits until descriptors or memory may be there again; meanwhile clients wait in the queue.
task<void> listener::back_off() {
    delay_ = std::clamp(2 * delay_, first_delay, longest_delay);
    const auto error = boost::system::error_code(last_error_, boost::system::system_category());
    if (delay_ == first_delay || delay_ == longest_delay) {
        base::log().warn("http: cannot accept connections for now: {}", error.message());
    }
    boost::system::error_code woken;
    pause_.expires_after(delay_);
    co_await pause_.async_wait(asio::redirect_error(use_task, woken));
}

void listener::say_full() {
    const auto now = std::chrono::steady_clock::now();
    if (now < next_full_line_) return;
    next_full_line_ = now + std::chrono::seconds{10};
    base::log().warn("http: {} connections are open, which is the most allowed: new ones wait", limit_.max());
}

} // namespace trackd::http
