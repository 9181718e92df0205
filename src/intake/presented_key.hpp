// Where in a request's head a key may stand.
#pragma once

#include "http/request.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace trackd::intake {

/// Finds the first of: `Authorization: Bearer KEY`; the user name of `Authorization: Basic`; `X-Api-Key: KEY`; `key`,
/// `writeKey` and `access_token` in the query. Another kind of Authorization is passed over.
/// @param room for what has to be decoded
/// @return a view into the request or `room`, not empty; nothing if there is none
[[nodiscard]] std::optional<std::string_view> presented_key(const http::request& req, std::string& room);

} // namespace trackd::intake
