// CRC32C (Castagnoli), the checksum of all that the journal writes: processors compute it as fast as they read.
#pragma once

#include <cstdint>
#include <string_view>

namespace trackd::base {

/// Of "123456789" it is 0xE3069283.
/// @param seed the checksum of what stands before: crc32c(b, crc32c(a)) == crc32c(ab)
[[nodiscard]] std::uint32_t crc32c(std::string_view bytes, std::uint32_t seed = 0) noexcept;

using crc32c_function = std::uint32_t (*)(std::string_view bytes, std::uint32_t seed) noexcept;

/// With tables, on any processor: what `crc32c` does where there is nothing better, and what it is tested against.
[[nodiscard]] std::uint32_t portable_crc32c(std::string_view bytes, std::uint32_t seed) noexcept;

/// With the processor's own instruction; a null pointer if this processor has none.
[[nodiscard]] crc32c_function native_crc32c() noexcept;

} // namespace trackd::base
