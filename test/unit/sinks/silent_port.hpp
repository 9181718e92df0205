// A server that is down, or that does not answer.
#pragma once

#include "helpers.hpp"

#include <arpa/inet.h>
#include <cstdint>
#include <netinet/in.h>
#include <stop_token>
#include <string>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>

namespace trackd::test {

/// A port of this machine where nobody answers: connections wait in its queue. Unless it listens they are refused.
class silent_port {
public:
    explicit silent_port(bool listens) : socket_{::socket(AF_INET, SOCK_STREAM, 0)} {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t size = sizeof address;
        REQUIRE(::bind(socket_, reinterpret_cast<sockaddr*>(&address), size) == 0);
        REQUIRE(::getsockname(socket_, reinterpret_cast<sockaddr*>(&address), &size) == 0);
        if (listens) REQUIRE(::listen(socket_, 5) == 0);
        number_ = ntohs(address.sin_port);
    }

    ~silent_port() { ::close(socket_); }

    silent_port(const silent_port&) = delete;
    silent_port& operator=(const silent_port&) = delete;

    /// Waits for a connection, and leaves it in the queue.
    void await() const {
        fd_set set;
        FD_ZERO(&set);
        FD_SET(socket_, &set);
        REQUIRE(::select(socket_ + 1, &set, nullptr, nullptr, nullptr) == 1);
    }

    [[nodiscard]] std::string number() const { return std::to_string(number_); }

private:
    int socket_;
    std::uint16_t number_ = 0;
};

/// Writes to a sink whose server is this one, which does not answer, and stops it when it waits.
inline void check_that_a_stop_ends_the_wait(sink& waiting, const silent_port& server) {
    std::stop_source stop;
    write_result result{.confirmed = 7};
    std::thread writing{[&] { result = waiting.write(numbered_events{1}, stop.get_token()); }};
    server.await();
    stop.request_stop();
    writing.join();
    CHECK(result.confirmed == 0);
    CHECK(result.refusal.empty());
    waiting.close();
}

/// Its server is one that nobody could connect to.
inline void check_that_it_does_not_connect_when_stopped(sink& stopped) {
    std::stop_source stop;
    stop.request_stop();
    CHECK(stopped.write(numbered_events{2}, stop.get_token()).confirmed == 0);
}

} // namespace trackd::test
