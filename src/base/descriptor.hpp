// One file descriptor, closed by whoever holds it last.
#pragma once

#include <unistd.h>
#include <utility>

namespace trackd::base {

class descriptor {
public:
    /// @param number -1: none
    explicit descriptor(int number) noexcept : number_{number} {}

    descriptor(descriptor&& other) noexcept : number_{std::exchange(other.number_, -1)} {}

    descriptor& operator=(descriptor&&) = delete;

    /// What close(2) says is not looked at: who needs to know that bytes are safe has called fdatasync.
    ~descriptor() {
        if (number_ != -1) ::close(number_);
    }

    [[nodiscard]] int get() const noexcept { return number_; }

    explicit operator bool() const noexcept { return number_ != -1; }

private:
    int number_;
};

} // namespace trackd::base
