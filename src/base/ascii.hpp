// Letters of ASCII without their case, as protocols compare names: whatever the locale, and nothing beyond ASCII.
#pragma once

#include <algorithm>
#include <string_view>

namespace trackd::base {

[[nodiscard]] constexpr char to_lower(char c) noexcept {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

[[nodiscard]] constexpr bool equal_ignoring_case(std::string_view one, std::string_view other) noexcept {
    return std::equal(one.begin(), one.end(), other.begin(), other.end(), [](char a, char b) {
        return to_lower(a) == to_lower(b);
    });
}

} // namespace trackd::base
