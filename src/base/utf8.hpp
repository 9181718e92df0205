// Text in UTF-8 that is cut: never within a character.
#pragma once

#include <cstddef>
#include <string_view>

namespace trackd::base {

/// At most so many bytes of the text's beginning. Of what is no UTF-8 it may be up to four bytes fewer.
[[nodiscard]] constexpr std::string_view whole_characters(std::string_view text, std::size_t most) noexcept {
    if (text.size() <= most) return text;
    const auto least = most < 4 ? 0 : most - 4;
    const auto continues = [text](std::size_t at) {
        return (static_cast<unsigned char>(text[at]) & 0xC0U) == 0x80U;
    };
    auto end = most;
    while (end > least && continues(end))
        --end;
    return text.substr(0, end);
}

} // namespace trackd::base
