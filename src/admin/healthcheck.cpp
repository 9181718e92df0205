#include "admin/healthcheck.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/basic_stream.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>

#include <exception>

namespace trackd::admin {

namespace asio = boost::asio;
namespace beast = boost::beast;

namespace {

using any_stream = beast::basic_stream<asio::generic::stream_protocol>;

template <class Stream>
asio::awaitable<health> converse(Stream& stream, const std::string& path) {
    beast::http::request<beast::http::empty_body> request{beast::http::verb::get, path, 11};
    request.set(beast::http::field::host, "localhost");
    request.keep_alive(false);
    co_await beast::http::async_write(stream, request, asio::use_awaitable);
    beast::flat_buffer buffer;
    beast::http::response<beast::http::string_body> response;
    co_await beast::http::async_read(stream, buffer, response, asio::use_awaitable);
    auto says = response.body().substr(0, response.body().find('\n'));
    co_return health{response.result() == beast::http::status::ok, std::move(says)};
}

asio::awaitable<health> ask(any_endpoint at, std::string path, std::chrono::milliseconds timeout, bool tls) {
    any_stream stream{co_await asio::this_coro::executor};
    stream.expires_after(timeout);
    co_await stream.async_connect(at, asio::use_awaitable);
    if (!tls) co_return co_await converse(stream, path);
    asio::ssl::context context{asio::ssl::context::tls_client};
    asio::ssl::stream<any_stream&> encrypted{stream, context};
    co_await encrypted.async_handshake(asio::ssl::stream_base::client, asio::use_awaitable);
    co_return co_await converse(encrypted, path);
}

} // namespace

any_endpoint reachable(const http::listen_address& at) {
    if (!at.path.empty()) return asio::local::stream_protocol::endpoint{at.path};
    const auto address = at.endpoint.address();
    if (!address.is_unspecified()) return at.endpoint;
    if (address.is_v4()) return asio::ip::tcp::endpoint{asio::ip::address_v4::loopback(), at.endpoint.port()};
    return asio::ip::tcp::endpoint{asio::ip::address_v6::loopback(), at.endpoint.port()};
}

health
ask_health(const any_endpoint& at, std::string_view path, std::chrono::milliseconds timeout, bool tls) {
    asio::io_context context{1};
    health answer;
    auto done = [&answer](std::exception_ptr failure, health got) {
        if (!failure) {
            answer = std::move(got);
            return;
        }
        try {
            std::rethrow_exception(failure);
        } catch (const std::exception& why) {
            answer.says = why.what();
        }
    };
    asio::co_spawn(context, ask(at, std::string{path}, timeout, tls), done);
    context.run();
    return answer;
}

} // namespace trackd::admin
