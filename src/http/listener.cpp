// See listener.hpp.
#include "http/listener.hpp"

#include "base/log.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>

#include <algorithm>
#include <cerrno>
#include <sys/socket.h>
#include <utility>

namespace trackd::http {

namespace asio = boost::asio;
using tcp = asio::ip::tcp;

namespace {

constexpr std::chrono::milliseconds first_delay{50};
constexpr std::chrono::milliseconds longest_delay{1'000};

// So many in a row, then whatever else the thread has to do.
constexpr int accepts_in_a_row = 64;

} // namespace

listener::listener(
    asio::io_context& context, listening_socket socket, std::vector<worker*> workers, connection_limit& limit
)
    : acceptor_(context), pause_(context), name_(std::move(socket.name)), local_(socket.endpoint),
      file_(std::move(socket.file)), shared_(socket.passed), workers_(std::move(workers)), limit_(limit) {
    acceptor_.assign(tcp::v4(), socket.descriptor.get()); // of any family: Asio only passes it on
    static_cast<void>(socket.descriptor.release());
    acceptor_.non_blocking(true);
}

listener::listener(
    asio::io_context& context, std::string_view address, std::vector<worker*> workers, connection_limit& limit
)
    : listener(context, listen_on(address), std::move(workers), limit) {}

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
    file_.remove();
    if (!shared_) hand_over_the_queue();
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
        sockaddr_storage peer{};
        socklen_t size = sizeof peer;
        const int accepted = ::accept4(
            acceptor_.native_handle(), reinterpret_cast<sockaddr*>(&peer), &size, SOCK_NONBLOCK | SOCK_CLOEXEC
        );
        if (accepted >= 0) {
            delay_ = {};
            native_socket socket(accepted); // closed here where its address has too many
            if (!limit_.counts_addresses() || may_come_in(peer, slot))
                workers_[next_worker_++ % workers_.size()]->adopt(std::move(socket), std::move(slot), tls_);
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

bool listener::may_come_in(const sockaddr_storage& from, connection_slot& slot) {
    const auto address = address_of(from);
    if (!address || limit_.assign(slot, *address)) return true;
    const auto now = std::chrono::steady_clock::now();
    if (now < next_turned_away_line_) return false;
    next_turned_away_line_ = now + std::chrono::seconds{10};
    base::log().warn(
        "http: {} has as many connections as one address may have: more are closed",
        to_string(peer_at(*address))
    );
    return false;
}

void listener::hand_over_the_queue() {
    while (accept_one(limit_.take()) == outcome::accepted) {
    }
}

// Waits until descriptors or memory may be there again; meanwhile clients wait in the queue.
task<void> listener::back_off() {
    if (delay_ == delay_.zero()) shortages_.add();
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
