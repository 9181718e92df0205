#include "intake/keys.hpp"
#include "intake/native_endpoint.hpp"
#include "reading.hpp"
#include "support/manual_clock.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/json/parse.hpp>

#include <exception>
#include <functional>
#include <utility>

namespace http = trackd::http;
using boost::system::error_code;
using trackd::errc;
using trackd::intake::native_endpoint;

namespace {

/// Admits what it is told to.
class fake_lane final : public trackd::lane {
public:
    error_code admit(trackd::batch::mark since) override {
        if (refusal) drop(since);
        return refusal;
    }

    bool waits_for_ack() const noexcept override { return waits; }

    http::task<error_code> acknowledged() override { co_return outcome; }

    std::chrono::seconds retry_after() const noexcept override { return std::chrono::seconds{7}; }

    error_code refusal;
    bool waits = false;
    error_code outcome;
};

struct fixture {
    fixture() { endpoint.add_routes(router); }

    /// Posts a body, and waits until it is answered.
    const http::response& post(std::string_view path, std::string_view text) {
        const reading::body sent{text};
        req.method = http::verb::post;
        req.path = path;
        req.body = sent.text();
        req.received_at = reading::arrival;
        res.clear();
        waited = false;
        if (auto left = router.route(req, res)) {
            waited = true;
            boost::asio::io_context context;
            std::exception_ptr thrown;
            boost::asio::co_spawn(context, std::move(*left), [&](std::exception_ptr e) { thrown = e; });
            context.run();
            REQUIRE_FALSE(thrown);
        }
        return res;
    }

    void header(http::field id, std::string_view name, std::string_view value) {
        req.headers.push_back({id, name, value});
    }

    std::string slug() const {
        REQUIRE(res.content_type == "application/problem+json");
        const std::string type{boost::json::parse(res.body).at("type").as_string()};
        return type.substr(type.find_last_of(":/") + 1);
    }

    std::string detail() const { return std::string{boost::json::parse(res.body).at("detail").as_string()}; }

    fake_lane lane;
    native_endpoint endpoint{lane, {.default_source = "the-default"}};
    http::router router;
    http::request req;
    http::response res;
    bool waited = false;
};

} // namespace

TEST_CASE("an event is admitted and answered 201 at once", "[intake][endpoint]") {
    fixture f;
    for (const auto* path : {"/events", "/"}) {
        f.post(path, R"({"data":1})");
        CHECK(f.res.code == http::status::created);
        CHECK(f.res.content_type == "application/json");
        CHECK(f.res.body == R"({"accepted":1})");
        CHECK_FALSE(f.waited);
    }
    CHECK(f.lane.events().events() == 2);
}

TEST_CASE("the answer counts the events of this request only", "[intake][endpoint]") {
    fixture f;
    f.post("/events", R"({"data":1})");
    f.post("/events", R"([{"data":1},{"data":2},{"data":3}])");
    CHECK(f.res.body == R"({"accepted":3})");
    CHECK(f.lane.events().events() == 4);
}

TEST_CASE("the ids come back to whom prefers the representation", "[intake][endpoint]") {
    fixture f;
    f.post("/events", R"({"data":1})");
    f.header(http::field::prefer, "Prefer", "respond-async, return=representation");
    f.post("/events", R"([{"id":"a\"","data":1},{"id":"é","data":2}])");
    CHECK(f.res.code == http::status::created);
    CHECK(f.res.body == R"({"accepted":2,"ids":["a\"","é"]})");
    CHECK(f.res.headers.find("Preference-Applied: return=representation\r\n") != std::string::npos);
}

TEST_CASE("the path gives the type, decoded", "[intake][endpoint]") {
    fixture f;
    f.post("/events/order%2Fcreated%20%E2%82%AC", R"({"a":1})");
    REQUIRE(f.res.code == http::status::created);
    CHECK((*f.lane.events().begin()).type == "order/created €");
}

TEST_CASE("a path that cannot be a type is refused", "[intake][endpoint]") {
    fixture f;
    const std::vector<std::string> segments{"%zz", "%", "%ff", "a%00b", "%0a", std::string(1025, 'x')};
    for (const auto& segment : segments) {
        f.post("/events/" + segment, R"({"a":1})");
        CHECK(f.res.code == http::status::bad_request);
        CHECK(f.slug() == "invalid-path-type");
    }
    CHECK(f.lane.events().empty());
}

