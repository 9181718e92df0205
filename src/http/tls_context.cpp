// See tls_context.hpp.
#include "http/tls_context.hpp"

#include <cerrno>
#include <fcntl.h>
#include <new>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdexcept>
#include <string_view>
#include <system_error>
#include <unistd.h>

namespace trackd::http {

namespace {

// All that TLS 1.2 has with forward secrecy and authenticated encryption. Those of 1.3 are OpenSSL's own choice.
constexpr auto ciphers_of_1_2 = "ECDHE+AESGCM:ECDHE+CHACHA20";

// As it stands in ALPN: each name behind its length.
constexpr std::string_view alpn_http_1_1 = "\x08http/1.1";

// OpenSSL's first complaint. Forgets all of them.
std::string complaint() {
    const auto code = ERR_peek_error();
    const auto* reason = ERR_reason_error_string(code);
    ERR_clear_error();
    return reason == nullptr ? "OpenSSL gives no reason" : reason;
}

[[noreturn]] void fail(const std::string& file, const std::string& what) {
    throw std::runtime_error(file + ": " + what);
}

// OpenSSL does not say it as clearly.
void check_readable(const std::string& file) {
    const int descriptor = ::open(file.c_str(), O_RDONLY | O_CLOEXEC);
    if (descriptor < 0) fail(file, "cannot be read: " + std::generic_category().message(errno));
    ::close(descriptor);
}

// Instead of OpenSSL's own, which would ask on the terminal.
int no_passphrase(char*, int, int, void* asked) {
    *static_cast<bool*>(asked) = true;
    return -1;
}

// A client that offers protocols, but not ours, is told so by an alert.
int choose_protocol(SSL*, const unsigned char** chosen, unsigned char* size, const unsigned char* offered, unsigned int offered_size, void*) {
    unsigned char* found = nullptr;
    const auto* ours = reinterpret_cast<const unsigned char*>(alpn_http_1_1.data());
    const auto result = SSL_select_next_proto(
        &found, size, ours, static_cast<unsigned int>(alpn_http_1_1.size()), offered, offered_size
    );
    *chosen = found;
    return result == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_ALERT_FATAL;
}

void set_rules(SSL_CTX* context) {
    SSL_CTX_set_min_proto_version(
        context, TLS1_2_VERSION
    ); // as the ciphers do, but this says so in the alert
    SSL_CTX_set_cipher_list(context, ciphers_of_1_2);
    // A peer that just ends its connection is nothing new to HTTP, which knows how long its messages are.
    SSL_CTX_set_options(
        context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_CIPHER_SERVER_PREFERENCE |
                     SSL_OP_IGNORE_UNEXPECTED_EOF
    );
    // Answers grow, and move, while one waits to be sent; an idle connection keeps no buffers.
    SSL_CTX_set_mode(
        context,
        SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS
    );
    // After a record without data the other connections get their turn.
    SSL_CTX_clear_mode(context, SSL_MODE_AUTO_RETRY);
    // Resumption is by tickets, which the clients keep.
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_alpn_select_cb(context, choose_protocol, nullptr);
}

void load_certificate(SSL_CTX* context, const std::string& file) {
    check_readable(file);
    if (SSL_CTX_use_certificate_chain_file(context, file.c_str()) != 1)
        fail(file, "holds no certificate that can be used (" + complaint() + "); expected PEM");
}

void load_key(SSL_CTX* context, const std::string& file, const std::string& certificate) {
    check_readable(file);
    bool encrypted = false;
    SSL_CTX_set_default_passwd_cb(context, no_passphrase);
    SSL_CTX_set_default_passwd_cb_userdata(context, &encrypted);
    const bool loaded = SSL_CTX_use_PrivateKey_file(context, file.c_str(), SSL_FILETYPE_PEM) == 1;
    SSL_CTX_set_default_passwd_cb_userdata(context, nullptr);
    if (encrypted) fail(file, "is encrypted; expected a key without a passphrase");
    if (loaded && SSL_CTX_check_private_key(context) == 1) return;
    const bool another = ERR_GET_REASON(ERR_peek_error()) == X509_R_KEY_VALUES_MISMATCH ||
                         ERR_GET_REASON(ERR_peek_error()) == X509_R_KEY_TYPE_MISMATCH;
    const auto why = complaint();
    if (another) fail(file, "is not the key of the certificate in " + certificate);
    fail(file, "holds no private key that can be used (" + why + "); expected PEM");
}

} // namespace

void tls_deleter::operator()(SSL_CTX* context) const noexcept {
    SSL_CTX_free(context);
}

void tls_deleter::operator()(SSL* session) const noexcept {
    SSL_free(session);
}

tls_context::tls_context(const std::string& certificate, const std::string& key)
    : context_(SSL_CTX_new(TLS_server_method())) {
    if (!context_) throw std::bad_alloc();
    ERR_clear_error();
    set_rules(context_.get());
    load_certificate(context_.get(), certificate);
    load_key(context_.get(), key, certificate);
}

tls_session_handle tls_context::new_session(int descriptor) const {
    ERR_clear_error();
    tls_session_handle session(SSL_new(context_.get()));
    if (!session || SSL_set_fd(session.get(), descriptor) != 1) throw std::bad_alloc();
    SSL_set_accept_state(session.get());
    return session;
}

} // namespace trackd::http
