#include "intake/pixel_endpoint.hpp"

#include "base/json_text.hpp"
#include "intake/pixel.hpp"
#include "intake/presented_key.hpp"
#include "intake/query.hpp"
#include "intake/text.hpp"

#include <map>
#include <string>
#include <utility>

namespace trackd::intake {

namespace {

/// Sorted by their names; of two with the same name the last one is left, as in most forms.
std::map<std::string, std::string> parameters_of(std::string_view query) {
    std::map<std::string, std::string> all;
    for (auto& [name, value] : parse_query(query))
        all.insert_or_assign(std::move(name), std::move(value));
    return all;
}

/// Whether it can be an event's type. What can not is only data: there is nobody to tell.
bool can_be_type(std::string_view text) {
    return kind_of(text) == data_kind::text && !attribute_fault(text);
}

} // namespace

pixel_endpoint::pixel_endpoint(
    lane& lane, body_decoder& decoder, limit_counters& limits, event_reader_options options, key_guard* guard
)
    : admission_{lane, decoder, limits}, guard_{guard}, options_{std::move(options)} {}

void pixel_endpoint::add_routes(http::router& router) {
    router.add(
        http::verb::get, "/pixel.gif",
        [this](const http::request& req, http::response& res) { return admission_.take(req, res, *this); },
        http::access::open
    );
}

std::optional<refusal> pixel_endpoint::read(const http::request& req, std::string_view, batch& events) {
    if (req.method == http::verb::head)
        return std::nullopt; // asks about the image, and shows nobody anything
    request_facts facts;
    facts.received_at = req.received_at;
    facts.client = clients_.of(req);
    const auto parameters = parameters_of(req.query);
    event_view event;
    event.time = req.received_at;
    data_ = "{";
    for (const auto& [name, value] : parameters) {
        if (name == "type" && can_be_type(value)) event.type = value;
        if (data_.size() > 1) data_ += ',';
        base::append_json_string(data_, name);
        data_ += ':';
        base::append_json_string(data_, value);
    }
    data_ += '}';
    event.datacontenttype = "application/json";
    event.data = data_;
    event.kind = data_kind::json;
    return completion_.append(event, facts, std::nullopt, events);
}

void pixel_endpoint::accept(const http::request&, http::response& res, const new_events&) {
    answer_pixel(res);
}

void pixel_endpoint::refuse(const http::request&, http::response& res, const refusal&) {
    answer_pixel(res);
}

bool pixel_endpoint::identify(
    const http::request& req, http::response& res, std::shared_ptr<const key>& caller
) const {
    std::string memory;
    return guard_ == nullptr || guard_->admit_text(presented_key(req, memory).value_or(""), req, res, caller);
}

// A page shows the image, whoever asks for it.
void pixel_endpoint::deny(const http::request&, http::response& res) const {
    res.clear();
    answer_pixel(res);
}

void pixel_endpoint::fail(
    const http::request&, http::response& res, boost::system::error_code, std::chrono::seconds
) {
    answer_pixel(res);
}

} // namespace trackd::intake
