#include "intake/native_endpoint.hpp"

#include "base/json_text.hpp"
#include "intake/answers.hpp"
#include "intake/decode.hpp"
#include "intake/header_checks.hpp"
#include "intake/text.hpp"

#include <algorithm>
#include <utility>

namespace trackd::intake {

namespace {

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
    : admission_{lane}, reader_{std::move(options)} {}

void native_endpoint::add_routes(http::router& router) {
    const auto respond_here = [this](const http::request& req, http::response& res) {
        return admission_.take(req, res, *this);
    };
    for (const auto* pattern : {"/events", "/events/{type}", "/"})
        router.add(http::verb::post, pattern, respond_here);
}

std::optional<refusal> native_endpoint::read(const http::request& req, batch& events) {
    request_facts facts;
    facts.received_at = req.received_at;
    facts.content_type = req.header(http::field::content_type);
    facts.idempotency_key = req.header("Idempotency-Key");

    std::string path_type;
    if (auto refused = check_encoding(req)) return refused;
    if (auto refused = check_idempotency_key(facts.idempotency_key)) return refused;
    if (!req.parameter.empty()) {
        if (auto refused = decode_path_type(req.parameter, path_type)) return refused;
        facts.path_type = path_type;
    }
    return reader_.read(facts, req.body, events);
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

void native_endpoint::refuse(const http::request&, http::response& res, const refusal& refused) {
    answer_problem(res, refused);
}

void native_endpoint::fail(
    const http::request&, http::response& res, boost::system::error_code failed,
    std::chrono::seconds retry_after
) {
    answer_problem(res, failed, retry_after);
}

} // namespace trackd::intake
