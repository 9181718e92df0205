#include "intake/segment_endpoint.hpp"

#include "base/ascii.hpp"
#include "base/json_text.hpp"
#include "intake/client_answers.hpp"
#include "intake/pixel.hpp"
#include "intake/query.hpp"
#include "intake/request_fields.hpp"
#include "intake/segment_query.hpp"
#include "intake/write_key.hpp"

#include <algorithm>
#include <utility>

namespace trackd::intake {

namespace {

using http::status;

constexpr std::string_view success = R"({"success":true})";

request_facts facts_of(const http::request& req, client_record& clients) {
    request_facts facts;
    facts.received_at = req.received_at;
    facts.client = clients.of(req);
    if (const auto* caller = caller_of(req)) facts.source = caller->name();
    return facts;
}

bool names_rudderstack(std::string_view user_agent) noexcept {
    constexpr std::string_view name = "rudder";
    return !std::ranges::search(user_agent, name, {}, base::to_lower).empty();
}

/// As RudderStack's gateway says it.
std::string_view rudderstack_words(const refusal& refused) noexcept {
    switch (refused.kind) {
    case refusal_kind::empty_body: return "request body is nil";
    case refusal_kind::invalid_json:
    case refusal_kind::unexpected_json: return "invalid json";
    case refusal_kind::empty_batch: return "empty batch payload";
    case refusal_kind::no_user: return "request neither has anonymousId nor userId";
    case refusal_kind::event_too_large:
    case refusal_kind::body_too_large:
    case refusal_kind::batch_too_large: return "request size exceeds max limit";
    case refusal_kind::invalid_event: return "event is not a valid rudder event";
    default: return refused.detail;
    }
}

void answer_rudderstack_error(http::response& res, status code, std::string_view words) {
    res.text(code, words);
    res.body += '\n';
}

/// The client is told to go on exactly as it does without us, but to this host.
void answer_settings(const http::request& req, http::response& res) {
    const auto key = decode_form(req.parameter);
    const auto plain = base::equal_ignoring_case(req.header("X-Forwarded-Proto"), "http");
    res.json(status::ok, R"({"integrations":{"Segment.io":{"apiKey":)");
    base::append_json_string(res.body, key);
    res.body += R"(,"apiHost":)";
    base::append_json_string(res.body, std::string{req.header(http::field::host)} + "/v1");
    res.body.append(R"(,"protocol":")").append(plain ? "http" : "https");
    res.body += R"("}},"plan":{"track":{"__default":{"enabled":true,"integrations":{}}}}})";
}

} // namespace

segment_endpoint::segment_endpoint(
    lane& lane, body_decoder& decoder, limit_counters& limits, event_reader_options options, key_guard* guard
)
    : admission_{lane, decoder, limits}, clients_{options.record_client}, reader_{std::move(options)},
      guard_{guard} {}

void segment_endpoint::add_routes(http::router& router) {
    using enum segment_kind;
    constexpr bool segment = false;
    constexpr bool rudderstack = true;
    for (const auto kind : {track, identify, page, screen, group, alias}) {
        const std::string name{to_string(kind)};
        add_calls(router, kind, "/v1/" + name, segment);
        add_calls(router, kind, "/v1/" + name.substr(0, 1), segment);
        add_pixel(router, kind, "/v1/pixel/" + name);
        add_pixel(router, kind, "/pixel/v1/" + name);
    }
    for (const auto kind : {merge, audiencelist})
        add_calls(router, kind, "/v1/" + std::string{to_string(kind)}, rudderstack);
    for (const auto* path : {"/v1/batch", "/v1/b", "/v1/import"})
        add_calls(router, std::nullopt, path, segment);
    add_calls(router, std::nullopt, "/beacon/v1/batch", rudderstack);

    router.add(
        http::verb::post, "/v1/m",
        [](const http::request&, http::response& res) -> http::pending {
            res.json(status::ok, success); // a client's figures about itself: of no use here
            return std::nullopt;
        },
        http::access::open
    );
    router.add(
        http::verb::get, "/v1/projects/{key}/settings",
        [](const http::request& req, http::response& res) -> http::pending {
            answer_settings(req, res);
            return std::nullopt;
        },
        http::access::open
    );
}

