#include "intake/native_endpoint.hpp"

#include "base/json_text.hpp"
#include "http/query.hpp"
#include "intake/answers.hpp"
#include "intake/decode.hpp"
#include "intake/request_fields.hpp"
#include "intake/text.hpp"
#include "intake/webhook_handshake.hpp"

#include <string>
#include <utility>

namespace trackd::intake {

namespace {

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

native_endpoint::native_endpoint(
    lane& lane, body_decoder& decoder, counters& counts, event_reader_options options
)
    : admission_{lane, decoder, counts}, clients_{options.record_client}, reader_{std::move(options)} {}

void native_endpoint::add_routes(http::router& router) {
    const auto respond_here = [this](const http::request& req, http::response& res) {
        return respond(req, res);
    };
    const auto respond_to_options = [](const http::request& req, http::response& res) -> http::pending {
        answer_options(req, res);
        return std::nullopt;
    };
    constexpr const char* patterns[] = {"/events", "/events/{type}", "/"};
    for (const auto* pattern : patterns)
        router.add(http::verb::post, pattern, respond_here);
    for (const auto* pattern : patterns)
        router.add(http::verb::options, pattern, respond_to_options);
}

http::pending native_endpoint::respond(const http::request& req, http::response& res) {
    const auto dry_run = http::find_parameter(req.query, "dry_run");
    if (!dry_run || dry_run == "0") return admission_.take(req, res, *this);
    if (dry_run == "1") {
        admission_.check(req, res, *this, [&res](const new_events& valid) {
            res.json(http::status::ok, R"({"accepted":0,"valid":)" + std::to_string(valid.size()) + '}');
        });
    } else { // who misspells it does not want them stored
        answer_problem(
            res, refusal{refusal_kind::invalid_query, "dry_run is " + quoted(*dry_run) + "; expected 1, or 0"}
        );
    }
    return std::nullopt;
}

std::optional<refusal>
native_endpoint::read(const http::request& req, const key* caller, std::string_view body, batch& events) {
    const auto own = find_own_fields(req);
    std::string tracestate;
    auto facts = facts_of(req, own, caller, tracestate);
    facts.content_type = req.header(http::field::content_type);
    facts.idempotency_key = own.idempotency_key;
    facts.client = clients_.of(req);

    std::string path_type;
    if (auto refused = check_idempotency_key(facts.idempotency_key)) return refused;
    if (!req.parameter.empty()) {
        if (auto refused = decode_path_type(req.parameter, path_type)) return refused;
        facts.path_type = path_type;
    }
    if (own.cloudevent_binary && !is_cloudevents(facts.content_type))
        return read_binary(req, facts, body, events);
    return reader_.read(facts, body, events);
}

// The attributes in the header, and the body as the data.
std::optional<refusal> native_endpoint::read_binary(
    const http::request& req, const request_facts& facts, std::string_view body, batch& events
) {
    event_view event;
    event.time = facts.received_at;
    if (auto refused = cloudevent_headers_.read(req, facts.path_type, event)) return refused;
    return reader_.read_as_data(facts, event, body, events);
}

void native_endpoint::accept(const http::request& req, http::response& res, const new_events& added) {
    const bool with_ids = wants_representation(req);
    res.json(http::status::created, R"({"accepted":)");
    auto& body = res.body;
    body += std::to_string(added.size());
    if (with_ids) {
        char separator = '[';
        body += R"(,"ids":)";
        for (const auto event : added) {
            body += std::exchange(separator, ',');
            base::append_json_string(body, event.id);
        }
        body += ']';
        res.add_header("Preference-Applied", "return=representation");
    }
    body += '}';
}

} // namespace trackd::intake
