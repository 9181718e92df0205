// Which handler answers which method and path.
#pragma once

#include "http/cors.hpp"
#include "http/guard.hpp"
#include "http/pending.hpp"
#include "http/rejection.hpp"
#include "http/request.hpp"
#include "http/response.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace trackd::http {

using handler = std::function<pending(const request&, response&)>;

/// A table of routes. Built before the listener opens, then only read; one a thread, because handlers may
/// keep state of their thread.
///
/// A path is taken by its segments: slashes that are doubled, or at its end, do not matter, as many clients put their
/// path behind a base URL of whatever ending. The spelling without them is found first.
///
/// It answers by itself: preflights of browsers that the CORS policy allows, 404 for an unknown path, 405 with
/// `Allow` for an unknown method of a known path, `OPTIONS` (204 with `Allow`), `HEAD` where there is a `GET` (the
/// connection leaves the body out), 501 for a method that HTTP does not know.
class router {
public:
    /// @param pattern `/status`, `/events/{type}` or `/projects/{key}/settings`: one segment may stand for
    /// anything that is not empty and has no `/` in it
    /// @param wanted  whom the guard has to know first
    /// @param errors  how all errors are said once the route is known, those of HTTP and the guard, too; null: as
    /// RFC 9457 has it
    void
    add(verb method, std::string pattern, handler respond, access wanted = access::known,
        error_form errors = nullptr);

    /// How errors are said where no handler is found, and the path begins like this. A route of the path with `POST` goes
    /// before.
    /// @param prefix `/v1/`
    void say_errors_below(std::string prefix, error_form errors);

    /// Asks this one from now on. Without it, everybody is let in.
    void set_guard(std::shared_ptr<guard> who) { guard_ = std::move(who); }

    /// Shows this one every answer that says an error.
    void set_rejection_observer(std::shared_ptr<rejection_observer> observer) {
        rejections_ = std::move(observer);
    }

    /// The answer is final, and says an error.
    void report_rejection(const request& asked, const response& said) const {
        if (rejections_ != nullptr) rejections_->on_rejected(asked, said, patterns_[said.route]);
    }

    /// Whose scripts may read the answers: nobody's, until this says otherwise.
    void set_cors(cors_policy policy) { cors_ = std::move(policy); }

    [[nodiscard]] const cors_policy& cors() const noexcept { return cors_; }

    /// Has the guard judge a request's head, if there is a handler that it stands before.
    /// @return whether the request may go on; otherwise `res` is the answer
    [[nodiscard]] bool
    admit_head(request& req, std::optional<std::uint64_t> body_bytes, response& res) const {
        return guard_ == nullptr || !guard_->is_on() || ask_guard(req, body_bytes, res);
    }

    /// The same for a body that came without its size.
    [[nodiscard]] bool admit_body(const request& req, response& res) const {
        return req.caller == nullptr || guard_->admit_body(req, res);
    }

    /// Has the answer say errors as the request's route does, and count as its own. `admit_head` and `route` do so by
    /// themselves.
    void choose_form(const request& req, response& res) const { choose_form(find(req), req, res); }

    /// The patterns of all routes, each once, by the numbers that answers have: see `response::route`. The first one
    /// stands for no route: `none`.
    [[nodiscard]] const std::vector<std::string>& patterns() const noexcept { return patterns_; }

    /// Answers the request, which gets its `parameter` set. Exceptions of a handler pass through.
    [[nodiscard]] pending route(request& req, response& res) const;

    /// Whether a handler would see this request. Where none would, a client that asks before it sends its
    /// body
    /// (`Expect: 100-continue`) is told so at once.
    [[nodiscard]] bool has_handler(const request& req) const noexcept { return find(req) != nullptr; }

private:
    struct entry {
        verb method;
        std::size_t number;  ///< of the route
        std::string pattern; ///< without what follows from the `{` on where `open_ended`
        std::string ending;  ///< what follows the `}`
        bool open_ended;     ///< has a `{name}`
        handler respond;
        access wanted;
        error_form errors;

        [[nodiscard]] bool matches(std::string_view path) const noexcept;
        [[nodiscard]] bool matches_segments(std::string_view path) const noexcept;
        [[nodiscard]] std::string_view parameter_in(std::string_view path) const noexcept;
    };

    [[nodiscard]] bool answers_preflight(const request& req) const noexcept {
        return req.method == verb::options && is_preflight(req) && cors_.allows(req.header(field::origin));
    }

    using path_test = bool (entry::*)(std::string_view path) const noexcept;

    [[nodiscard]] const entry* find(const request& req) const noexcept;
    [[nodiscard]] const entry* find(const request& req, path_test matches) const noexcept;
    [[nodiscard]] error_form form_without_handler(std::string_view path) const noexcept;
    [[nodiscard]] std::size_t number_of(const std::string& pattern);
    void choose_form(const entry* found, const request& req, response& res) const noexcept;
    [[nodiscard]] bool ask_guard(request& req, std::optional<std::uint64_t> body_bytes, response& res) const;
    void answer_without_handler(const request& req, response& res) const;
    [[nodiscard]] std::string allowed_methods(std::string_view path) const;

    std::vector<entry> entries_;
    std::vector<std::string> patterns_{"none"};
    std::vector<std::pair<std::string, error_form>> forms_; // by the beginnings of paths
    std::shared_ptr<guard> guard_;
    std::shared_ptr<rejection_observer> rejections_;
    cors_policy cors_;
};

} // namespace trackd::http
