#include "client.hpp"

#include <boost/asio/buffer.hpp>

#include <array>
#include <cstdlib>
#include <poll.h>
#include <stdexcept>
#include <sys/socket.h>

namespace trackd::test {

namespace asio = boost::asio;

namespace {

constexpr int patience_ms = 60'000;

short wait_for(int descriptor, short events) {
    pollfd poll_for{descriptor, events, 0};
    if (::poll(&poll_for, 1, patience_ms) != 1)
        throw std::runtime_error("the server did not react within a minute");
    return poll_for.revents;
}

} // namespace

client::client(const asio::ip::tcp::endpoint& server) {
    socket_.connect(server);
    socket_.set_option(asio::ip::tcp::no_delay(true));
    socket_.non_blocking(true);
}

client& client::send(std::string_view bytes) {
    while (!bytes.empty() && !ended_) {
        const auto ready = wait_for(socket_.native_handle(), POLLIN | POLLOUT);
        if ((ready & POLLIN) != 0) receive();
        if ((ready & (POLLERR | POLLHUP)) != 0 && (ready & POLLIN) == 0) receive();
        if ((ready & POLLOUT) == 0) continue;
        boost::system::error_code error;
        bytes.remove_prefix(socket_.send(asio::buffer(bytes.data(), bytes.size()), MSG_NOSIGNAL, error));
        if (error && error != asio::error::would_block) return *this;
    }
    return *this;
}

client& client::shut_down_sending() {
    socket_.shutdown(asio::ip::tcp::socket::shutdown_send);
    return *this;
}

void client::reset() {
    socket_.set_option(asio::socket_base::linger(true, 0));
    socket_.close();
}

// One read; false at the end.
bool client::receive() {
    std::array<char, 65536> buffer;
    boost::system::error_code error;
    const auto got = socket_.receive(asio::buffer(buffer), 0, error);
    if (error == asio::error::would_block) return true;
    if (error) {
        ended_ = true;
        was_reset_ = error != asio::error::eof;
        return false;
    }
    received_.append(buffer.data(), got);
    return true;
}

std::optional<answer> client::read(bool to_head) {
    for (;;) {
        const auto head_end = received_.find("\r\n\r\n");
        if (head_end != std::string::npos) {
            answer next;
            next.head = received_.substr(0, head_end + 2);
            next.status = std::atoi(next.head.c_str() + std::string_view{"HTTP/1.1 "}.size());
            std::size_t length = 0;
            const auto field = next.head.find("Content-Length: ");
            if (field != std::string::npos && !to_head) length = std::stoul(next.head.substr(field + 16));
            if (received_.size() >= head_end + 4 + length) {
                next.body = received_.substr(head_end + 4, length);
                received_.erase(0, head_end + 4 + length);
                return next;
            }
        }
        if (ended_) return {};
        wait_for(socket_.native_handle(), POLLIN);
        receive();
    }
}

std::string client::read_until(std::string_view text) {
    auto found = received_.find(text);
    while (found == std::string::npos && !ended_) {
        wait_for(socket_.native_handle(), POLLIN);
        receive();
        found = received_.find(text);
    }
    const auto end = found == std::string::npos ? received_.size() : found + text.size();
    auto read = received_.substr(0, end);
    received_.erase(0, end);
    return read;
}

bool client::is_closed() {
    while (!ended_) {
        wait_for(socket_.native_handle(), POLLIN);
        receive();
    }
    return received_.empty() && !was_reset_;
}

answer client::ask(std::string_view request) {
    send(request);
    auto got = read();
    if (!got) throw std::runtime_error("the connection ended without an answer");
    return *got;
}

} // namespace trackd::test
