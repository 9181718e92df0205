#include "intake/segment_endpoint.hpp"

#include "base/ascii.hpp"
#include "base/json_text.hpp"
#include "base/version.hpp"
#include "http/query.hpp"
#include "intake/answers.hpp"
#include "intake/client_answers.hpp"
#include "intake/pixel.hpp"
#include "intake/request_fields.hpp"
#include "intake/segment_query.hpp"
#include "intake/write_key.hpp"

#include <utility>

namespace trackd::intake {

namespace {

using http::status;

constexpr std::string_view success = R"({"success":true})";

bool needs_keys(key_guard* guard) noexcept {
    return guard != nullptr && guard->is_on();
}

/// Of a request whose head names no key that we know.
bool identify_by(
    segment_reader& reader, key_guard* guard, const http::request& req, std::string_view body,
    http::response& res, std::shared_ptr<const key>& caller
) {
    std::string in_body;
    if (const auto refused = reader.find_write_key(body, in_body)) {
        answer_problem(res, *refused);
        return false;
    }
    std::string memory;
    return guard->admit_text(find_write_key(req, in_body, memory), req, res, caller);
}

/// The client's library takes the batch for accepted; what was left out of it is for developers.
void answer_partly(const rejected_calls& rejected, http::response& res) {
    res.json(status::ok, R"({"success":true,)");
    append_rejected_calls(rejected, res.body);
    res.body += '}';
}

void count_rejected(const rejected_calls& rejected, counters& counts) {
    for (const auto& call : rejected.calls()) {
        counts.rejected_calls.add(fault_of(call.reason));
        if (call.reason.hit) counts.limits.add(*call.reason.hit);
    }
}

http::pending answer_health(const http::request&, http::response& res) {
    res.json(status::ok, R"({"status":"ok"})");
    return std::nullopt;
}

http::pending answer_version(const http::request&, http::response& res) {
    res.json(status::ok, R"({"version":")" + std::string{base::version} + "\"}");
    return std::nullopt;
}

/// The client is told to go on exactly as it does without us, but to this host.
void answer_settings(const http::request& req, http::response& res) {
    const auto key = http::decode_form(req.parameter);
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
    lane& lane, body_decoder& decoder, counters& counts, event_reader_options options, key_guard* guard,
    std::shared_ptr<client_clocks> clocks, std::shared_ptr<rejection_recorder> recorder
)
    : admission_{lane, decoder, counts}, clients_{options.record_client},
      reader_{std::move(options), std::move(clocks)}, guard_{guard}, counts_{counts},
      recorder_{std::move(recorder)} {}

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
        http::access::open, say_to_segment
    );
    router.add(
        http::verb::get, "/v1/projects/{key}/settings",
        [](const http::request& req, http::response& res) -> http::pending {
            answer_settings(req, res);
            return std::nullopt;
        },
        http::access::open, say_to_segment
    );
    router.add(http::verb::get, "/health", answer_health, http::access::open);
    router.add(http::verb::get, "/version", answer_version, http::access::open);
}

void segment_endpoint::add_calls(
    http::router& router, std::optional<segment_kind> kind, std::string path, bool rudderstack
) {
    auto& format = calls_.emplace_back(
        call_format{reader_, clients_, guard_, kind, rudderstack, counts_, recorder_.get()}
    );
    router.add(
        http::verb::post, std::move(path),
        [this, &format](const http::request& req, http::response& res) {
            return admission_.take(req, res, format);
        },
        http::access::late, rudderstack ? say_to_rudderstack : say_to_segment
    );
}

void segment_endpoint::add_pixel(http::router& router, segment_kind kind, std::string path) {
    auto& format = pixels_.emplace_back(pixel_format{reader_, clients_, guard_, kind});
    const auto respond = [this, &format](const http::request& req, http::response& res) {
        return admission_.take(req, res, format);
    };
    for (const auto* ending : {".gif", ""})
        router.add(http::verb::get, path + ending, respond, http::access::open, say_by_pixel);
}

std::optional<refusal> segment_endpoint::call_format::read(
    const http::request& req, const key* caller, std::string_view body, batch& events
) const {
    std::string tracestate;
    auto facts = facts_of(req, find_own_fields(req), caller, tracestate);
    facts.client = clients.of(req);
    reader.set_sent_at(req.header("SentAt"));
    reader.set_user_agent(req.header(http::field::user_agent));
    if (kind) return reader.read_call(facts, *kind, body, events);
    auto refused = reader.read_batch(facts, body, events);
    if (refused && !reader.rejected().empty()) {   // no call is left that could be admitted
        count_rejected(reader.rejected(), counts); // the whole request is recorded as rejected
        refused->hit.reset();                      // it is counted with its call
    }
    return refused;
}

void segment_endpoint::call_format::accept(const http::request& req, http::response& res, const new_events&)
    const {
    if (is_rudderstack || names_rudderstack(req))
        res.text(status::ok, "ok");
    else if (kind || reader.rejected().empty())
        res.json(status::ok, success);
    else
        answer_partly(reader.rejected(), res);
}

void segment_endpoint::call_format::record_rejections(const http::request& req, const key* caller) const {
    if (kind) return;
    count_rejected(reader.rejected(), counts);
    if (recorder != nullptr) recorder->record_calls(req, caller, reader.rejected());
}

bool segment_endpoint::call_format::identify(
    const http::request& req, std::string_view body, http::response& res, std::shared_ptr<const key>& caller
) const {
    return !needs_keys(guard) || identify_by(reader, guard, req, body, res, caller);
}

std::optional<refusal> segment_endpoint::pixel_format::read(
    const http::request& req, const key* caller, std::string_view, batch& events
) {
    if (req.method == http::verb::head)
        return std::nullopt; // asks about the image, and shows nobody anything
    if (auto refused = write_call(req.query)) return refused;
    std::string tracestate;
    auto facts = facts_of(req, find_own_fields(req), caller, tracestate);
    facts.client = clients.of(req);
    reader.set_sent_at({});
    reader.set_user_agent(req.header(http::field::user_agent));
    return reader.read_call(facts, kind, written(), events);
}

void segment_endpoint::pixel_format::accept(const http::request&, http::response& res, const new_events&)
    const {
    answer_pixel(res);
}

bool segment_endpoint::pixel_format::identify(
    const http::request& req, std::string_view, http::response& res, std::shared_ptr<const key>& caller
) {
    if (!needs_keys(guard)) return true;
    if (const auto refused = write_call(req.query)) {
        answer_problem(res, *refused);
        return false;
    }
    return identify_by(reader, guard, req, written(), res, caller);
}

std::optional<refusal> segment_endpoint::pixel_format::write_call(std::string_view query) {
    auto refused = write_segment_call(query, call);
    call.append(http::request::body_padding, ' ');
    return refused;
}

} // namespace trackd::intake
