#include "intake/webhook_endpoint.hpp"

#include "http/query.hpp"
#include "intake/body_format.hpp"
#include "intake/client_answers.hpp"
#include "intake/json_body.hpp"
#include "intake/media_type.hpp"
#include "intake/request_fields.hpp"
#include "intake/text.hpp"

#include <utility>

namespace trackd::intake {

namespace {

/// Some say that JSON is a form.
bool is_form(const http::request& req, std::string_view body) noexcept {
    const media_type type{req.header(http::field::content_type)};
    return type.is("application/x-www-form-urlencoded") && !trimmed(body).starts_with('{');
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
    auto facts = facts_of(req, find_own_fields(req), caller, tracestate);
    facts.client = clients_.of(req);
    event_view event;
    event.time = req.received_at;
    event.type = "webhook";
    event.datacontenttype = "application/json";
    event.kind = data_kind::json;
    const bool in_query = req.method == http::verb::get;
    auto refused = in_query || is_form(req, body) ? read_fields(in_query ? req.query : body, event.data)
                                                  : read_object(body, event.data);
    if (!refused) refused = completion_.append(event, facts, std::nullopt, events);
    document_.release();
    return refused;
}

std::optional<refusal> webhook_endpoint::read_fields(std::string_view fields, std::string_view& data) {
    auto given = http::parameters_of(fields);
    given.erase("writeKey"); // is for us
    if (given.empty())
        return refusal{
            refusal_kind::empty_body, "there are no fields; expected at least one, or a JSON object"
        };
    http::write_object(given, fields_);
    data = fields_;
    return std::nullopt;
}

std::optional<refusal> webhook_endpoint::read_object(std::string_view body, std::string_view& data) {
    if (auto refused = parse_object(body, document_)) return refused;
    data = trimmed(without_byte_order_mark(body));
    return std::nullopt;
}

void webhook_endpoint::accept(const http::request&, http::response& res, const new_events&) {
    res.text(http::status::ok, "ok");
}

} // namespace trackd::intake
