#include "intake/answers.hpp"

#include <trackd/error.hpp>

#include <algorithm>
#include <string_view>

namespace trackd::intake {

using http::status;

namespace {

/// A status, and a short stable name for programs.
struct refusal_meaning {
    status code;
    std::string_view slug;
};

refusal_meaning meaning_of(refusal_kind kind) noexcept {
    switch (kind) {
    case refusal_kind::empty_body: return {status::bad_request, "empty-body"};
    case refusal_kind::invalid_json: return {status::bad_request, "invalid-json"};
    case refusal_kind::unexpected_json: return {status::bad_request, "unexpected-json"};
    case refusal_kind::empty_batch: return {status::bad_request, "empty-batch"};
    case refusal_kind::no_user: return {status::bad_request, "no-user"};
    case refusal_kind::invalid_event: return {status::unprocessable_entity, "invalid-event"};
    case refusal_kind::invalid_path_type: return {status::bad_request, "invalid-path-type"};
    case refusal_kind::invalid_idempotency_key: return {status::bad_request, "invalid-idempotency-key"};
    case refusal_kind::invalid_query: return {status::bad_request, "invalid-query"};
    case refusal_kind::invalid_header: return {status::bad_request, "invalid-header"};
    case refusal_kind::event_too_large: return {status::payload_too_large, "event-too-large"};
    case refusal_kind::batch_too_large: return {status::payload_too_large, "batch-too-large"};
    case refusal_kind::unsupported_media_type:
        return {status::unsupported_media_type, "unsupported-media-type"};
    case refusal_kind::unsupported_encoding: return {status::unsupported_media_type, "unsupported-encoding"};
    case refusal_kind::invalid_encoding: return {status::bad_request, "invalid-encoding"};
    case refusal_kind::body_too_large: return {status::payload_too_large, "body-too-large"};
    case refusal_kind::bodies_full: return {status::service_unavailable, "bodies-full"};
    }
    return {status::internal_server_error, "internal-error"};
}

/// And a sentence for people, which says what became of the events.
struct failure_meaning {
    status code;
    std::string_view slug;
    std::string_view detail;
};

failure_meaning meaning_of(boost::system::error_code failed) noexcept {
    using enum status;
    if (failed == errc::sealed)
        return {service_unavailable, "shutting-down", "the daemon is shutting down; nothing was stored"};
    if (failed == errc::too_large)
        return {
            payload_too_large, "batch-too-large",
            "the events are more than the whole backlog may hold; send them in several requests. Nothing was "
            "stored"
        };
    if (failed == errc::not_confirmed)
        return {
            service_unavailable, "not-confirmed",
            "stored, not yet confirmed: the events will be delivered, but not every sink had them in time"
        };
    if (failed == errc::journal_full)
        return {service_unavailable, "journal-full", "the journal's disk has no room; nothing was stored"};
    if (failed == errc::journal_failed)
        return {
            service_unavailable, "journal-failed",
            "the journal's disk failed: the events may be stored, or not; post them again with the same ids"
        };
    if (failed == errc::journal_slow)
        return {
            service_unavailable, "journal-slow",
            "the journal's disk did not answer in time: the events may be stored, or not; post them again "
            "with "
            "the same ids"
        };
    return {service_unavailable, "backlog-full", "the backlog is full; nothing was stored"};
}

} // namespace

void answer_problem(http::response& res, const refusal& refused) {
    const auto [code, slug] = meaning_of(refused.kind);
    if (refused.kind == refusal_kind::unsupported_encoding)
        res.add_header("Accept-Encoding", "gzip, deflate, zstd");
    if (code == status::service_unavailable) // which is no fault of the body
        res.unavailable(slug, refused.detail + "; nothing was stored", std::chrono::seconds{1});
    else
        res.problem(code, slug, refused.detail);
}

void answer_problem(http::response& res, boost::system::error_code failed, std::chrono::seconds retry_after) {
    const auto [code, slug, detail] = meaning_of(failed);
    if (code == status::service_unavailable) // without a time, or with 0, some clients come back at once
        res.unavailable(slug, detail, std::max(retry_after, std::chrono::seconds{1}));
    else
        res.problem(code, slug, detail);
    res.close = failed == errc::sealed; // the next one may be taken on another connection
}

} // namespace trackd::intake
