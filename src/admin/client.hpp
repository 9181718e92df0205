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
/// @param certificate as in `ask`
/// @param on_line is called for each line of the body, without its end
/// @param patience how long nothing at all may come
/// @throws std::exception that says why there is no answer, or no more of it
[[nodiscard]] followed follow(
    const any_endpoint& at, const question& what, std::chrono::milliseconds patience,
    const std::string& certificate, const std::function<void(std::string_view line)>& on_line
);

/// Asks a running daemon. Blocks for up to `timeout`.
/// @param at  the admin listener
/// @param certificate the file with the daemon's, PEM; empty: speaks no TLS. A token is shown only to who has exactly the
///                    first certificate in it; whoever asks without one asks anybody
/// @throws std::exception that says why there is no answer
[[nodiscard]] answer
ask(const any_endpoint& at, const question& what, std::chrono::milliseconds timeout,
    const std::string& certificate = {});

} // namespace trackd::admin
