#include "intake/pixel_endpoint.hpp"

#include "http/query.hpp"
#include "intake/pixel.hpp"
#include "intake/presented_key.hpp"
#include "intake/request_fields.hpp"
#include "intake/text.hpp"

#include <string>
#include <utility>

namespace trackd::intake {

namespace {

/// Whether it can be an event's type. What can not is only data: there is nobody to tell.
bool can_be_type(std::string_view text) {
    return kind_of(text) == data_kind::text && !attribute_fault(text);
}

} // namespace

pixel_endpoint::pixel_endpoint(
    lane& lane, body_decoder& decoder, counters& counts, event_reader_options options, key_guard* guard
)
    : admission_{lane, decoder, counts}, guard_{guard}, options_{std::move(options)} {}

void pixel_endpoint::add_routes(http::router& router) {
    router.add(
        http::verb::get, "/pixel.gif",
        [this](const http::request& req, http::response& res) { return admission_.take(req, res, *this); },
        http::access::open, say_by_pixel
    );
}

std::optional<refusal>
pixel_endpoint::read(const http::request& req, const key* caller, std::string_view, batch& events) {
    if (req.method == http::verb::head)
        return std::nullopt; // asks about the image, and shows nobody anything
    std::string tracestate;
    auto facts = facts_of(req, find_own_fields(req), caller, tracestate);
    facts.client = clients_.of(req);
    const auto parameters = http::parameters_of(req.query);
    event_view event;
    event.time = req.received_at;
    if (const auto type = parameters.find("type"); type != parameters.end() && can_be_type(type->second))
        event.type = type->second;
    http::write_object(parameters, data_);
    event.datacontenttype = "application/json";
    event.data = data_;
    event.kind = data_kind::json;
    return completion_.append(event, facts, std::nullopt, events);
}

void pixel_endpoint::accept(const http::request&, http::response& res, const new_events&) {
    answer_pixel(res);
}

bool pixel_endpoint::identify(
    const http::request& req, std::string_view, http::response& res, std::shared_ptr<const key>& caller
) const {
    if (guard_ == nullptr) return true;
    std::string room;
    const auto shown = presented_key(req, room);
    return guard_->admit_text(shown ? shown->text : "", req, res, caller);
}

} // namespace trackd::intake
