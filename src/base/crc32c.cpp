#include "base/crc32c.hpp"

#include <array>
#include <cstddef>
#include <cstring>

#if defined(__x86_64__)
#include <nmmintrin.h>
#endif

namespace trackd::base {

namespace {

constexpr std::uint32_t polynomial = 0x82F63B78; // 0x1EDC6F41 with its bits in reverse

using table = std::array<std::uint32_t, 256>;

// tables[k][b]: what the byte b contributes when k more bytes follow it. So eight bytes take eight look-ups that do not
// wait for each other ("slicing by 8").
constexpr std::array<table, 8> make_tables() noexcept {
    std::array<table, 8> tables{};
    for (std::uint32_t byte = 0; byte < 256; ++byte) {
        auto crc = byte;
        for (int bit = 0; bit < 8; ++bit)
            crc = (crc >> 1U) ^ ((crc & 1U) != 0 ? polynomial : 0U);
        tables[0][byte] = crc;
    }
    for (std::size_t k = 1; k < tables.size(); ++k) {
        for (std::size_t byte = 0; byte < 256; ++byte) {
            const auto before = tables[k - 1][byte];
            tables[k][byte] = (before >> 8U) ^ tables[0][before & 0xFFU];
        }
    }
    return tables;
}

constexpr auto tables = make_tables();

std::uint32_t byte_at(const char* at) noexcept {
    return static_cast<unsigned char>(*at);
}

// Little-endian, on any machine; compilers make one load of it.
std::uint32_t word_at(const char* at) noexcept {
    return byte_at(at) | byte_at(at + 1) << 8U | byte_at(at + 2) << 16U | byte_at(at + 3) << 24U;
}

#if defined(__x86_64__)

__attribute__((target("sse4.2"))) std::uint32_t
sse42_crc32c(std::string_view bytes, std::uint32_t seed) noexcept {
    const auto* at = bytes.data();
    auto left = bytes.size();
    std::uint64_t crc = ~seed;
    for (; left >= 8; left -= 8, at += 8) {
        std::uint64_t word = 0;
        std::memcpy(&word, at, sizeof word);
        crc = _mm_crc32_u64(crc, word);
    }
    auto crc32 = static_cast<std::uint32_t>(crc);
    if (left >= 4) {
        crc32 = _mm_crc32_u32(crc32, word_at(at));
        left -= 4;
        at += 4;
    }
    for (; left > 0; --left, ++at)
        crc32 = _mm_crc32_u8(crc32, static_cast<unsigned char>(*at));
    return ~crc32;
}

#endif

crc32c_function best() noexcept {
    const auto native = native_crc32c();
    return native != nullptr ? native : portable_crc32c;
}

} // namespace

std::uint32_t portable_crc32c(std::string_view bytes, std::uint32_t seed) noexcept {
    const auto* at = bytes.data();
    auto left = bytes.size();
    auto crc = ~seed;
    for (; left >= 8; left -= 8, at += 8) {
        const auto low = crc ^ word_at(at);
        const auto high = word_at(at + 4);
        crc = tables[7][low & 0xFFU] ^ tables[6][low >> 8U & 0xFFU] ^ tables[5][low >> 16U & 0xFFU] ^
              tables[4][low >> 24U] ^ tables[3][high & 0xFFU] ^ tables[2][high >> 8U & 0xFFU] ^
              tables[1][high >> 16U & 0xFFU] ^ tables[0][high >> 24U];
    }
    for (; left > 0; --left, ++at)
        crc = (crc >> 8U) ^ tables[0][(crc ^ byte_at(at)) & 0xFFU];
    return ~crc;
}

crc32c_function native_crc32c() noexcept {
#if defined(__x86_64__)
    __builtin_cpu_init(); // in case that this runs before the constructors
    if (__builtin_cpu_supports("sse4.2") != 0) return sse42_crc32c;
#endif
    return nullptr;
}

std::uint32_t crc32c(std::string_view bytes, std::uint32_t seed) noexcept {
    static const auto chosen = best();
    return chosen(bytes, seed);
}

} // namespace trackd::base
