// The part of transport.hpp that speaks TLS.
#include "http/transport.hpp"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <utility>

namespace trackd::http {

// OpenSSL keeps its errors in a queue of the thread: what another connection has left there would be taken for ours.

transport::result transport::shake_hands() noexcept {
    ERR_clear_error();
    return judge(SSL_do_handshake(tls_.get()), true);
}

transport::result transport::read_tls(std::span<char> into) noexcept {
    if (broken_) return {outcome::failed};
    ERR_clear_error();
    std::size_t got = 0;
    auto read = judge(SSL_read_ex(tls_.get(), into.data(), into.size(), &got), true);
    read.bytes = got;
    return read;
}

transport::result transport::write_tls(std::string_view from) noexcept {
    if (broken_) return {outcome::failed};
    ERR_clear_error();
    std::size_t put = 0;
    auto written = judge(SSL_write_ex(tls_.get(), from.data(), from.size(), &put), false);
    written.bytes = put;
    return written;
}

transport::result transport::judge(int returned, bool reading) noexcept {
    waits_for_other_ = false;
    if (returned == 1) return {outcome::done};
    switch (SSL_get_error(tls_.get(), returned)) {
    case SSL_ERROR_WANT_READ: waits_for_other_ = !reading; return {outcome::would_block};
    case SSL_ERROR_WANT_WRITE: waits_for_other_ = reading; return {outcome::would_block};
    case SSL_ERROR_ZERO_RETURN: return {outcome::ended};
    default: break;
    }
    broken_ = true;
    if (const auto* reason = ERR_reason_error_string(ERR_peek_error())) complaint_ = reason;
    return {outcome::failed};
}

bool transport::buffered() const noexcept {
    return !broken_ && SSL_pending(tls_.get()) > 0; // it reads a record at a time, so this is all there is
}

bool transport::has_heard() const noexcept {
    return !tls_ || BIO_number_read(SSL_get_rbio(tls_.get())) > 0;
}

void transport::close_tls() noexcept {
    waits_for_other_ = false;
    if (std::exchange(broken_, true) || SSL_is_init_finished(tls_.get()) != 1) return;
    ERR_clear_error();
    static_cast<void>(SSL_shutdown(tls_.get()));
    ERR_clear_error();
}

} // namespace trackd::http