TEST_CASE("what the reader refuses gets its status, and nothing is admitted", "[intake][endpoint]") {
    fixture f;
    f.header(http::field::content_type, "Content-Type", "application/json");
    const auto check = [&](std::string_view text, http::status code, std::string_view slug) {
        f.post("/events", text);
        INFO(text);
        CHECK(f.res.code == code);
        CHECK(f.slug() == slug);
        CHECK_FALSE(f.res.close);
    };
    check("", http::status::bad_request, "empty-body");
    check("[]", http::status::bad_request, "empty-body");
    check("{", http::status::bad_request, "invalid-json");
    check("7", http::status::bad_request, "unexpected-json");
    check(R"([{"data":1},{"data":1,"x":1}])", http::status::unprocessable_entity, "invalid-event");
    CHECK(f.detail().find("event [1]: \"x\" is unknown") == 0);
    check(
        "{\"data\":\"" + std::string(1 << 20, 'x') + "\"}", http::status::payload_too_large, "event-too-large"
    );
    CHECK(f.lane.events().empty());
}

TEST_CASE("a content type that cannot be read gets 415", "[intake][endpoint]") {
    fixture f;
    f.header(http::field::content_type, "Content-Type", "application/json; charset=utf-16");
    f.post("/events", "{}");
    CHECK(f.res.code == http::status::unsupported_media_type);
    CHECK(f.slug() == "unsupported-media-type");
}

TEST_CASE("a compressed body gets 415", "[intake][endpoint]") {
    fixture f;
    f.header(http::field::content_encoding, "Content-Encoding", "gzip");
    f.post("/events", "{}");
    CHECK(f.res.code == http::status::unsupported_media_type);
    CHECK(f.slug() == "unsupported-encoding");
    CHECK(f.res.headers.find("Accept-Encoding: identity\r\n") != std::string::npos);

    f.req.headers.front().value = "Identity";
    CHECK(f.post("/events", "{}").code == http::status::created);
}

TEST_CASE("the idempotency key becomes the id", "[intake][endpoint]") {
    fixture f;
    f.header(http::field::unknown, "idempotency-key", "order-17");
    CHECK(f.post("/events", "{}").code == http::status::created);
    CHECK((*f.lane.events().begin()).id == "order-17");
}

TEST_CASE("an idempotency key that cannot be an id is refused", "[intake][endpoint]") {
    fixture f;
    f.header(http::field::unknown, "Idempotency-Key", "");
    const std::vector<std::string> keys{"a b", "a\tb", "\xc3\xa9", std::string(201, 'k')};
    for (const auto& key : keys) {
        f.req.headers.front().value = key;
        f.post("/events", "{}");
        CHECK(f.res.code == http::status::bad_request);
        CHECK(f.slug() == "invalid-idempotency-key");
    }
    CHECK(f.lane.events().empty());
}

TEST_CASE("a full backlog is answered 503 with Retry-After, and nothing is stored", "[intake][endpoint]") {
    fixture f;
    f.lane.refusal = errc::backlog_full;
    f.post("/events", "{}");
    CHECK(f.res.code == http::status::service_unavailable);
    CHECK(f.slug() == "backlog-full");
    CHECK(f.detail().find("nothing was stored") != std::string::npos);
    CHECK(f.res.headers.find("Retry-After: 7\r\n") != std::string::npos);
    CHECK_FALSE(f.res.close);
    CHECK(f.lane.events().empty());
}

TEST_CASE("a sealed tracker is answered 503, and the connection closes", "[intake][endpoint]") {
    fixture f;
    f.lane.refusal = errc::sealed;
    f.lane.waits = true;
    f.post("/events", "{}");
    CHECK(f.res.code == http::status::service_unavailable);
    CHECK(f.slug() == "shutting-down");
    CHECK(f.res.close);
    CHECK_FALSE(f.waited);
}

TEST_CASE("the answer waits for the acknowledgement where one is promised", "[intake][endpoint]") {
    fixture f;
    f.lane.waits = true;
    f.post("/events", "[{},{}]");
    CHECK(f.waited);
    CHECK(f.res.code == http::status::created);
    CHECK(f.res.body == R"({"accepted":2})");
}

