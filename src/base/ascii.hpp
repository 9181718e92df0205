// Letters of ASCII, as protocols compare them and names are made of them: whatever the locale, and nothing beyond ASCII.
#pragma once

#include <algorithm>
#include <string_view>

namespace trackd::base {

[[nodiscard]] constexpr char to_lower(char c) noexcept {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

/// Letters, digits, - and _: what sinks and keys are named with.
[[nodiscard]] constexpr bool fits_name(char c) noexcept {
    const auto lower = to_lower(c);
    return (lower >= 'a' && lower <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
}

[[nodiscard]] constexpr bool equal_ignoring_case(std::string_view one, std::string_view other) noexcept {
    return std::equal(one.begin(), one.end(), other.begin(), other.end(), [](char a, char b) {
        return to_lower(a) == to_lower(b);
    });
}

} // namespace trackd::base
