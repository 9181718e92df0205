// Fuzzes all ways in: whatever a request holds, it is answered, and what is taken from it is made of sound events.
#include "http/router.hpp"
#include "intake/endpoints.hpp"
#include "intake/json_document.hpp"
#include "intake/text.hpp"

#include <trackd/lane.hpp>

#include <array>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

namespace {

using namespace trackd;

void require(bool holds, const char* what) {
    if (holds) return;
    std::fprintf(stderr, "intake_fuzz: does not hold: %s\n", what);
    std::abort();
}

// Takes everything.
class open_lane final : public lane {
public:
    using lane::admit;

    boost::system::error_code admit(batch::mark, std::string_view) override { return {}; }

    bool waits_for_ack() const noexcept override { return false; }

    void when_acknowledged(ack_handler) override {}

    std::chrono::seconds retry_after() const noexcept override { return std::chrono::seconds{1}; }
};

struct front_door {
    front_door() { all.add_routes(router); }

    open_lane lane;
    intake::counters counts;
    intake::endpoints all{lane, {}, {.max_bytes = 100'000}, counts, nullptr};
    http::router router;
};

constexpr auto paths = std::to_array<std::string_view>(
    {"/events", "/", "/events/a%20type", "/v1/batch", "/v1/track", "/v1/identify", "/v1/alias", "/v1/g",
     "/v1/merge", "/beacon/v1/batch", "/pixel.gif", "/v1/pixel/track", "/pixel/v1/page",
     "/v1/projects/key/settings", "/v1/webhook"}
);
constexpr auto types = std::to_array<std::string_view>(
    {"", "application/json", "application/cloudevents+json", "application/cloudevents-batch+json",
     "application/x-ndjson", "text/plain", "application/octet-stream", "application/vnd.x+json"}
);

bool is_json(std::string_view text) {
    static intake::json_document document;
    std::string padded{text};
    padded.append(http::request::body_padding, ' ');
    return !document.parse(std::string_view{padded}.substr(0, text.size()));
}

bool is_attribute(std::string_view text) {
    return intake::kind_of(text) == data_kind::text && !intake::attribute_fault(text);
}

void require_sound(const event_view& event) {
    for (const auto text : {event.id, event.source, event.type})
        require(is_attribute(text), "what every event has is text");
    for (const auto text : {event.subject, event.datacontenttype})
        require(text.empty() || is_attribute(text), "what it may have is text");
    require(event.extensions.empty() || is_json(event.extensions), "extensions are JSON");
    require(event.kind != data_kind::json || is_json(event.data), "data that is called JSON is");
    require(event.kind != data_kind::text || intake::kind_of(event.data) == data_kind::text, "text is text");
}

} // namespace

// Three bytes choose path, content type and how the rest is used: up to a NUL it is a query or a header, then the body.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size < 3) return 0;
    static front_door door;
    std::string text{reinterpret_cast<const char*>(data) + 3, size - 3}; // NOLINT: libFuzzer's bytes as ours
    const auto first = text.substr(0, text.find('\0'));
    auto body = text.substr(std::min(first.size() + 1, text.size()));
    const auto body_bytes = body.size();
    body.append(http::request::body_padding, '"');

    http::request req;
    req.path = paths[data[0] % paths.size()];
    const auto how = data[2];
    req.method = req.path.find("ixel") != std::string_view::npos || req.path.ends_with("settings")
                     ? http::verb::get
                     : http::verb::post;
    if ((how & 1U) != 0) req.query = first;
    if (const auto type = types[data[1] % types.size()]; !type.empty())
        req.headers.push_back({http::field::content_type, "Content-Type", type});
    if ((how & 2U) != 0) req.headers.push_back({http::field::unknown, "ce-subject", first});
    if ((how & 4U) != 0) {
        req.headers.push_back({http::field::unknown, "ce-id", "1"});
        req.headers.push_back({http::field::unknown, "ce-source", "s"});
        req.headers.push_back({http::field::unknown, "ce-type", first});
        req.headers.push_back({http::field::unknown, "CE-SpecVersion", "1.0"});
    }
    if ((how & 8U) != 0) req.headers.push_back({http::field::unknown, "Idempotency-Key", first});
    if ((how & 16U) != 0) req.headers.push_back({http::field::authorization, "Authorization", first});
    if ((how & 32U) != 0) req.headers.push_back({http::field::unknown, "SentAt", first});
    req.body = std::string_view{body}.substr(0, body_bytes);

    http::response res;
    require(!door.router.route(req, res), "nothing is left to wait for");
    const auto code = static_cast<unsigned>(res.code);
    require(code == 200 || code == 201 || (code >= 400 && code < 500), "it is answered");
    for (const auto event : door.lane.events())
        require_sound(event);
    require(code < 300 || door.lane.events().empty(), "what is refused brings nothing");
    door.lane.drop({});
    return 0;
}
