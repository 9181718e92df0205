#include "base/base64.hpp"

#include <algorithm>
#include <array>
#include <cstdint>

namespace trackd::base {

namespace {

constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

constexpr std::uint8_t not_a_digit = 0xff;

constexpr auto values = [] {
    std::array<std::uint8_t, 256> all{};
    all.fill(not_a_digit);
    for (std::size_t i = 0; i < alphabet.size(); ++i)
        all[static_cast<unsigned char>(alphabet[i])] = static_cast<std::uint8_t>(i);
    return all;
}();

} // namespace

void append_base64(std::string& out, std::string_view bytes) {
    out.reserve(out.size() + (bytes.size() + 2) / 3 * 4);
    while (!bytes.empty()) {
        const auto given = std::min<std::size_t>(bytes.size(), 3);
        std::uint32_t group = 0;
        for (std::size_t i = 0; i < 3; ++i)
            group = group << 8U | (i < given ? static_cast<unsigned char>(bytes[i]) : 0U);
        for (std::size_t i = 0; i < 4; ++i)
            out += i <= given ? alphabet[group >> (18U - 6U * i) & 0x3FU] : '=';
        bytes.remove_prefix(given);
    }
}

std::optional<std::size_t> decode_base64(std::string_view text, char* out) noexcept {
    if (text.size() % 4 != 0) return std::nullopt;
    std::size_t padding = 0;
    while (padding < 2 && text.ends_with('=')) {
        text.remove_suffix(1);
        ++padding;
    }

    char* const begin = out;
    std::uint32_t bits = 0;
    unsigned held = 0; // bits not yet written
    for (const char c : text) {
        const std::uint32_t digit = values[static_cast<unsigned char>(c)];
        if (digit == not_a_digit) return std::nullopt;
        bits = bits << 6U | digit;
        held += 6;
        if (held >= 8) {
            held -= 8;
            *out++ = static_cast<char>(bits >> held & 0xffU);
        }
    }
    // What the padding stands for must be zero, so that there is one way only to write the same bytes.
    if ((bits & ((1U << held) - 1U)) != 0) return std::nullopt;
    return static_cast<std::size_t>(out - begin);
}

} // namespace trackd::base
