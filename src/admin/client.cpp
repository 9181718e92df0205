#include "admin/client.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/basic_stream.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>
#include <boost/system/system_error.hpp>

#include <exception>
#include <stdexcept>

namespace trackd::admin {

namespace asio = boost::asio;
namespace beast = boost::beast;

namespace {

using any_stream = beast::basic_stream<asio::generic::stream_protocol>;

template <class Stream>
asio::awaitable<answer> converse(Stream& stream, const question& what) {
    beast::http::request<beast::http::string_body> request{what.method, what.path, 11, what.body};
    request.set(beast::http::field::host, "localhost");
    if (!what.body.empty()) request.set(beast::http::field::content_type, "application/json");
    if (!what.token.empty()) request.set(beast::http::field::authorization, "Bearer " + what.token);
    request.keep_alive(false);
    request.prepare_payload();
    co_await beast::http::async_write(stream, request, asio::use_awaitable);
    beast::flat_buffer buffer;
    beast::http::response<beast::http::string_body> response;
    co_await beast::http::async_read(stream, buffer, response, asio::use_awaitable);
    co_return answer{response.result(), std::move(response.body())};
}

asio::awaitable<answer>
connect_and_ask(any_endpoint at, const question& what, std::chrono::milliseconds timeout, bool tls) {
    any_stream stream{co_await asio::this_coro::executor};
    stream.expires_after(timeout);
    co_await stream.async_connect(at, asio::use_awaitable);
    if (!tls) co_return co_await converse(stream, what);
    asio::ssl::context context{asio::ssl::context::tls_client};
    asio::ssl::stream<any_stream&> encrypted{stream, context};
    co_await encrypted.async_handshake(asio::ssl::stream_base::client, asio::use_awaitable);
    co_return co_await converse(encrypted, what);
}

} // namespace

any_endpoint reachable(const http::listen_address& at) {
    if (!at.path.empty()) return asio::local::stream_protocol::endpoint{at.path};
    const auto address = at.endpoint.address();
    if (!address.is_unspecified()) return at.endpoint;
    if (address.is_v4()) return asio::ip::tcp::endpoint{asio::ip::address_v4::loopback(), at.endpoint.port()};
    return asio::ip::tcp::endpoint{asio::ip::address_v6::loopback(), at.endpoint.port()};
}

answer ask(const any_endpoint& at, const question& what, std::chrono::milliseconds timeout, bool tls) {
    asio::io_context context{1};
    answer got;
    std::exception_ptr failed;
    asio::co_spawn(
        context, connect_and_ask(at, what, timeout, tls),
        [&](std::exception_ptr failure, answer has) {
            failed = failure;
            if (!failure) got = std::move(has);
        }
    );
    context.run();
    try {
        if (failed) std::rethrow_exception(failed);
    } catch (const boost::system::system_error& why) {
        throw std::runtime_error{why.code().message()}; // without the place in the library
    }
    return got;
}

} // namespace trackd::admin
