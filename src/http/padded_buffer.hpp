// Bytes that grow without being set to zero first, and that may be read a little beyond their end.
#pragma once

#include "http/request.hpp"

#include <cstddef>
#include <cstring>
#include <memory>
#include <span>
#include <string_view>
#include <utility>

namespace trackd::http {

/// `request::body_padding` readable bytes follow the capacity. Memory that was only reserved costs nothing
/// until it is written to, so a client cannot make us pay for a length that it merely announces.
class padded_buffer {
public:
    padded_buffer() = default;

    explicit padded_buffer(std::size_t capacity) { reserve(capacity); }

    [[nodiscard]] char* data() noexcept { return bytes_.get(); }

    [[nodiscard]] std::size_t size() const noexcept { return size_; }

    [[nodiscard]] std::size_t capacity() const noexcept { return capacity_; }

    [[nodiscard]] std::string_view view() const noexcept { return {bytes_.get(), size_}; }

    /// What is reserved but not used.
    [[nodiscard]] std::span<char> free() noexcept { return {bytes_.get() + size_, capacity_ - size_}; }

    /// Bytes were written into `free()`.
    void grew(std::size_t n) noexcept { size_ += n; }

    /// There must be room for it.
    void append(std::string_view more) noexcept {
        if (!more.empty()) std::memcpy(bytes_.get() + size_, more.data(), more.size());
        size_ += more.size();
    }

    void reserve(std::size_t capacity) {
        if (capacity <= capacity_) return;
        auto larger = std::make_unique_for_overwrite<char[]>(capacity + request::body_padding);
        if (size_ > 0) std::memcpy(larger.get(), bytes_.get(), size_);
        std::memset(larger.get() + capacity, 0, request::body_padding);
        bytes_ = std::move(larger);
        capacity_ = capacity;
    }

    void clear() noexcept { size_ = 0; }

    void resize_down(std::size_t n) noexcept { size_ = n; }

    /// Gives the memory back if there is more of it than this.
    void shrink(std::size_t most) {
        if (capacity_ > most) *this = padded_buffer{};
    }

private:
    std::unique_ptr<char[]> bytes_;
    std::size_t capacity_ = 0;
    std::size_t size_ = 0;
};

} // namespace trackd::http
