// One HTTP answer, as its handler fills it in.
#pragma once

#include <boost/beast/http/status.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace trackd::http {

using boost::beast::http::status;

class request;
struct response;

/// Writes an error into an answer, in a form of its own, and may choose another status. The fields that were added
/// before belong to the error: it may drop them.
using error_form = void (*)(
    const request& asked, response& res, status what, std::string_view slug, std::string_view detail
);

/// Filled in by a handler, reused from request to request by the connection. The connection adds `Date`,
/// `Content-Length`, and `Connection: close` where it must.
struct response {
    status code = status::ok;
    std::string_view content_type; ///< a literal; empty: no such header
    std::string headers;           ///< further header lines, each ending in CRLF
    std::string body;
    bool close = false;    ///< close the connection after this answer
    std::size_t route = 0; ///< whose answer this is: the router's number of it; 0: no route's
    std::shared_ptr<const void>
        caller; ///< who it is, where only the handler found out, or the guard refused it

    /// All but the route, and its form of errors.
    void clear();

    /// How `problem` says errors to who asked this.
    /// @param form null: as RFC 9457 has it
    /// @param asked outlives the answer
    void say_errors_in(error_form form, const request& asked) noexcept {
        form_ = form;
        asked_ = &asked;
    }

    /// Whether that is as RFC 9457 has it, whoever asked.
    [[nodiscard]] bool says_errors_plainly() const noexcept { return form_ == nullptr; }

    /// Appends `name: value CRLF` to `headers`. The value must not come from a client without a check: CR, LF
    /// and NUL are replaced by spaces.
    void add_header(std::string_view name, std::string_view value);

    void json(status what, std::string_view text);
    void text(status what, std::string_view text);

    /// An error in the form of RFC 9457, `application/problem+json`, unless the route has another.
    /// @param slug   a literal: a short stable name for programs, the last part of `type`: "invalid-json"
    /// @param detail one sentence for people: what, where, and what was expected. Escaped as JSON text
    /// demands.
    void problem(status what, std::string_view slug, std::string_view detail);

    /// What `problem` was given, in whatever form it was said. The slug is empty where the answer says no problem.
    [[nodiscard]] std::string_view problem_slug() const noexcept { return problem_slug_; }

    [[nodiscard]] std::string_view problem_detail() const noexcept { return problem_detail_; }

    /// 503 with Retry-After.
    void unavailable(std::string_view slug, std::string_view detail, std::chrono::seconds retry_after);

private:
    std::string_view problem_slug_; // a literal
    std::string problem_detail_;
    error_form form_ = nullptr;
    const request* asked_ = nullptr;
};

} // namespace trackd::http
