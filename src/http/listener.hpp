// Accepts connections on one listening socket and deals them out to the workers.
#pragma once

#include "http/connection_limit.hpp"
#include "http/counters.hpp"
#include "http/listening_socket.hpp"
#include "http/task.hpp"
#include "http/tls_context.hpp"
#include "http/worker.hpp"

#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <sys/socket.h>
#include <utility>
#include <vector>

namespace trackd::http {

/// One listening socket. Confined to its io_context, which is usually not a worker's. Outlived by workers and
/// limit.
class listener {
public:
    /// @param workers at least one; they get the sockets in turn
    listener(
        boost::asio::io_context& context, listening_socket socket, std::vector<worker*> workers,
        connection_limit& limit
    );

    /// The same with `listen_on(address)`.
    listener(
        boost::asio::io_context& context, std::string_view address, std::vector<worker*> workers,
        connection_limit& limit
    );

    /// What connections speak TLS with that are accepted from now on; null: none is spoken.
    void use_tls(shared_tls_context tls) { tls_ = std::move(tls); }

    [[nodiscard]] bool has_tls() const noexcept { return tls_ != nullptr; }

    /// Accepts until `close`. Lacking descriptors or memory, it waits and tries again, and says so in the
    /// log.
    /// @throws boost::system::system_error if accepting fails for good: then nobody can connect any more
    [[nodiscard]] task<void> run();

    /// Makes `run` hand over what the kernel had queued, close the socket and return. What waits at a socket that was
    /// passed is left to the next process that listens there.
    void close();

    /// For people: `127.0.0.1:8080`, with the real port where 0 was asked for, or `unix:/path`.
    [[nodiscard]] const std::string& name() const noexcept { return name_; }

    /// The same where it is a TCP socket.
    [[nodiscard]] boost::asio::ip::tcp::endpoint local_endpoint() const { return local_; }

    /// How often it ran out of descriptors or memory. Any thread.
    [[nodiscard]] std::uint64_t shortages() const noexcept { return shortages_.value(); }

    /// For tests that break it.
    [[nodiscard]] int native_handle() { return acceptor_.native_handle(); }

private:
    using acceptor = boost::asio::basic_socket_acceptor<boost::asio::ip::tcp, executor_type>;
    using timer = boost::asio::basic_waitable_timer<
        std::chrono::steady_clock, boost::asio::wait_traits<std::chrono::steady_clock>, executor_type>;

    enum class outcome { accepted, nothing_queued, short_of_resources };

    outcome accept_one(connection_slot slot);
    bool may_come_in(const sockaddr_storage& from, connection_slot& slot);
    void hand_over_the_queue();
    task<void> back_off();
    void say_full();

    acceptor acceptor_;
    timer pause_;
    std::string name_;
    boost::asio::ip::tcp::endpoint local_;
    socket_file file_;
    bool shared_; // with whoever passed it
    std::vector<worker*> workers_;
    connection_limit& limit_;
    shared_tls_context tls_;
    std::size_t next_worker_ = 0;
    int last_error_ = 0;
    counter shortages_;
    std::chrono::milliseconds delay_{0}; // of the next back-off; zero when the last accept worked
    std::chrono::steady_clock::time_point next_full_line_{};
    std::chrono::steady_clock::time_point next_turned_away_line_{};
    bool closing_ = false;
};

} // namespace trackd::http
