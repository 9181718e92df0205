// A socket on its way to the Asio socket that takes it over: a connected one from the listener's thread to the
// worker's, a listening one to its listener.
#pragma once

#include <unistd.h>
#include <utility>

namespace trackd::http {

/// Owns one descriptor of a stream socket.
class native_socket {
public:
    explicit native_socket(int descriptor) noexcept : descriptor_(descriptor) {}

    native_socket(native_socket&& other) noexcept : descriptor_(other.release()) {}

    native_socket& operator=(native_socket&&) = delete;

    ~native_socket() {
        if (descriptor_ >= 0) ::close(descriptor_);
    }

    [[nodiscard]] int get() const noexcept { return descriptor_; }

    [[nodiscard]] int release() noexcept { return std::exchange(descriptor_, -1); }

private:
    int descriptor_;
};

} // namespace trackd::http
