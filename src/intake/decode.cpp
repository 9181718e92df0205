#include "intake/decode.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>

namespace trackd::intake {

namespace {

constexpr std::uint8_t not_a_digit = 0xff;

constexpr std::array<std::uint8_t, 256> digits_of(std::string_view alphabet) {
    std::array<std::uint8_t, 256> values{};
    values.fill(not_a_digit);
    for (std::size_t i = 0; i < alphabet.size(); ++i)
        values[static_cast<unsigned char>(alphabet[i])] = static_cast<std::uint8_t>(i);
    return values;
}

constexpr auto hex_digits = [] {
    auto values = digits_of("0123456789ABCDEF");
    for (std::size_t i = 0; i < 6; ++i)
        values['a' + i] = values['A' + i];
    return values;
}();

unsigned hex(char c) noexcept {
    return hex_digits[static_cast<unsigned char>(c)];
}

/// The four digits of `\uXXXX`.
unsigned code_unit(const char* digits) noexcept {
    return hex(digits[0]) << 12U | hex(digits[1]) << 8U | hex(digits[2]) << 4U | hex(digits[3]);
}

char* put_utf8(unsigned code_point, char* out) noexcept {
    const auto put = [&out](unsigned byte) { *out++ = static_cast<char>(byte); };
    const auto put_tail = [&](unsigned shift) { put(0x80U | (code_point >> shift & 0x3fU)); };
    if (code_point < 0x80) {
        put(code_point);
    } else if (code_point < 0x800) {
        put(0xc0U | code_point >> 6U);
        put_tail(0);
    } else if (code_point < 0x10000) {
        put(0xe0U | code_point >> 12U);
        put_tail(6);
        put_tail(0);
    } else {
        put(0xf0U | code_point >> 18U);
        put_tail(12);
        put_tail(6);
        put_tail(0);
    }
    return out;
}

char simple_escape(char c) noexcept {
    switch (c) {
    case 'b': return '\b';
    case 'f': return '\f';
    case 'n': return '\n';
    case 'r': return '\r';
    case 't': return '\t';
    default: return c; // " \ /
    }
}

} // namespace

std::size_t unescape_json(std::string_view text, char* out) noexcept {
    char* const begin = out;
    while (!text.empty()) {
        const auto plain = std::min(text.find('\\'), text.size());
        std::memcpy(out, text.data(), plain);
        out += plain;
        text.remove_prefix(plain);
        if (text.empty()) break;
        if (text[1] != 'u') {
            *out++ = simple_escape(text[1]);
            text.remove_prefix(2);
            continue;
        }
        unsigned code_point = code_unit(text.data() + 2);
        text.remove_prefix(6);
        if (code_point >= 0xd800 && code_point <= 0xdbff) { // its other half follows
            code_point = 0x10000U + ((code_point - 0xd800U) << 10U) + (code_unit(text.data() + 2) - 0xdc00U);
            text.remove_prefix(6);
        }
        out = put_utf8(code_point, out);
    }
    return static_cast<std::size_t>(out - begin);
}

} // namespace trackd::intake
