// Where in a request's head a key may stand.
#pragma once

#include "http/request.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace trackd::intake {

struct shown_key {
    std::string_view text;  ///< a view into the request or the room, not empty
    bool is_bearer = false; ///< it may as well be a token of OAuth
};

/// Finds the first of: `Authorization: Bearer KEY`; the user name of `Authorization: Basic`; `X-Api-Key: KEY`; `key`,
/// `writeKey` and `access_token` in the query. Another kind of Authorization is passed over.
/// @param room for what has to be decoded
/// @return nothing if there is none
[[nodiscard]] std::optional<shown_key> presented_key(const http::request& req, std::string& room);

} // namespace trackd::intake
