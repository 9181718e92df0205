// Numbers as the journal's files keep them.
#pragma once

#include <bit>
#include <cstring>

namespace trackd::journal {

// Events are kept as `batch` encodes them, which is in the machine's own order.
static_assert(
    std::endian::native == std::endian::little, "the journal is little-endian, and so must the machine be"
);

template <typename Number>
[[nodiscard]] Number load(const char* at) noexcept {
    Number number;
    std::memcpy(&number, at, sizeof number);
    return number;
}

template <typename Number>
void store(char* at, Number number) noexcept {
    std::memcpy(at, &number, sizeof number);
}

} // namespace trackd::journal
