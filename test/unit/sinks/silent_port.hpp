// A server that is down, or that does not answer.
#pragma once

#include "support/catch.hpp"

#include <arpa/inet.h>
#include <cstdint>
#include <netinet/in.h>
#include <string>
#include <sys/socket.h>
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

} // namespace trackd::test
