#include "intake/answers.hpp"

#include <trackd/error.hpp>

namespace trackd::intake {

using http::status;

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

failure_meaning meaning_of(boost::system::error_code failed) noexcept {
    if (failed == errc::sealed)
        return {
            .code = status::service_unavailable,
            .slug = "shutting-down",
            .detail = "the daemon is shutting down; nothing was stored",
            .close = true,
        };
    if (failed == errc::too_large)
        return {
            .code = status::payload_too_large,
            .slug = "batch-too-large",
            .detail = "the events are more than the whole backlog may hold; send them in several requests. "
                      "Nothing was stored",
        };
    if (failed == errc::not_confirmed)
        return {
            .code = status::service_unavailable,
            .slug = "not-confirmed",
            .detail = "stored, not yet confirmed: the events will be delivered, but not every sink had them "
                      "in time",
        };
    failure_meaning meaning{.code = status::service_unavailable, .slug = {}, .detail = {}, .retry = true};
    if (failed == no_room_for_body) {
        meaning.slug = meaning_of(refusal_kind::bodies_full).slug;
        meaning.detail =
            "there is no room for the decoded body beside those that are being read; nothing was "
            "stored";
    } else if (failed == errc::journal_full) {
        meaning.slug = "journal-full";
        meaning.detail = "the journal's disk has no room; nothing was stored";
    } else if (failed == errc::journal_failed) {
        meaning.slug = "journal-failed";
        meaning.detail = "the journal's disk failed: the events may be stored, or not; post them again with "
                         "the same ids";
    } else if (failed == errc::journal_slow) {
        meaning.slug = "journal-slow";
        meaning.detail = "the journal's disk did not answer in time: the events may be stored, or not; post "
                         "them again with the same ids";
    } else {
        meaning.slug = "backlog-full";
        meaning.detail = "the backlog is full; nothing was stored";
    }
    return meaning;
}

void answer_problem(http::response& res, const refusal& refused) {
    const auto [code, slug] = meaning_of(refused.kind);
    res.problem(code, slug, refused.detail);
    if (refused.kind == refusal_kind::unsupported_encoding)
        res.add_header("Accept-Encoding", "gzip, deflate, zstd");
}

void answer_problem(http::response& res, boost::system::error_code failed, std::chrono::seconds retry_after) {
    const auto meaning = meaning_of(failed);
    if (meaning.retry)
        res.unavailable(meaning.slug, meaning.detail, retry_after);
    else
        res.problem(meaning.code, meaning.slug, meaning.detail);
    res.close = meaning.close;
}

} // namespace trackd::intake
