// How a connection's bytes cross its socket: as they are, or through TLS.
#pragma once

#include "http/tls_context.hpp"

#include <cerrno>
#include <cstddef>
#include <span>
#include <string_view>
#include <sys/socket.h>

namespace trackd::http {

/// Reads and writes without waiting. Without TLS each call is one system call, and nothing more.
class transport {
public:
    enum class outcome : unsigned char {
        done,
        ended,       ///< the peer sends no more
        would_block, ///< wait, then call again: for what, says `waits_for_other`
        failed,
    };

    struct result {
        outcome what;
        std::size_t bytes = 0;
    };

    /// Speaks TLS from now on; the descriptor must stay open, and SIGPIPE be ignored.
    /// @throws std::bad_alloc
    void use(const tls_context& tls, int descriptor) { tls_ = tls.new_session(descriptor); }

    /// Whether there is a handshake to be made before anything can be read or written.
    [[nodiscard]] bool has_tls() const noexcept { return tls_ != nullptr; }

    /// @return done when it is over; failed where the peers do not agree
    [[nodiscard]] result shake_hands() noexcept;

    [[nodiscard]] result read(int descriptor, std::span<char> into) noexcept {
        if (tls_) [[unlikely]]
            return read_tls(into);
        return read_raw(descriptor, into);
    }

    /// What is on the socket, encrypted or not.
    /// @param flags such as MSG_PEEK
    [[nodiscard]] static result read_raw(int descriptor, std::span<char> into, int flags = 0) noexcept {
        const auto got = ::recv(descriptor, into.data(), into.size(), MSG_DONTWAIT | flags);
        if (got > 0) return {outcome::done, static_cast<std::size_t>(got)};
        return {got == 0 ? outcome::ended : of_errno()};
    }

    [[nodiscard]] result write(int descriptor, std::string_view from) noexcept {
        if (tls_) [[unlikely]]
            return write_tls(from);
        const auto put = ::send(descriptor, from.data(), from.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
        if (put >= 0) return {outcome::done, static_cast<std::size_t>(put)};
        return {of_errno()};
    }

    /// Whether the call that would have blocked waits for the other direction: a read to write, a write to read.
    [[nodiscard]] bool waits_for_other() const noexcept { return waits_for_other_; }

    /// Whether there is something to read that the socket does not know of any more.
    [[nodiscard]] bool has_buffered() const noexcept { return tls_ && buffered(); }

    /// Tells the peer that nothing more comes, if it can be told without waiting. After it only the socket is read.
    void say_goodbye() noexcept {
        if (tls_) [[unlikely]]
            close_tls();
    }

    /// What went wrong with the handshake, in OpenSSL's words.
    [[nodiscard]] std::string_view complaint() const noexcept { return complaint_; }

    /// Whether the peer has sent any byte at all.
    [[nodiscard]] bool has_heard() const noexcept;

private:
    // After a system call that failed: whether it is worth waiting and trying again.
    static outcome of_errno() noexcept {
        const bool later = errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR;
        return later ? outcome::would_block : outcome::failed;
    }

    result read_tls(std::span<char> into) noexcept;
    result write_tls(std::string_view from) noexcept;
    [[nodiscard]] bool buffered() const noexcept;
    void close_tls() noexcept;
    result judge(int returned, bool reading) noexcept;

    tls_session_handle tls_;
    std::string_view complaint_;
    bool waits_for_other_ = false;
    bool broken_ = false; // no further call may be made
};

} // namespace trackd::http
