#include <trackd/route.hpp>

#include <algorithm>

namespace trackd {

namespace {

/// With one place to come back to, the last `*`: no pattern takes more than pattern times text.
bool fits(std::string_view pattern, std::string_view text) noexcept {
    constexpr auto none = std::string_view::npos;
    std::size_t p = 0;
    std::size_t t = 0;
    std::size_t star = none;
    std::size_t resume = 0; // where in the text, if what stands behind the star does not fit
    while (t < text.size()) {
        if (p < pattern.size() && pattern[p] == '*') {
            star = p++;
            resume = t;
        } else if (p < pattern.size() && pattern[p] == text[t]) {
            ++p;
            ++t;
        } else if (star != none) {
            p = star + 1;
            t = ++resume;
        } else {
            return false;
        }
    }
    return pattern.find_first_not_of('*', p) == none;
}

bool any_fits(const std::vector<std::string>& all, std::string_view text) noexcept {
    return std::ranges::any_of(all, [text](const std::string& pattern) { return fits(pattern, text); });
}

} // namespace

patterns::patterns(const std::vector<std::string>& all) {
    for (const auto& pattern : all) {
        if (pattern.starts_with('!'))
            unwanted_.push_back(pattern.substr(1));
        else
            wanted_.push_back(pattern);
    }
}

bool patterns::wants(std::string_view attribute) const noexcept {
    return (wanted_.empty() || any_fits(wanted_, attribute)) && !any_fits(unwanted_, attribute);
}

} // namespace trackd
