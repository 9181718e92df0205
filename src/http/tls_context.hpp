// A certificate with its key, and how we speak TLS with it.
#pragma once

#include <memory>
#include <openssl/types.h>
#include <string>

namespace trackd::http {

struct tls_deleter {
    void operator()(SSL_CTX* context) const noexcept;
    void operator()(SSL* session) const noexcept;
};

using tls_session_handle = std::unique_ptr<SSL, tls_deleter>;

/// What new connections begin TLS with. Those that are open keep the one that they began with, so that another can take
/// its place at any time. Any thread.
class tls_context {
public:
    /// Reads both files, each PEM. The first certificate is the server's, those after it lead to the authority.
    /// @throws std::runtime_error with one line naming the file and what is wrong with it
    tls_context(const std::string& certificate, const std::string& key);

    /// The server's side of a handshake that has not begun, on this descriptor, which it does not own.
    /// @throws std::bad_alloc
    [[nodiscard]] tls_session_handle new_session(int descriptor) const;

private:
    std::unique_ptr<SSL_CTX, tls_deleter> context_;
};

/// Shared by the listeners of one kind; null: they speak no TLS.
using shared_tls_context = std::shared_ptr<const tls_context>;

} // namespace trackd::http