void segment_endpoint::add_calls(
    http::router& router, std::optional<segment_kind> kind, std::string path, bool rudderstack
) {
    auto& format = calls_.emplace_back(call_format{reader_, clients_, guard_, kind, rudderstack});
    router.add(
        http::verb::post, std::move(path),
        [this, &format](const http::request& req, http::response& res) {
            return admission_.take(req, res, format);
        },
        http::access::late
    );
}

void segment_endpoint::add_pixel(http::router& router, segment_kind kind, std::string path) {
    auto& format = pixels_.emplace_back(pixel_format{reader_, clients_, guard_, kind});
    const auto respond = [this, &format](const http::request& req, http::response& res) {
        return admission_.take(req, res, format);
    };
    router.add(http::verb::get, path + ".gif", respond, http::access::open);
    router.add(http::verb::get, std::move(path), respond, http::access::open);
}

std::optional<refusal>
segment_endpoint::call_format::read(const http::request& req, std::string_view body, batch& events) const {
    reader.set_sent_at(req.header("SentAt"));
    return kind ? reader.read_call(facts_of(req, clients), *kind, body, events)
                : reader.read_batch(facts_of(req, clients), body, events);
}

void segment_endpoint::call_format::accept(const http::request& req, http::response& res, const new_events&)
    const {
    if (is_rudderstack(req))
        res.text(status::ok, "ok");
    else
        res.json(status::ok, success);
}

void segment_endpoint::call_format::refuse(
    const http::request& req, http::response& res, const refusal& refused
) const {
    if (!is_rudderstack(req)) return answer_client_error(res, refused);
    const bool too_large = refused.kind == refusal_kind::event_too_large ||
                           refused.kind == refusal_kind::batch_too_large ||
                           refused.kind == refusal_kind::body_too_large;
    answer_rudderstack_error(
        res, too_large ? status::payload_too_large : status::bad_request, rudderstack_words(refused)
    );
}

void segment_endpoint::call_format::fail(
    const http::request& req, http::response& res, boost::system::error_code failed,
    std::chrono::seconds retry_after
) const {
    answer_client_error(res, failed, retry_after);
    if (!is_rudderstack(req)) return;
    const bool too_large = res.code == status::bad_request;
    answer_rudderstack_error(
        res, too_large ? status::payload_too_large : res.code,
        too_large ? "request size exceeds max limit" : "service unavailable"
    );
}

bool segment_endpoint::call_format::identify(
    const http::request& req, http::response& res, std::shared_ptr<const key>& caller
) const {
    std::string memory;
    return guard == nullptr ||
           guard->admit_text(find_write_key(req, reader.write_keys(), memory), req, res, caller);
}

void segment_endpoint::call_format::deny(const http::request& req, http::response& res) const {
    const auto code = res.code;
    answer_client_denied(res);
    if (!is_rudderstack(req)) return;
    answer_rudderstack_error(
        res, code, code == status::too_many_requests ? "max requests limit reached" : "invalid write key"
    );
}

bool segment_endpoint::call_format::is_rudderstack(const http::request& req) const noexcept {
    return rudderstack_path || names_rudderstack(req.header(http::field::user_agent));
}

std::optional<refusal>
segment_endpoint::pixel_format::read(const http::request& req, std::string_view, batch& events) {
    if (req.method == http::verb::head)
        return std::nullopt; // asks about the image, and shows nobody anything
    if (auto refused = write_segment_call(req.query, call)) return refused;
    const auto size = call.size();
    call.append(http::request::body_padding, ' ');
    reader.set_sent_at({});
    return reader.read_call(facts_of(req, clients), kind, std::string_view{call}.substr(0, size), events);
}

void segment_endpoint::pixel_format::accept(const http::request&, http::response& res, const new_events&)
    const {
    answer_pixel(res);
}

// A page shows the image, whatever became of the call: nobody would read an error.
void segment_endpoint::pixel_format::refuse(const http::request&, http::response& res, const refusal&) const {
    answer_pixel(res);
}

bool segment_endpoint::pixel_format::identify(
    const http::request& req, http::response& res, std::shared_ptr<const key>& caller
) const {
    std::string memory;
    return guard == nullptr ||
           guard->admit_text(find_write_key(req, reader.write_keys(), memory), req, res, caller);
}

void segment_endpoint::pixel_format::deny(const http::request&, http::response& res) const {
    res.clear();
    answer_pixel(res);
}

void segment_endpoint::pixel_format::fail(
    const http::request&, http::response& res, boost::system::error_code, std::chrono::seconds
) const {
    answer_pixel(res);
}

} // namespace trackd::intake
