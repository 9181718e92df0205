// The header field `Authorization`, as far as a key can stand in it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace trackd::http {

struct credentials {
    enum class scheme : std::uint8_t { basic, bearer, other };

    scheme by = scheme::other;
    std::string_view
        key; ///< the user name of `Basic` (with its colon or without), the token of `Bearer`; may be empty
};

/// @param value of the field; empty: it is not there
/// @param room  gets what has to be decoded
/// @return views into both. What cannot be read has no key
[[nodiscard]] credentials read_authorization(std::string_view value, std::string& room);

} // namespace trackd::http
