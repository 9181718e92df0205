// What browsers ask before they let a script of one site talk to another, and need to hear with every answer: CORS, of
// the Fetch standard.
#pragma once

#include "http/request.hpp"
#include "http/response.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace trackd::http {

/// Whose scripts may send requests, and read the answers. Without origins CORS is off.
struct cors_policy {
    std::vector<std::string> origins; ///< in lower case; `*`: any

    [[nodiscard]] bool allows(std::string_view origin) const noexcept;
};

/// Whether it is a browser's own question before a script's request. A webhook's handshake, which is an OPTIONS, too,
/// is not one.
[[nodiscard]] bool is_preflight(const request& req) noexcept;

/// The answer to that question, but for what `add_cors` adds to every answer.
void answer_preflight(const request& req, response& res);

/// Adds what lets the browser show the answer to the script, if the request came from a browser.
void add_cors(const cors_policy& policy, const request& req, response& res);

} // namespace trackd::http
