// A client that sends bytes as they are and reads answers one by one, over a real socket. It blocks, up to a
// minute.
#pragma once

#include <boost/asio/ip/tcp.hpp>

#include <optional>
#include <string>
#include <string_view>

namespace trackd::test {

struct answer {
    int status = 0;
    std::string head;
    std::string body;

    [[nodiscard]] bool has(std::string_view line) const { return head.find(line) != std::string::npos; }
};

class client {
public:
    explicit client(const boost::asio::ip::tcp::endpoint& server);

    /// Sends all of it, reading meanwhile what the server says: neither side can block the other. A server
    /// that has closed is no error: what it said before is still to be read.
    client& send(std::string_view bytes);

    client& shut_down_sending();

    /// Closes with a reset.
    void reset();

    /// Nothing if the connection ended before a whole answer came.
    /// @param to_head the answer is one to HEAD, and has no body
    [[nodiscard]] std::optional<answer> read(bool to_head = false);

    /// All that comes until this text has come, or the connection has ended.
    [[nodiscard]] std::string read_until(std::string_view text);

    /// Whether the server has closed, and in an orderly way; waits for it.
    [[nodiscard]] bool is_closed();

    /// What one request gets.
    answer ask(std::string_view request);

private:
    bool receive();

    boost::asio::io_context context_;
    boost::asio::ip::tcp::socket socket_{context_};
    std::string received_;
    bool ended_ = false;
    bool was_reset_ = false;
};

} // namespace trackd::test