TEST_CASE("what is stored but not confirmed is answered 503 that says so", "[intake][endpoint]") {
    fixture f;
    f.lane.waits = true;
    f.lane.outcome = errc::not_confirmed;
    f.header(http::field::prefer, "Prefer", "return=representation");
    f.post("/events", "{}");
    CHECK(f.res.code == http::status::service_unavailable);
    CHECK(f.slug() == "not-confirmed");
    CHECK(f.detail().find("stored, not yet confirmed") == 0);
    CHECK(f.res.headers.find("Preference-Applied") == std::string::npos);
    CHECK(f.lane.events().events() == 1);
}

namespace {

/// A request that was let in with this key.
struct keyed : fixture {
    explicit keyed(const std::function<void(trackd::intake::key_options&)>& set = [](auto&) {}) {
        trackd::intake::key_options options;
        options.name = "web";
        set(options);
        ring.replace({options}, time);
        req.caller = ring.get()->keys().front();
    }

    trackd::test::manual_clock time;
    trackd::intake::shared_key_ring ring;
};

} // namespace

TEST_CASE("an event that names no source has the name of its key", "[intake][endpoint][keys]") {
    keyed f;
    f.post("/events", R"([{"data":1},{"data":2,"source":"/own"}])");
    REQUIRE(f.res.code == http::status::created);
    auto at = f.lane.events().begin();
    CHECK((*at).source == "web");
    CHECK((*++at).source == "/own");
    f.req.caller.reset();
    f.post("/events", "{}");
    at = f.lane.events().begin(); // which that may have moved
    CHECK((*++ ++at).source == "the-default");
}

TEST_CASE(
    "a source that the key does not allow is refused with all that came with it", "[intake][endpoint][keys]"
) {
    keyed f{[](auto& of) { of.sources = {"/own"}; }};
    f.post("/events", R"([{"data":1},{"data":2,"source":"/own"},{"data":3,"source":"/other"}])");
    CHECK(f.res.code == http::status::forbidden);
    CHECK(f.slug() == "source-not-allowed");
    CHECK(f.detail().find("event [2]") == 0);
    CHECK(f.detail().find("\"/other\"") != std::string::npos);
    CHECK(f.lane.events().empty());
    f.post("/events", R"([{"data":1},{"data":2,"source":"/own"}])");
    CHECK(f.res.code == http::status::created);
}

TEST_CASE("only the sources of this request are judged", "[intake][endpoint][keys]") {
    keyed f{[](auto& of) { of.sources = {"/own"}; }};
    const auto caller = std::exchange(f.req.caller, nullptr);
    f.post("/events", R"({"data":1,"source":"/other"})");
    f.req.caller = caller;
    CHECK(f.post("/events", R"({"data":1,"source":"/own"})").code == http::status::created);
    CHECK(f.post("/events", R"({"data":1,"source":"/no"})").code == http::status::forbidden);
    CHECK(f.lane.events().events() == 2);
}

TEST_CASE("events over the key's rate are refused as a whole, and later taken", "[intake][endpoint][keys]") {
    keyed f{[](auto& of) { of.events_per_second = 3; }};
    CHECK(f.post("/events", "[{},{}]").code == http::status::created);
    f.post("/events", "[{},{}]");
    CHECK(f.res.code == http::status::too_many_requests);
    CHECK(f.slug() == "rate-limited");
    CHECK(f.res.headers.find("Retry-After: 1\r\n") != std::string::npos);
    CHECK_FALSE(f.res.close);
    CHECK(f.lane.events().events() == 2);
    CHECK(f.post("/events", "{}").code == http::status::created); // one was left
    f.time.advance(std::chrono::seconds{1});
    CHECK(f.post("/events", "[{},{},{}]").code == http::status::created);
}

TEST_CASE("events that the tracker refuses are not charged", "[intake][endpoint][keys]") {
    keyed f{[](auto& of) { of.events_per_second = 2; }};
    f.lane.refusal = errc::backlog_full;
    for (int i = 0; i < 3; ++i)
        CHECK(f.post("/events", "[{},{}]").code == http::status::service_unavailable);
    f.lane.refusal = {};
    CHECK(f.post("/events", "[{},{}]").code == http::status::created);
    CHECK(f.post("/events", "{}").code == http::status::too_many_requests);
}

TEST_CASE("what is no event is not charged", "[intake][endpoint][keys]") {
    keyed f{[](auto& of) { of.events_per_second = 1; }};
    CHECK(f.post("/events", "[{}").code == http::status::bad_request);
    CHECK(f.post("/events", "{}").code == http::status::created);
}
