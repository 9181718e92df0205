#include "admin/client.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/error.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/basic_stream.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/stream_traits.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>
#include <boost/system/system_error.hpp>

#include <csignal>
#include <exception>
#include <functional>
#include <memory>
#include <openssl/bio.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

namespace trackd::admin {

namespace asio = boost::asio;
namespace beast = boost::beast;

namespace {

using any_stream = beast::basic_stream<asio::generic::stream_protocol>;

beast::http::request<beast::http::string_body> request_for(const question& what) {
    beast::http::request<beast::http::string_body> request{what.method, what.path, 11, what.body};
    request.set(beast::http::field::host, "localhost");
    if (!what.body.empty()) request.set(beast::http::field::content_type, "application/json");
    if (!what.token.empty()) request.set(beast::http::field::authorization, "Bearer " + what.token);
    request.keep_alive(false);
    request.prepare_payload();
    return request;
}

template <class Stream>
asio::awaitable<answer> converse(Stream& stream, const question& what) {
    const auto request = request_for(what);
    co_await beast::http::async_write(stream, request, asio::use_awaitable);
    beast::flat_buffer buffer;
    beast::http::response<beast::http::string_body> response;
    co_await beast::http::async_read(stream, buffer, response, asio::use_awaitable);
    co_return answer{response.result(), std::move(response.body())};
}

using line_handler = std::function<void(std::string_view)>;

void take_lines(std::string& text, const line_handler& on_line) {
    std::string_view rest{text};
    for (auto end = rest.find('\n'); end != rest.npos; end = rest.find('\n')) {
        on_line(rest.substr(0, end));
        rest.remove_prefix(end + 1);
    }
    text.erase(0, text.size() - rest.size());
}

template <class Stream>
asio::awaitable<answer> listen_to(
    Stream& stream, const question& what, std::chrono::milliseconds patience, const line_handler& on_line
) {
    const auto request = request_for(what);
    co_await beast::http::async_write(stream, request, asio::use_awaitable);
    beast::flat_buffer buffer;
    beast::http::response_parser<beast::http::string_body> parser;
    parser.body_limit(boost::none);
    co_await beast::http::async_read_header(stream, buffer, parser, asio::use_awaitable);
    auto& body = parser.get().body();
    const bool good = parser.get().result() == beast::http::status::ok;
    while (!parser.is_done()) {
        beast::get_lowest_layer(stream).expires_after(patience);
        boost::system::error_code ended;
        co_await beast::http::async_read_some(
            stream, buffer, parser, asio::redirect_error(asio::use_awaitable, ended)
        );
        if (good) take_lines(body, on_line);
        if (ended == asio::ssl::error::stream_truncated) break; // nobody says goodbye any more
        if (ended) throw boost::system::system_error{ended};
    }
    co_return answer{parser.get().result(), good ? std::string{} : std::move(body)};
}

constexpr const char* where_tls_has_changed =
    "; where it is admin.tls that has changed, send the daemon a SIGHUP";

// No chain and no name: the daemon has the same file, and so this very certificate.
void check_certificate(SSL* session, const std::string& file) {
    using certificate = std::unique_ptr<X509, decltype(&X509_free)>;
    const std::unique_ptr<BIO, decltype(&BIO_free)> from{BIO_new_file(file.c_str(), "r"), BIO_free};
    const certificate expected{
        from ? PEM_read_bio_X509(from.get(), nullptr, nullptr, nullptr) : nullptr, X509_free
    };
    if (!expected)
        throw std::runtime_error{"admin.tls.certificate: " + file + ": no certificate can be read"};
    const certificate shown{SSL_get1_peer_certificate(session), X509_free};
    if (shown && X509_cmp(shown.get(), expected.get()) == 0) return;
    throw std::runtime_error{
        "who listens there shows another certificate than the one in " + file + where_tls_has_changed
    };
}

// Connects, and has the rest done by `talk` with what is connected then.
template <class Talk>
asio::awaitable<answer> connect_and(
    any_stream& stream, any_endpoint at, std::chrono::milliseconds timeout, const question& what,
    const std::string& certificate, Talk talk
) {
    stream.expires_after(timeout);
    co_await stream.async_connect(at, asio::use_awaitable);
    if (certificate.empty()) co_return co_await talk(stream);
    asio::ssl::context context{asio::ssl::context::tls_client};
    asio::ssl::stream<any_stream&> encrypted{stream, context};
    boost::system::error_code failed;
    co_await encrypted.async_handshake(
        asio::ssl::stream_base::client, asio::redirect_error(asio::use_awaitable, failed)
    );
    if (failed) throw std::runtime_error{"no TLS handshake: " + failed.message() + where_tls_has_changed};
    if (!what.token.empty()) check_certificate(encrypted.native_handle(), certificate);
    co_return co_await talk(encrypted);
}

// Until there is an answer, or an exception that says why there is none, without the place in the library.
answer run(asio::io_context& context, asio::awaitable<answer> asking, const std::function<void()>& at_end) {
    answer got;
    std::exception_ptr failed;
    asio::co_spawn(context, std::move(asking), [&](std::exception_ptr failure, answer has) {
        failed = failure;
        if (!failure) got = std::move(has);
        at_end();
    });
    context.run();
    try {
        if (failed) std::rethrow_exception(failed);
    } catch (const boost::system::system_error& why) {
        throw std::runtime_error{why.code().message()};
    }
    return got;
}

} // namespace

any_endpoint reachable(const http::listen_address& at) {
    if (!at.path.empty()) return asio::local::stream_protocol::endpoint{at.path};
    const auto address = at.endpoint.address();
    if (!address.is_unspecified()) return at.endpoint;
    if (address.is_v4()) return asio::ip::tcp::endpoint{asio::ip::address_v4::loopback(), at.endpoint.port()};
    return asio::ip::tcp::endpoint{asio::ip::address_v6::loopback(), at.endpoint.port()};
}

answer
ask(const any_endpoint& at, const question& what, std::chrono::milliseconds timeout,
    const std::string& certificate) {
    asio::io_context context{1};
    any_stream stream{context};
    const auto talk = [&what](auto& to) { return converse(to, what); };
    return run(context, connect_and(stream, at, timeout, what, certificate, talk), [] {});
}

followed follow(
    const any_endpoint& at, const question& what, std::chrono::milliseconds patience,
    const std::string& certificate, const line_handler& on_line
) {
    asio::io_context context{1};
    any_stream stream{context};
    asio::signal_set signals{context, SIGINT, SIGTERM};
    followed how;
    signals.async_wait([&](boost::system::error_code ended, int) {
        how.interrupted = !ended;
        if (how.interrupted) stream.close();
    });
    const auto talk = [&](auto& to) { return listen_to(to, what, patience, on_line); };
    try {
        how.got = run(context, connect_and(stream, at, patience, what, certificate, talk), [&] {
            signals.cancel();
        });
    } catch (const std::exception&) {
        if (!how.interrupted) throw;
    }
    return how;
}

} // namespace trackd::admin
