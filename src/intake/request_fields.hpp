// What a request's header fields say to the intake, before anybody looks at its body.
#pragma once

#include "http/request.hpp"
#include "intake/completion.hpp"
#include "intake/keys.hpp"
#include "intake/refusal.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace trackd::intake {

/// The fields that mean something here, and for whose names Beast has no number. All empty where not there.
struct own_fields {
    std::string_view idempotency_key;
    std::string_view traceparent;
    bool tracestate = false;        ///< there is at least one
    bool cloudevent_binary = false; ///< one of `ce-id`, `ce-source`, `ce-specversion`, `ce-type` is there
};

/// Finds them all in one walk, as nearly every request has none of them.
[[nodiscard]] own_fields find_own_fields(const http::request& req) noexcept;

/// What every format has to know of a request: its arrival, the source that its key stands for, and its trace.
/// @param caller null: nobody needs a key
/// @param tracestate gets what the facts have a view of
[[nodiscard]] request_facts
facts_of(const http::request& req, const own_fields& own, const key* caller, std::string& tracestate);

/// What stands behind `ce-` in the name of a field of a CloudEvent in the binary mode; else empty.
[[nodiscard]] std::string_view cloudevent_attribute(std::string_view field_name) noexcept;

/// Whether it can be an id: 1 to `max_idempotency_key_bytes` visible ASCII characters.
[[nodiscard]] bool is_idempotency_key(std::string_view key) noexcept;

/// The refusal of one that is there, and can be none.
[[nodiscard]] std::optional<refusal> check_idempotency_key(std::string_view key);

/// Whether a value of `traceparent` has the form of the W3C's Trace Context. One that has not is to be
/// ignored by those rules, and `tracestate` with it.
[[nodiscard]] bool is_traceparent(std::string_view text) noexcept;

/// The values of all `tracestate` fields as one; empty if that cannot be an attribute.
[[nodiscard]] std::string tracestate_of(const http::request& req);

} // namespace trackd::intake
