// Which handler answers which method and path.
#pragma once

#include "http/request.hpp"
#include "http/response.hpp"
#include "http/task.hpp"

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace trackd::http {

/// What a handler has left to do when it returns: nothing (the response is filled in), or work to wait for,
/// after which it is. Request and response stay in place until then.
using pending = std::optional<task<void>>;

using handler = std::function<pending(const request&, response&)>;

/// A table of routes. Built before the listener opens, then only read; one a thread, because handlers may
/// keep state of their thread.
///
/// It answers by itself: 404 for an unknown path, 405 with `Allow` for an unknown method of a known path,
/// `OPTIONS` (204 with `Allow`), `HEAD` where there is a `GET` (the connection leaves the body out), 501 for
/// a method that HTTP does not know.
class router {
public:
    /// @param pattern `/status`, `/events/{type}` or `/projects/{key}/settings`: one segment may stand for
    /// anything that is not empty and has no `/` in it
    void add(verb method, std::string pattern, handler respond);

    /// Answers the request, which gets its `parameter` set. Exceptions of a handler pass through.
    [[nodiscard]] pending route(request& req, response& res) const;

    /// Whether a handler would see this request. Where none would, a client that asks before it sends its
    /// body
    /// (`Expect: 100-continue`) is told so at once.
    [[nodiscard]] bool has_handler(const request& req) const noexcept { return find(req) != nullptr; }

private:
    struct entry {
        verb method;
        std::string pattern; ///< without what follows from the `{` on where `open_ended`
        std::string ending;  ///< what follows the `}`
        bool open_ended;     ///< has a `{name}`
        handler respond;

        [[nodiscard]] bool matches(std::string_view path) const noexcept;
        [[nodiscard]] std::string_view parameter_in(std::string_view path) const noexcept;
    };

    [[nodiscard]] const entry* find(const request& req) const noexcept;
    void answer_without_handler(const request& req, response& res) const;
    [[nodiscard]] std::string allowed_methods(std::string_view path) const;

    std::vector<entry> entries_;
};

} // namespace trackd::http
