// Checks only what a slip of the hand may bring: a path, a missing scheme, white space.
#include "config/web_origin.hpp"

#include "base/ascii.hpp"

#include <algorithm>

namespace trackd::config {
namespace {

constexpr std::size_t longest_origin = 1024;

bool is_letter(char c) {
    const auto lower = base::to_lower(c);
    return lower >= 'a' && lower <= 'z';
}

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

bool fits_scheme(char c) {
    return is_letter(c) || is_digit(c) || c == '+' || c == '-' || c == '.';
}

bool fits_host(char c) {
    return is_letter(c) || is_digit(c) ||
           (c != '\0' && std::string_view{"-._~%:[]"}.find(c) != std::string_view::npos);
}

} // namespace

std::optional<std::string> normalised_web_origin(std::string_view text) {
    if (text == "*") return std::string{text};
    const auto mark = text.find("://");
    if (mark == std::string_view::npos || text.size() > longest_origin) return std::nullopt;
    const auto scheme = text.substr(0, mark);
    const auto host = text.substr(mark + 3);
    if (scheme.empty() || !is_letter(scheme.front()) || !std::ranges::all_of(scheme, fits_scheme))
        return std::nullopt;
    if (host.empty() || host.ends_with(':') || !std::ranges::all_of(host, fits_host)) return std::nullopt;
    std::string result{text};
    std::ranges::transform(result, result.begin(), base::to_lower);
    return result;
}

} // namespace trackd::config
