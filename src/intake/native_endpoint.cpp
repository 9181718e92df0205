#include "intake/native_endpoint.hpp"

#include "base/ascii.hpp"
#include "base/json_text.hpp"
#include "intake/decode.hpp"
#include "intake/key_guard.hpp"
#include "intake/text.hpp"

#include <trackd/error.hpp>

#include <algorithm>
#include <utility>

namespace trackd::intake {

namespace {

using http::status;

struct status_and_slug {
    status code;
    std::string_view slug;
};

status_and_slug answer_to(refusal_kind kind) noexcept {
    switch (kind) {
    case refusal_kind::empty_body: return {status::bad_request, "empty-body"};
    case refusal_kind::invalid_json: return {status::bad_request, "invalid-json"};
    case refusal_kind::unexpected_json: return {status::bad_request, "unexpected-json"};
    case refusal_kind::invalid_event: return {status::unprocessable_entity, "invalid-event"};
    case refusal_kind::invalid_path_type: return {status::bad_request, "invalid-path-type"};
    case refusal_kind::invalid_idempotency_key: return {status::bad_request, "invalid-idempotency-key"};
    case refusal_kind::event_too_large: return {status::payload_too_large, "event-too-large"};
    case refusal_kind::batch_too_large: return {status::payload_too_large, "batch-too-large"};
    case refusal_kind::unsupported_media_type:
        return {status::unsupported_media_type, "unsupported-media-type"};
    case refusal_kind::unsupported_encoding: return {status::unsupported_media_type, "unsupported-encoding"};
    }
    return {status::internal_server_error, "internal-error"};
}

void answer(http::response& res, const refusal& refused) {
    const auto [code, slug] = answer_to(refused.kind);
    res.problem(code, slug, refused.detail);
    if (refused.kind == refusal_kind::unsupported_encoding) res.add_header("Accept-Encoding", "identity");
}

void answer(http::response& res, boost::system::error_code refused, std::chrono::seconds retry_after) {
    if (refused == errc::sealed) {
        res.problem(
            status::service_unavailable, "shutting-down", "the daemon is shutting down; nothing was stored"
        );
        res.close = true;
    } else if (refused == errc::too_large) {
        res.problem(
            status::payload_too_large, "batch-too-large",
            "the events are more than the whole backlog may hold; send them in several requests. Nothing was "
            "stored"
        );
    } else if (refused == errc::not_confirmed) {
        res.problem(
            status::service_unavailable, "not-confirmed",
            "stored, not yet confirmed: the events will be delivered, but not every sink had them in time"
        );
    } else if (refused == errc::journal_full) {
        res.unavailable("journal-full", "the journal's disk has no room; nothing was stored", retry_after);
    } else if (refused == errc::journal_failed) {
        res.unavailable(
            "journal-failed",
            "the journal's disk failed: the events may be stored, or not; post them again with the same ids",
            retry_after
        );
    } else if (refused == errc::journal_slow) {
        res.unavailable(
            "journal-slow",
            "the journal's disk did not answer in time: the events may be stored, or not; post them again "
            "with the "
            "same ids",
            retry_after
        );
    } else {
        res.unavailable("backlog-full", "the backlog is full; nothing was stored", retry_after);
    }
}

std::optional<refusal> check_encoding(std::string_view content_encoding) {
    if (content_encoding.empty() || base::equal_ignoring_case(content_encoding, "identity"))
        return std::nullopt;
    return refusal{
        refusal_kind::unsupported_encoding,
        "Content-Encoding is " + quoted(content_encoding) + "; expected none: compressed bodies are not read"
    };
}

std::optional<refusal> check_idempotency_key(std::string_view key) {
    constexpr auto most = event_reader::max_idempotency_key_bytes;
    const bool visible = std::all_of(key.begin(), key.end(), [](char c) { return c > ' ' && c < '\x7f'; });
    if (key.size() <= most && visible) return std::nullopt;
    return refusal{
        refusal_kind::invalid_idempotency_key, "Idempotency-Key is " + quoted(key) + "; expected 1 to " +
                                                   std::to_string(most) + " visible ASCII characters"
    };
}

std::optional<refusal> decode_path_type(std::string_view segment, std::string& type) {
    const auto refuse = [](std::string why) {
        return refusal{refusal_kind::invalid_path_type, "the type in the path " + std::move(why)};
    };
    auto decoded = decode_percent(segment);
    if (!decoded) return refuse("is " + quoted(segment) + "; expected two hexadecimal digits after each %");
    if (decoded->find('\0') == std::string::npos && kind_of(*decoded) != data_kind::text)
        return refuse("is " + quoted(segment) + "; expected UTF-8");
    if (const auto fault = attribute_fault(*decoded)) return refuse(*fault);
    type = std::move(*decoded);
    return std::nullopt;
}

bool wants_representation(const http::request& req) noexcept {
    return !req.header(http::field::prefer).empty() && req.header_has("Prefer", "return=representation");
}

} // namespace

native_endpoint::native_endpoint(lane& lane, event_reader_options options)
    : lane_{lane}, reader_{std::move(options)} {}

void native_endpoint::add_routes(http::router& router) {
    const auto respond_here = [this](const http::request& req, http::response& res) {
        return respond(req, res);
    };
    for (const auto* pattern : {"/events", "/events/{type}", "/"})
        router.add(http::verb::post, pattern, respond_here);
}

http::pending native_endpoint::respond(const http::request& req, http::response& res) {
    const auto start = lane_.mark();
    if (const auto refused = read(req)) {
        answer(res, *refused);
        return std::nullopt;
    }

    const auto* caller = caller_of(req);
    const auto count = lane_.events().events() - start.events;
    if (!admit_events(caller, lane_.events(), start, res)) {
        lane_.drop(start);
        return std::nullopt;
    }

    const bool with_ids = wants_representation(req);
    try {
        write_answer(start, with_ids); // before they are admitted: afterwards they are the tracker's
    } catch (...) {
        lane_.drop(start);
        throw;
    }
    if (const auto refused = lane_.admit(start)) {
        if (caller != nullptr) caller->give_back_events(count);
        answer(res, refused, lane_.retry_after());
        return std::nullopt;
    }

    res.json(status::created, answer_);
    if (with_ids) res.add_header("Preference-Applied", "return=representation");
    if (lane_.waits_for_ack()) return confirm(res);
    return std::nullopt;
}

std::optional<refusal> native_endpoint::read(const http::request& req) {
    request_facts facts;
    facts.received_at = req.received_at;
    facts.content_type = req.header(http::field::content_type);
    facts.idempotency_key = req.header("Idempotency-Key");

    if (const auto* caller = caller_of(req)) facts.source = caller->name();

    std::string path_type;
    if (auto refused = check_encoding(req.header(http::field::content_encoding))) return refused;
    if (auto refused = check_idempotency_key(facts.idempotency_key)) return refused;
    if (!req.parameter.empty()) {
        if (auto refused = decode_path_type(req.parameter, path_type)) return refused;
        facts.path_type = path_type;
    }
    return reader_.read(facts, req.body, lane_.events());
}

http::task<void> native_endpoint::confirm(http::response& res) {
    if (const auto failed = co_await lane_.acknowledged()) {
        res.clear();
        answer(res, failed, lane_.retry_after());
    }
}

void native_endpoint::write_answer(batch::mark start, bool with_ids) {
    const auto& events = lane_.events();
    answer_ = R"({"accepted":)";
    answer_ += std::to_string(events.events() - start.events);
    if (with_ids) {
        char separator = '[';
        answer_ += R"(,"ids":)";
        for (batch::iterator at{events.encoded().data() + start.bytes}; at != events.end(); ++at) {
            answer_ += std::exchange(separator, ',');
            base::append_json_string(answer_, (*at).id);
        }
        answer_ += ']';
    }
    answer_ += '}';
}

} // namespace trackd::intake
