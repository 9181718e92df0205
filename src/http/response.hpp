// One HTTP answer, as its handler fills it in.
#pragma once

#include <boost/beast/http/status.hpp>

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace trackd::http {

using boost::beast::http::status;

/// Filled in by a handler, reused from request to request by the connection. The connection adds `Date`,
/// `Content-Length`, and `Connection: close` where it must.
struct response {
    status code = status::ok;
    std::string_view content_type; ///< a literal; empty: no such header
    std::string headers;           ///< further header lines, each ending in CRLF
    std::string body;
    bool close = false; ///< close the connection after this answer

    void clear();

    /// Appends `name: value CRLF` to `headers`. The value must not come from a client without a check: CR, LF
    /// and NUL are replaced by spaces.
    void add_header(std::string_view name, std::string_view value);

    void json(status what, std::string_view text);
    void text(status what, std::string_view text);

    /// An error in the form of RFC 9457, `application/problem+json`.
    /// @param slug   a short stable name for programs, the last part of `type`: "invalid-json"
    /// @param detail one sentence for people: what, where, and what was expected. Escaped as JSON text
    /// demands.
    void problem(status what, std::string_view slug, std::string_view detail);

    /// 503 with Retry-After.
    void unavailable(std::string_view slug, std::string_view detail, std::chrono::seconds retry_after);
};

} // namespace trackd::http
