#include "config/statuses.hpp"

#include <algorithm>

namespace trackd::config {

bool names_status(std::string_view text) noexcept {
    if (text.size() != 3 || text.front() < '2' || text.front() > '5') return false;
    return is_class(text) || std::ranges::all_of(text.substr(1), [](char c) { return c >= '0' && c <= '9'; });
}

} // namespace trackd::config
