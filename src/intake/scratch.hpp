// Memory for what cannot stay a view into the request: unescaped strings, decoded base64.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <memory>

namespace trackd::intake {

/// Hands out bytes one after the other, and takes them back all at once. What it handed out stays in place
/// until then.
class scratch {
public:
    /// Takes everything back, and makes room for so many bytes.
    void prepare(std::size_t bytes) {
        if (bytes > capacity_) {
            const auto rounded = std::bit_ceil(std::max(bytes, std::size_t{4096}));
            bytes_ = std::make_unique_for_overwrite<char[]>(rounded);
            capacity_ = rounded;
        }
        used_ = 0;
    }

    /// Where the next bytes go: as many as `prepare` made room for, less those that were kept.
    [[nodiscard]] char* next() noexcept { return bytes_.get() + used_; }

    void keep(std::size_t bytes) noexcept { used_ += bytes; }

    /// Gives memory back to the system if it has grown beyond what an ordinary request needs.
    void release(std::size_t ordinary) noexcept {
        if (capacity_ <= ordinary) return;
        bytes_.reset();
        capacity_ = 0;
        used_ = 0;
    }

private:
    std::unique_ptr<char[]> bytes_;
    std::size_t capacity_ = 0;
    std::size_t used_ = 0;
};

} // namespace trackd::intake
