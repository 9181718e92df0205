// The client's side of the admin listener: for trackd's own commands, which ask a running daemon.
#pragma once

#include "http/listening_socket.hpp"

#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/beast/http/status.hpp>
#include <boost/beast/http/verb.hpp>

#include <chrono>
#include <functional>
#include <string>
#include <string_view>

namespace trackd::admin {

using any_endpoint = boost::asio::generic::stream_protocol::endpoint;

/// Where a listener with this address can be asked: one that listens on all interfaces, through loopback.
[[nodiscard]] any_endpoint reachable(const http::listen_address& at);

struct question {
    boost::beast::http::verb method = boost::beast::http::verb::get;
    std::string path;
    std::string body = {};  ///< JSON
    std::string token = {}; ///< of the admin listener; empty: it wants none
};

struct answer {
    boost::beast::http::status code{};
    std::string body;
};

/// How an answer without end was followed.
struct followed {
    answer got;               ///< its body only where its code is not 200
    bool interrupted = false; ///< by a signal
};

/// Asks a running daemon for what goes on until one of both ends it, and blocks until then. SIGINT and SIGTERM do, too.
/// @param on_line is called for each line of the body, without its end
/// @param patience how long nothing at all may come
/// @throws std::exception that says why there is no answer, or no more of it
[[nodiscard]] followed follow(
    const any_endpoint& at, const std::string& path, std::chrono::milliseconds patience, bool tls,
    const std::function<void(std::string_view line)>& on_line
);

/// Asks a running daemon. Blocks for up to `timeout`.
/// @param at  the admin listener
/// @param tls whether to speak TLS. The certificate is not looked at: it is on another name than this machine's own
/// @throws std::exception that says why there is no answer
[[nodiscard]] answer
ask(const any_endpoint& at, const question& what, std::chrono::milliseconds timeout, bool tls);

} // namespace trackd::admin
