#include "intake/key_guard.hpp"

#include "intake/presented_key.hpp"
#include "intake/text.hpp"

#include <chrono>
#include <string>
#include <utility>

namespace trackd::intake {

namespace {

using http::status;

void refuse_unknown(http::response& res, std::string_view detail) {
    res.add_header("WWW-Authenticate", R"(Bearer realm="trackd")");
    res.problem(status::unauthorized, "unauthorized", detail);
}

void refuse_rate(
    http::response& res, const key& caller, std::string_view of_what, std::uint64_t limit,
    std::chrono::seconds retry_after
) {
    std::string detail = "the key " + caller.name() + " may send ";
    detail.append(std::to_string(limit)).append(" ").append(of_what);
    const auto seconds = std::to_string(retry_after.count());
    res.add_header("Retry-After", seconds);
    res.add_header("X-RateLimit-Reset", seconds);
    res.problem(status::too_many_requests, "rate-limited", detail.append(" a second; nothing was stored"));
}

bool admit_bytes(const key& caller, std::uint64_t count, http::response& res, limit_counters& limits) {
    const auto wait = caller.take_bytes(count);
    if (!wait) return true;
    limits.add(limit::key_bytes_per_second);
    refuse_rate(res, caller, "bytes", caller.options().bytes_per_second, *wait);
    return false;
}

/// @param found null: there is no such key
/// @return null, and the answer, where it may not go on
std::shared_ptr<const key> admit(
    std::shared_ptr<const key> found, const http::request& req, http::response& res, limit_counters& limits
) {
    if (!found) {
        limits.add(limit::key_unknown);
        refuse_unknown(res, "the key of this request is not known here");
    } else if (const auto origin = req.header(http::field::origin); !found->allows_origin(origin)) {
        limits.add(limit::key_origins);
        res.problem(
            status::forbidden, "origin-not-allowed",
            "the key " + found->name() + " may not be used by web pages of " + quoted(origin)
        );
        res.caller = std::exchange(found, nullptr);
    }
    return found;
}

// Of somebody who may name himself in the body: as much as the libraries that do so put into one request.
constexpr std::uint64_t most_nameless_bytes = 512U * 1024U;

bool admit_nameless(std::uint64_t body_bytes, http::response& res, limit_counters& limits) {
    if (body_bytes <= most_nameless_bytes) return true;
    limits.add(limit::nameless_bytes);
    res.problem(
        status::payload_too_large, "body-too-large",
        "the body has more than " + std::to_string(most_nameless_bytes) +
            " bytes, and the key is not in the request's head; send the key there, or less at a time"
    );
    return false;
}

constexpr std::string_view no_key =
    "this request has no key; expected Authorization: Bearer KEY, or the key as the "
    "user name of Authorization: Basic, or X-Api-Key: KEY, or ?key=KEY";

} // namespace

bool key_guard::is_on() noexcept {
    if (!shared_.is(held_.get())) {
        held_ = shared_.get();
        memo_.clear();
    }
    return held_ != nullptr;
}

// Requests that are refused afterwards count, too: their clients still have this key.
std::shared_ptr<const key> key_guard::find_key(std::string_view text, const http::request& req) {
    auto found = memo_.find(*held_, text);
    if (found) found.use->record(req.received_at);
    return std::move(found.owner);
}

bool key_guard::admit_head(
    http::request& req, std::optional<std::uint64_t> body_bytes, http::access wanted, http::response& res
) {
    const bool may_come_late = wanted == http::access::late;
    const auto shown = presented_key(req, room_);
    if (!shown) {
        if (may_come_late) return admit_nameless(body_bytes.value_or(0), res, limits_);
        limits_.add(limit::key_missing);
        refuse_unknown(res, no_key);
        return false;
    }
    auto found = find_key(shown->text, req);
    if (!found && may_come_late && shown->is_bearer)
        return admit_nameless(body_bytes.value_or(0), res, limits_);
    auto caller = admit(std::move(found), req, res, limits_);
    // Of a body of unknown size only that it may have one: who is in debt need not send it.
    if (!caller) return false;
    const bool is_admitted = admit_bytes(*caller, body_bytes.value_or(0), res, limits_);
    (is_admitted ? req.caller : res.caller) = std::move(caller);
    return is_admitted;
}

bool key_guard::admit_body(const http::request& req, http::response& res) {
    return admit_bytes(*caller_of(req), req.body.size(), res, limits_);
}

bool key_guard::admit_text(
    std::string_view text, const http::request& req, http::response& res, std::shared_ptr<const key>& caller
) {
    if (!is_on()) return true;
    if (text.empty()) {
        limits_.add(limit::key_missing);
        refuse_unknown(res, no_key);
        return false;
    }
    if (!admit_nameless(req.body.size(), res, limits_))
        return false; // nobody knew that while it came in chunks
    caller = admit(find_key(text, req), req, res, limits_);
    return caller && admit_bytes(*caller, req.body.size(), res, limits_);
}

bool admit_events(
    const key* caller, const batch& events, batch::mark since, http::response& res, limit_counters& limits
) {
    if (caller == nullptr) return true;
    std::size_t index = 0;
    if (!caller->options().sources.empty()) {
        for (batch::iterator at{events.encoded().data() + since.bytes}; at != events.end(); ++at, ++index) {
            const auto source = (*at).source;
            if (caller->allows_source(source)) continue;
            limits.add(limit::key_sources);
            res.problem(
                status::forbidden, "source-not-allowed",
                "event [" + std::to_string(index) + "]: the key " + caller->name() +
                    " may not send events of the source " + quoted(source) + "; nothing was stored"
            );
            return false;
        }
    }
    const auto wait = caller->take_events(events.events() - since.events);
    if (!wait) return true;
    limits.add(limit::key_events_per_second);
    refuse_rate(res, *caller, "events", caller->options().events_per_second, *wait);
    return false;
}

} // namespace trackd::intake
