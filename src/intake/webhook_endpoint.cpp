#include "intake/webhook_endpoint.hpp"

#include "base/json_text.hpp"
#include "http/query.hpp"
#include "intake/body_format.hpp"
#include "intake/client_answers.hpp"
#include "intake/json_body.hpp"
#include "intake/media_type.hpp"
#include "intake/multipart.hpp"
#include "intake/request_fields.hpp"
#include "intake/text.hpp"
#include "intake/webhook_headers.hpp"

#include <utility>

namespace trackd::intake {

namespace {

/// Some say that JSON is a form.
bool looks_like_json(std::string_view body) noexcept {
    const auto text = trimmed(without_byte_order_mark(body));
    return text.starts_with('{') || text.starts_with('[');
}

refusal no_fields() {
    return {
        refusal_kind::empty_body, "there are no fields; expected at least one, or a JSON object or array"
    };
}

} // namespace

webhook_endpoint::webhook_endpoint(
    lane& lane, body_decoder& decoder, counters& counts, event_reader_options options
)
    : admission_{lane, decoder, counts}, options_{std::move(options)} {}

void webhook_endpoint::add_routes(http::router& router) {
    for (const auto method : {http::verb::post, http::verb::get})
        router.add(
            method, "/v1/webhook",
            [this](const http::request& req, http::response& res) {
                return admission_.take(req, res, *this);
            },
            http::access::known, say_to_rudderstack
        );
}

std::optional<refusal>
webhook_endpoint::read(const http::request& req, const key* caller, std::string_view body, batch& events) {
    if (req.method == http::verb::head) return std::nullopt; // asks about it, and sends nothing
    std::string tracestate;
    const auto own = find_own_fields(req);
    auto facts = facts_of(req, own, caller, tracestate);
    facts.client = clients_.of(req);
    if (auto refused = check_idempotency_key(own.idempotency_key)) return refused;
    facts.idempotency_key = own.idempotency_key.empty() ? delivery_id_of(req) : own.idempotency_key;
    event_view event;
    event.time = req.received_at;
    event.type = event_name_of(req);
    if (event.type.empty()) event.type = "webhook";
    event.datacontenttype = "application/json";
    event.kind = data_kind::json;
    const auto content_type = req.header(http::field::content_type);
    const media_type type{content_type};
    auto refused = [&] {
        if (req.method == http::verb::get) return read_fields(req.query, facts, event, events);
        if (looks_like_json(body)) return read_json(body, facts, event, events);
        if (type.is("multipart/form-data")) return read_parts(content_type, body, facts, event, events);
        if (type.is("application/x-www-form-urlencoded")) return read_fields(body, facts, event, events);
        return read_json(body, facts, event, events);
    }();
    document_.release();
    return refused;
}

std::optional<refusal> webhook_endpoint::read_fields(
    std::string_view fields, const request_facts& facts, const event_view& event, batch& events
) {
    auto given = http::parameters_of(fields);
    given.erase("writeKey"); // is for us
    if (given.empty()) return no_fields();
    http::write_object(given, fields_);
    return append(event, fields_, facts, std::nullopt, events);
}

std::optional<refusal> webhook_endpoint::read_parts(
    std::string_view content_type, std::string_view body, const request_facts& facts, const event_view& event,
    batch& events
) {
    auto given = read_multipart(content_type, body);
    if (!given)
        return refusal{
            refusal_kind::invalid_json,
            "the body is no sound multipart/form-data; expected parts between the boundary of Content-Type"
        };
    given->erase("writeKey"); // is for us
    if (given->empty()) return no_fields();
    fields_ = "{";
    for (const auto& [name, json] : *given) {
        if (fields_.size() > 1) fields_ += ',';
        base::append_json_string(fields_, name);
        fields_.append(":").append(json);
    }
    fields_ += '}';
    return append(event, fields_, facts, std::nullopt, events);
}

std::optional<refusal> webhook_endpoint::read_json(
    std::string_view body, const request_facts& facts, const event_view& event, batch& events
) {
    const auto text = without_byte_order_mark(body);
    if (!trimmed(text).starts_with('[')) {
        if (auto refused = parse_object(body, document_)) return refused;
        return append(event, trimmed(text), facts, std::nullopt, events);
    }
    if (auto fault = document_.parse(text)) {
        fault->offset += body.size() - text.size();
        return invalid_json(*fault, body);
    }
    return read_array(facts, event, events);
}

// An event for each element, as services send that gather what they have to say.
std::optional<refusal>
webhook_endpoint::read_array(const request_facts& facts, const event_view& event, batch& events) {
    auto at = document_.root();
    std::size_t index = 0;
    for (bool more = at.enter(); more; more = at.next(), ++index) {
        if (index == options_.max_batch_events)
            return refusal{
                refusal_kind::batch_too_large,
                "the array has more than " + std::to_string(options_.max_batch_events) +
                    " objects; send it in several requests. Nothing was stored",
                limit::max_batch_events
            };
        if (const auto kind = at.kind(); kind != json_kind::object)
            return refusal{
                refusal_kind::unexpected_json, "element [" + std::to_string(index) + "] is " +
                                                   std::string{with_article(kind)} + "; expected an object"
            };
        if (auto refused = append(event, at.value(), facts, index, events)) return refused;
    }
    if (index == 0)
        return refusal{refusal_kind::empty_batch, "the array is empty; expected at least one object"};
    return std::nullopt;
}

std::optional<refusal> webhook_endpoint::append(
    event_view event, std::string_view data, const request_facts& facts, std::optional<std::size_t> index,
    batch& events
) {
    event.data = data;
    return completion_.append(event, facts, index, events);
}

void webhook_endpoint::accept(const http::request&, http::response& res, const new_events&) {
    res.text(http::status::ok, "ok");
}

} // namespace trackd::intake
