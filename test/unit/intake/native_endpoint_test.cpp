#include "endpoint_fixture.hpp"
#include "intake/keys.hpp"
#include "intake/native_endpoint.hpp"
#include "support/manual_clock.hpp"

#include <functional>
#include <utility>

namespace http = trackd::http;
using trackd::errc;

namespace {

using fixture = reading::endpoint_fixture<trackd::intake::native_endpoint>;

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

TEST_CASE("what is admitted is counted, and nothing else", "[intake][endpoint]") {
    fixture f;
    f.post("/events", R"({"data":1})");
    f.post("/events", R"([{"data":1},{"data":2},{"data":3}])");
    f.post("/events?dry_run=1", R"({"data":1})");
    f.post("/events", "{");
    const auto encoded = f.lane.events().bytes();
    f.lane.refusal = errc::backlog_full;
    f.post("/events", R"({"data":1})");
    const auto counted =
        f.counts.accepted.of(trackd::intake::key_numbers::none, trackd::intake::wire_format::native);
    CHECK(counted.events == 4);
    CHECK(counted.bytes == encoded);
    for (const auto format : trackd::intake::all_formats)
        CHECK(f.counts.accepted.of(1, format).events == 0);
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
    check(R"([{"data":1},{"data":1,"id":""}])", http::status::unprocessable_entity, "invalid-event");
    CHECK(f.detail().find("event [1]: \"id\" is empty") == 0);
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

TEST_CASE("a content coding that is not known gets 415, and hears which are", "[intake][endpoint]") {
    fixture f;
    f.header(http::field::content_encoding, "Content-Encoding", "br");
    f.post("/events", "{}");
    CHECK(f.res.code == http::status::unsupported_media_type);
    CHECK(f.slug() == "unsupported-encoding");
    CHECK(f.answered_header("Accept-Encoding: gzip, deflate, zstd"));

    f.req.headers.front().value = "Identity";
    CHECK(f.post("/events", "{}").code == http::status::created);
}

TEST_CASE("a compressed body is decoded before it is read", "[intake][endpoint]") {
    using namespace std::string_literals;
    fixture f;
    f.header(http::field::content_encoding, "Content-Encoding", "zstd");
    // One raw block of 12 bytes in a frame without a size.
    f.post("/events", "\x28\xb5\x2f\xfd\x00\x58\x61\x00\x00"s + R"({"type":"z"})");
    CHECK(f.res.code == http::status::created);
    CHECK((*f.lane.events().begin()).type == "z");

    f.post("/events", "\x28\xb5\x2f\xfd\x00\x58\x61\x00\x00"s + R"({"type":"z)");
    CHECK(f.res.code == http::status::bad_request);
    CHECK(f.slug() == "invalid-encoding");
    CHECK(f.lane.events().events() == 1);
}

TEST_CASE("a body that is too large once it is decoded gets 413", "[intake][endpoint]") {
    using namespace std::string_literals;
    fixture f;
    trackd::intake::body_decoder little{{.max_bytes = 11}};
    trackd::intake::native_endpoint endpoint{f.lane, little, f.counts, {}};
    f.router = {};
    endpoint.add_routes(f.router);
    f.header(http::field::content_encoding, "Content-Encoding", "zstd");
    f.post("/events", "\x28\xb5\x2f\xfd\x00\x58\x61\x00\x00"s + R"({"type":"z"})");
    CHECK(f.res.code == http::status::payload_too_large);
    CHECK(f.slug() == "body-too-large");
}

TEST_CASE(
    "where there is no room for the decoded body the answer is 503, and when to come again",
    "[intake][endpoint]"
) {
    fixture f;
    trackd::base::byte_budget none{0};
    trackd::intake::body_decoder without_room{{.max_bytes = 4U << 20U, .max_ratio = 0, .bodies = &none}};
    trackd::intake::native_endpoint endpoint{f.lane, without_room, f.counts, {}};
    f.router = {};
    endpoint.add_routes(f.router);
    f.header(http::field::content_encoding, "Content-Encoding", "zstd");
    std::string frame{"\x28\xb5\x2f\xfd\x00\x38", 6}; // blocks of 128 KiB of blanks
    for (int i = 0; i < 16; ++i)
        frame.append("\x02\x00\x10 ", 4);
    f.post("/events", frame.append("\x03\x00\x10 ", 4));
    CHECK(f.res.code == http::status::service_unavailable);
    CHECK(f.slug() == "bodies-full");
    CHECK(f.answered_header("Retry-After: 1"));
    CHECK(f.counts.limits.of(trackd::intake::limit::max_bodies_bytes) == 1);
    CHECK(f.lane.events().empty());
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

TEST_CASE("an empty batch of CloudEvents is taken as none", "[intake][endpoint]") {
    fixture f;
    f.lane.waits = true;
    f.header(http::field::content_type, "Content-Type", "application/cloudevents-batch+json");
    f.post("/events", "[]");
    CHECK(f.res.code == http::status::created);
    CHECK(f.res.body == R"({"accepted":0})");
    CHECK(f.lane.admissions == 0);
    CHECK_FALSE(f.waited);
}

TEST_CASE("a dry run reads everything and stores nothing", "[intake][endpoint]") {
    fixture f;
    f.lane.waits = true;
    f.post("/events?dry_run=1", R"([{"data":1},{"data":2}])");
    CHECK(f.res.code == http::status::ok);
    CHECK(f.res.content_type == "application/json");
    CHECK(f.res.body == R"({"accepted":0,"valid":2})");
    CHECK_FALSE(f.waited);
    CHECK(f.lane.admissions == 0);
    CHECK(f.lane.events().empty());
}

TEST_CASE("a dry run refuses what the real one would", "[intake][endpoint]") {
    fixture f;
    f.post("/events?x=y&dry_run=1", R"([{"data":1},{"data":1,"id":""}])");
    CHECK(f.res.code == http::status::unprocessable_entity);
    CHECK(f.detail().find("event [1]: \"id\" is empty") == 0);
    CHECK(f.lane.events().empty());
}

TEST_CASE("a dry run leaves what others had staged before", "[intake][endpoint]") {
    fixture f;
    f.post("/events", R"({"id":"kept","data":1})");
    f.post("/events?dry_run=1", R"({"data":2})");
    CHECK(f.only_event().id == "kept");
}

TEST_CASE("whether it is a dry run is beyond doubt", "[intake][endpoint]") {
    fixture f;
    for (const auto* query : {"dry_run", "dry_run=", "dry_run=true", "dry_run=01"}) {
        f.post("/events?" + std::string{query}, "{}");
        CHECK(f.res.code == http::status::bad_request);
        CHECK(f.slug() == "invalid-query");
        CHECK(f.lane.events().empty());
    }
    CHECK(f.post("/events?dry_run=0", "{}").code == http::status::created);
}

TEST_CASE("a sender of CloudEvents that asks whether it may send, may", "[intake][endpoint]") {
    fixture f;
    f.header("WebHook-Request-Origin", "sender.example.com");
    f.header("WebHook-Request-Rate", "120");
    for (const auto* path : {"/events", "/events/order", "/"}) {
        f.send(http::verb::options, path);
        CHECK(f.res.code == http::status::ok);
        CHECK(f.answered_header("Allow: POST"));
        CHECK(f.answered_header("WebHook-Allowed-Origin: sender.example.com"));
        CHECK(f.answered_header("WebHook-Allowed-Rate: *"));
    }
}

TEST_CASE("OPTIONS without a sender says the methods, and no more", "[intake][endpoint]") {
    fixture f;
    f.send(http::verb::options, "/events");
    CHECK(f.res.code == http::status::no_content);
    CHECK(f.res.headers == "Allow: POST, OPTIONS\r\n");
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
