#include "endpoint_fixture.hpp"
#include "intake/segment_endpoint.hpp"
#include "support/manual_clock.hpp"

using namespace reading;
using namespace std::chrono_literals;
using trackd::errc;

namespace {

struct fixture : endpoint_fixture<trackd::intake::segment_endpoint> {
    void check_refused(
        std::string_view target, std::string_view text, std::string_view code, std::string_view why
    ) {
        post(target, text);
        INFO(text);
        INFO(res.body);
        CHECK(res.code == http::status::bad_request);
        CHECK(res.content_type == "application/json");
        const auto error = boost::json::parse(res.body).as_object();
        CHECK_FALSE(error.at("success").as_bool());
        CHECK(std::string_view{error.at("code").as_string()} == code);
        CHECK(std::string_view{error.at("error").as_string()} == code);
        for (const auto* member : {"message", "error_description", "detail"})
            CHECK(std::string_view{error.at(member).as_string()}.find(why) != std::string_view::npos);
        CHECK(lane.events().empty());
    }

    void check_rudderstack_refused(std::string_view target, std::string_view text, std::string_view words) {
        post(target, text);
        CHECK(res.code == http::status::bad_request);
        CHECK(res.content_type == "text/plain; charset=utf-8");
        CHECK(res.body == std::string{words} + '\n');
        CHECK(lane.events().empty());
    }
};

/// With the keys `web-key` and `shop-key`, of which the latter lets one event a second in.
struct keyed_fixture {
    keyed_fixture() {
        std::vector<trackd::intake::key_options> keys(2);
        keys[0].name = "web";
        keys[0].hashes = {trackd::base::sha256("web-key")};
        keys[1].name = "shop";
        keys[1].hashes = {trackd::base::sha256("shop-key")};
        keys[1].events_per_second = 1;
        ring.replace(std::move(keys), time);
        endpoint.add_routes(router);
    }

    const http::response&
    send(http::verb method, std::string_view path, std::string_view query, std::string_view text) {
        const body sent{text};
        req.method = method;
        req.path = path;
        req.query = query;
        req.body = sent.text();
        res.clear();
        CHECK_FALSE(router.route(req, res));
        return res;
    }

    const http::response& post(std::string_view path, std::string_view text) {
        return send(http::verb::post, path, "", text);
    }

    std::vector<event> events() { return {lane.events().begin(), lane.events().end()}; }

    trackd::test::manual_clock time;
    trackd::intake::shared_key_ring ring;
    trackd::intake::counters counts;
    trackd::intake::key_guard guard{ring, counts.limits};
    fake_lane lane;
    trackd::intake::body_decoder decoder{{}};
    trackd::intake::segment_endpoint endpoint{
        lane, decoder, counts, {.default_source = "the-default"}, &guard
    };
    http::router router;
    http::request req;
    http::response res;
};

constexpr std::string_view success = R"({"success":true})";

} // namespace

TEST_CASE("a track call becomes an event", "[intake][segment]") {
    fixture f;
    constexpr std::string_view call =
        R"({ "userId":"u1", "anonymousId":"a1", "event":"Order Completed", "messageId":"m1",)"
        R"( "timestamp":"2026-06-09T10:00:00Z", "properties":{"total":12.50} })";
    f.post("/v1/track", call);
    CHECK(f.res.code == http::status::ok);
    CHECK(f.res.content_type == "application/json");
    CHECK(f.res.body == success);
    const auto e = f.only_event();
    CHECK(e.id == "m1");
    CHECK(e.type == "Order Completed");
    CHECK(e.subject == "u1");
    CHECK(e.source == "the-default");
    CHECK(e.data == call);
    CHECK(e.kind == data_kind::json);
    CHECK(e.datacontenttype == "application/json");
    CHECK(e.time == arrival - 13min - 20s);
    CHECK(e.received_at == arrival);
}

TEST_CASE("every kind of call has its path and its short path", "[intake][segment]") {
    constexpr std::string_view call =
        R"({"anonymousId":"a","event":"E","groupId":"g","previousId":"p","name":"n"})";
    const std::vector<std::pair<std::string, std::string>> paths{
        {"/v1/track", "E"},     {"/v1/t", "E"},     {"/v1/identify", "identify"}, {"/v1/i", "identify"},
        {"/v1/page", "page"},   {"/v1/p", "page"},  {"/v1/screen", "screen"},     {"/v1/s", "screen"},
        {"/v1/group", "group"}, {"/v1/g", "group"}, {"/v1/alias", "alias"},       {"/v1/a", "alias"},
    };
    for (const auto& [path, type] : paths) {
        fixture f;
        f.post(path, call);
        INFO(path);
        CHECK(f.res.body == success);
        CHECK(f.only_event().type == type);
        CHECK(f.only_event().subject == "a");
        CHECK(f.only_event().data == call);
    }
}

TEST_CASE("a call is JSON whatever its content type says", "[intake][segment]") {
    for (const auto* type :
         {"text/plain", "text/plain;charset=UTF-8", "application/x-www-form-urlencoded", "image/png"}) {
        fixture f;
        f.header(http::field::content_type, "Content-Type", type);
        CHECK(f.post("/v1/page", R"({"userId":"u"})").body == success);
    }
}

TEST_CASE("the kind of the path wins over a wrong one in the call", "[intake][segment]") {
    fixture f;
    f.post("/v1/page", R"({"userId":"u","type":"track","name":"n"})");
    CHECK(f.only_event().type == "page");
    CHECK(f.only_event().data == R"({"type":"page","userId":"u","name":"n"})");
}

TEST_CASE("a call without a messageId gets an id", "[intake][segment]") {
    fixture f;
    f.post("/v1/page", R"({"userId":"u","messageId":""})");
    CHECK(f.only_event().id.size() == 36);
}

TEST_CASE("a user may have a number for a name", "[intake][segment]") {
    fixture f;
    f.post("/v1/page", R"({"userId":17,"anonymousId":"a"})");
    CHECK(f.only_event().subject == "17");
}

TEST_CASE("an empty or null user is none", "[intake][segment]") {
    fixture f;
    f.post("/v1/page", R"({"userId":"","anonymousId":"a"})");
    f.post("/v1/page", R"({"userId":null,"anonymousId":"a"})");
    for (const auto& e : f.events())
        CHECK(e.subject == "a");
    CHECK(f.events().size() == 2);
}

TEST_CASE("a call's time is corrected by what its client's clock is wrong", "[intake][segment]") {
    // Sent at its 12:00:00, which is arrival: what happened a minute before, did so by our clock, too.
    const auto time_of = [](std::string_view more) {
        fixture f;
        f.post("/v1/page", R"({"userId":"u",)" + std::string{more} + '}');
        INFO(f.res.body);
        return f.only_event().time;
    };
    CHECK(time_of(R"("timestamp":"2020-01-01T11:59:00Z","sentAt":"2020-01-01T12:00:00Z")") == arrival - 1min);
    CHECK(
        time_of(
            R"("originalTimestamp":"2020-01-01T11:58:00Z","timestamp":"2020-01-01T11:59:00Z","sentAt":"2020-01-01T12:00:00Z")"
        ) == arrival - 2min
    );
    CHECK(time_of(R"("timestamp":"2026-06-09T10:00:00Z")") == arrival - 13min - 20s);
    CHECK(time_of(R"("sentAt":"2020-01-01T12:00:00Z")") == arrival);
}

TEST_CASE("a time that cannot be read or written is the time of arrival", "[intake][segment]") {
    for (const auto* more :
         {R"("timestamp":"yesterday")", R"("timestamp":7)", R"("timestamp":null)",
          R"("timestamp":"9999-01-01T00:00:00Z","sentAt":"0001-01-01T00:00:00Z")",
          R"("timestamp":"0001-01-01T00:00:00Z","sentAt":"9999-01-01T00:00:00Z")"}) {
        fixture f;
        f.post("/v1/page", R"({"userId":"u",)" + std::string{more} + '}');
        INFO(more);
        CHECK(f.only_event().time == arrival);
    }
}

TEST_CASE("the field SentAt corrects the time where the body does not", "[intake][segment]") {
    fixture f;
    f.header("SentAt", "2020-01-01T12:00:00Z");
    f.post("/v1/page", R"({"userId":"u","timestamp":"2020-01-01T11:59:00Z"})");
    CHECK(f.only_event().time == arrival - 1min);
}

TEST_CASE("a call that lacks what its kind needs is refused", "[intake][segment]") {
    fixture f;
    f.check_refused("/v1/track", R"({"userId":"u"})", "invalid_event", "\"event\" is missing");
    f.check_refused("/v1/track", R"({"userId":"u","event":""})", "invalid_event", "\"event\" is missing");
    f.check_refused(
        "/v1/track", R"({"userId":"u","event":7})", "invalid_event",
        "\"event\" is a number; expected a string"
    );
    f.check_refused("/v1/group", R"({"userId":"u"})", "invalid_event", "\"groupId\" is missing");
    f.check_refused("/v1/alias", R"({"userId":"u"})", "invalid_event", "\"previousId\" is missing");
    f.check_refused("/v1/page", R"({"name":"n"})", "no_user", "\"userId\" and \"anonymousId\" are missing");
    f.check_refused("/v1/page", R"({"userId":{}})", "invalid_event", "\"userId\" is an object");
    f.check_refused(
        "/v1/page", R"({"userId":"u","messageId":7})", "invalid_event", "\"messageId\" is a number"
    );
}

TEST_CASE("a body that is no call is refused", "[intake][segment]") {
    fixture f;
    for (const auto* path : {"/v1/track", "/v1/batch"}) {
        f.check_refused(path, "", "empty_body", "the body is empty");
        f.check_refused(path, " \n", "empty_body", "the body is empty");
        f.check_refused(path, R"({"a":1,})", "invalid_json", "byte 7");
        f.check_refused(path, "[]", "unexpected_json", "the body is an array; expected an object");
    }
    const auto large = R"({"userId":"u","x":")" + std::string(1 << 20, 'x') + "\"}";
    f.check_refused("/v1/page", large, "payload_too_large", "1048576");
    f.header(http::field::content_encoding, "Content-Encoding", "br");
    f.check_refused("/v1/page", "{}", "unsupported_encoding", "Content-Encoding");
}

TEST_CASE("a batch becomes as many events", "[intake][segment]") {
    for (const auto* path : {"/v1/batch", "/v1/b", "/v1/import"}) {
        fixture f;
        f.post(
            path, R"({"batch":[{"type":"track","event":"E","userId":"u"},{"type":"identify","userId":"v"}]})"
        );
        CHECK(f.res.code == http::status::ok);
        CHECK(f.res.body == success);
        const auto events = f.events();
        REQUIRE(events.size() == 2);
        CHECK(events[0].type == "E");
        CHECK(events[0].data == R"({"type":"track","event":"E","userId":"u"})");
        CHECK(events[1].type == "identify");
        CHECK(events[1].subject == "v");
        CHECK(events[0].id != events[1].id);
    }
}

TEST_CASE(
    "what a batch says of all its calls is written into each, and the call's own wins", "[intake][segment]"
) {
    fixture f;
    f.post(
        "/v1/batch",
        R"({"context":{"ip":"1","app":{"a":1}},"integrations":{"All":true},"sentAt":"2020-01-01T12:00:00Z",)"
        R"("batch":[{"type":"page","userId":"u","timestamp":"2020-01-01T11:59:00Z","context":{"app":{"b":2}, "l":[1]}},)"
        R"({"type":"page","userId":"u","sentAt":"2020-01-01T12:00:01Z","timestamp":"2020-01-01T12:00:00Z","context":null}]})"
    );
    const auto events = f.events();
    REQUIRE(events.size() == 2);
    CHECK(
        boost::json::parse(events[0].data) ==
        boost::json::parse(
            R"({"context":{"ip":"1","app":{"b":2},"l":[1]},"integrations":{"All":true},"type":"page","userId":"u",)"
            R"("timestamp":"2020-01-01T11:59:00Z"})"
        )
    );
    CHECK(
        boost::json::parse(events[1].data).at("context") == boost::json::parse(R"({"ip":"1","app":{"a":1}})")
    );
    CHECK(events[0].time == arrival - 1min);
    CHECK(events[1].time == arrival - 1s);
}

TEST_CASE("a context that is no object is merged into nothing", "[intake][segment]") {
    fixture f;
    f.post("/v1/batch", R"({"context":[1],"integrations":"x","batch":[{"type":"page","userId":"u"}]})");
    CHECK(f.only_event().data == R"({"type":"page","userId":"u"})");
}

TEST_CASE("a batch that is none is refused", "[intake][segment]") {
    fixture f;
    f.check_refused("/v1/batch", R"({"batch":[]})", "empty_batch", "\"batch\" is empty");
    f.check_refused("/v1/batch", R"({"a":[]})", "invalid_event", "\"batch\" is missing");
    f.check_refused("/v1/batch", R"({"batch":{}})", "invalid_event", "\"batch\" is an object");
    f.check_refused("/v1/batch", R"({"batch":[{"userId":"u"}]})", "invalid_event", "batch [0]: \"type\"");
}

TEST_CASE("a batch of too many calls is refused", "[intake][segment]") {
    fixture f;
    std::string body = R"({"batch":[)";
    for (int i = 0; i <= 10'000; ++i)
        body.append(i == 0 ? "" : ",").append(R"({"type":"page","userId":"u"})");
    f.check_refused("/v1/batch", body + "]}", "payload_too_large", "10000");
}

TEST_CASE("what calls have in common does not grow without bound", "[intake][segment]") {
    fixture f;
    std::string body = R"({"context":{"x":")" + std::string(200'000, 'x') + R"("},"batch":[)";
    for (int i = 0; i < 300; ++i)
        body.append(i == 0 ? "" : ",").append(R"({"type":"page","userId":"u"})");
    f.check_refused("/v1/batch", body + "]}", "payload_too_large", "33554432");
}

TEST_CASE("a client's figures about itself are accepted and left aside", "[intake][segment]") {
    fixture f;
    CHECK(f.post("/v1/m", R"({"series":[]})").body == success);
    CHECK(f.lane.events().empty());
}

TEST_CASE("a browser that asks for its settings is sent here", "[intake][segment]") {
    fixture f;
    f.header(http::field::host, "Host", "collect.example.org:8443");
    f.get("/v1/projects/key%22%2F1/settings");
    CHECK(f.res.code == http::status::ok);
    CHECK(f.res.content_type == "application/json");
    CHECK(
        f.res.body ==
        R"({"integrations":{"Segment.io":{"apiKey":"key\"/1","apiHost":"collect.example.org:8443/v1","protocol":"https"}},)"
        R"("plan":{"track":{"__default":{"enabled":true,"integrations":{}}}}})"
    );
    f.header("X-Forwarded-Proto", "http");
    f.get("/v1/projects/k/settings");
    CHECK(f.res.body.find(R"("protocol":"http"})") != std::string::npos);
}

TEST_CASE("a lane that takes nothing is answered 503 with Retry-After", "[intake][segment]") {
    fixture f;
    f.lane.refusal = errc::backlog_full;
    f.post("/v1/page", R"({"userId":"u"})");
    CHECK(f.res.code == http::status::service_unavailable);
    CHECK(f.answered_header("Retry-After: 7"));
    CHECK(boost::json::parse(f.res.body).at("code") == "backlog_full");

    f.lane.wait = 0s; // which some clients would take for "at once"
    f.post("/v1/page", R"({"userId":"u"})");
    CHECK(f.answered_header("Retry-After: 1"));
    f.lane.wait = 7s;

    f.lane.refusal = errc::sealed;
    f.post("/v1/page", R"({"userId":"u"})");
    CHECK(f.res.close);
    CHECK(f.answered_header("Retry-After: 7"));

    f.lane.refusal = errc::too_large;
    f.check_refused("/v1/page", R"({"userId":"u"})", "payload_too_large", "whole backlog");
}

TEST_CASE("the answer to a call waits for the acknowledgement", "[intake][segment]") {
    fixture f;
    f.lane.waits = true;
    CHECK(f.post("/v1/page", R"({"userId":"u"})").body == success);
    CHECK(f.waited);
    f.lane.outcome = errc::not_confirmed;
    f.post("/v1/page", R"({"userId":"u"})");
    CHECK(f.res.code == http::status::service_unavailable);
    CHECK(boost::json::parse(f.res.body).at("code") == "not_confirmed");
}

TEST_CASE("a RudderStack client gets the answers of its gateway", "[intake][segment]") {
    fixture f;
    f.header(http::field::user_agent, "User-Agent", "Rudder-Go/1.0");
    f.post("/v1/page", R"({"userId":"u"})");
    CHECK(f.res.code == http::status::ok);
    CHECK(f.res.content_type == "text/plain; charset=utf-8");
    CHECK(f.res.body == "ok");
    f.lane.events().clear();

    f.check_rudderstack_refused("/v1/page", "", "request body is nil");
    f.check_rudderstack_refused("/v1/page", "{", "invalid json");
    f.check_rudderstack_refused("/v1/page", "{}", "request neither has anonymousId nor userId");
    f.check_rudderstack_refused("/v1/batch", R"({"batch":[]})", "empty batch payload");
    f.check_rudderstack_refused("/v1/track", R"({"userId":"u"})", "event is not a valid rudder event");

    f.post("/v1/page", R"({"userId":"u","x":")" + std::string(1 << 20, 'x') + "\"}");
    CHECK(f.res.code == http::status::payload_too_large);
    CHECK(f.res.body == "request size exceeds max limit\n");

    f.lane.refusal = errc::journal_full;
    f.post("/v1/page", R"({"userId":"u"})");
    CHECK(f.res.code == http::status::service_unavailable);
    CHECK(f.res.body == "service unavailable\n");
    CHECK(f.answered_header("Retry-After: 7"));
}

TEST_CASE("the paths of RudderStack's own make a RudderStack client", "[intake][segment]") {
    fixture f;
    CHECK(f.post("/beacon/v1/batch?writeKey=k", R"({"batch":[{"type":"page","userId":"u"}]})").body == "ok");
    CHECK(f.post("/v1/merge", R"({"mergeProperties":[]})").body == "ok");
    CHECK(f.post("/v1/audiencelist", R"({"properties":{}})").body == "ok");
    const auto events = f.events();
    REQUIRE(events.size() == 3);
    CHECK(events[1].type == "merge");
    CHECK(events[1].subject.empty());
    CHECK(events[2].type == "audiencelist");
}

TEST_CASE("a pixel brings one call in its query", "[intake][segment]") {
    fixture f;
    for (const auto* path : {"/v1/pixel/track", "/v1/pixel/track.gif", "/pixel/v1/track"}) {
        f.get(
            std::string{path} +
            "?writeKey=k&userId=u+1&event=E&properties.plan=pro&properties.a.b=%22&properties.a=x"
        );
        CHECK(f.res.code == http::status::ok);
        CHECK(f.res.content_type == "image/gif");
    }
    const auto events = f.events();
    REQUIRE(events.size() == 3);
    for (const auto& e : events) {
        CHECK(e.type == "E");
        CHECK(e.subject == "u 1");
        CHECK(
            boost::json::parse(e.data) ==
            boost::json::parse(R"({"userId":"u 1","event":"E","properties":{"plan":"pro","a":{"b":"\""}}})")
        );
    }
}

TEST_CASE("a pixel may bring its call in base64", "[intake][segment]") {
    fixture f;
    // {"userId":"u?~","name":"n"}, in both alphabets, with padding and without
    for (const auto* data :
         {"eyJ1c2VySWQiOiJ1P34iLCJuYW1lIjoibiJ9", "eyJ1c2VySWQiOiJ1P34iLCJuYW1lIjoibiJ9%3D"})
        f.get(std::string{"/v1/pixel/page?data="} + data);
    f.get("/v1/pixel/page?data=eyJ1c2VySWQiOiJ1Pz4-Pz8_In0");
    const auto events = f.events();
    REQUIRE(events.size() == 3);
    CHECK(events[0].data == R"({"userId":"u?~","name":"n"})");
    CHECK(events[2].subject == "u?>>???");
}

TEST_CASE("a pixel is an image whatever becomes of its call", "[intake][segment]") {
    fixture f;
    const auto check = [&](std::string_view query) {
        f.get("/v1/pixel/track?" + std::string{query});
        INFO(query);
        CHECK(f.res.code == http::status::ok);
        CHECK(f.res.content_type == "image/gif");
        CHECK(f.res.body.size() == 43);
        CHECK(f.lane.events().empty());
    };
    for (const auto* query : {"", "data=*", "data=AAAA", "event=E", "userId=u", "a.b.c=1&.=2&..=3&a=%zz"})
        check(query);
    f.lane.refusal = errc::backlog_full;
    check("userId=u&event=E");
}

TEST_CASE("asking about a pixel is no call", "[intake][segment]") {
    fixture f;
    f.send(http::verb::head, "/v1/pixel/page?userId=u");
    CHECK(f.res.content_type == "image/gif");
    CHECK(f.lane.events().empty());
}

TEST_CASE("a write key is found in the body, else in the first call that has one", "[intake][segment]") {
    trackd::intake::segment_reader reader{{}};
    std::string found = "of the body before";
    const auto find = [&](std::string_view text) {
        const body sent{text};
        REQUIRE_FALSE(reader.find_write_key(sent.text(), found));
        return found;
    };
    CHECK(find(R"({"writeKey":"top","batch":[{"type":"page","writeKey":"item"}]})") == "top");
    CHECK(find(R"({"batch":[7,{"type":"page"},{"writeKey":"it\u0065m"},{"writeKey":"other"}]})") == "item");
    CHECK(find(R"({"userId":"u","writeKey":"k"})") == "k");
    for (const auto* text : {"{}", R"({"writeKey":7})", R"({"batch":{"writeKey":"k"}})", R"({"batch":[]})"})
        CHECK(find(text).empty());
    const body broken{R"({"writeKey":"k",})"};
    CHECK(reader.find_write_key(broken.text(), found));
}

TEST_CASE("a key that is only in the body names the source of its events", "[intake][segment]") {
    keyed_fixture f;
    CHECK(f.post("/v1/page", R"({"userId":"u","writeKey":"web-key"})").body == success);
    f.post(
        "/v1/batch",
        R"({"batch":[{"type":"page","userId":"u"},{"type":"page","userId":"u","writeKey":"web-key"}]})"
    );
    CHECK(f.res.body == success);
    f.send(http::verb::get, "/v1/pixel/page", "userId=u&writeKey=web-key", "");
    // {"userId":"u","writeKey":"web-key"}
    f.send(http::verb::get, "/v1/pixel/page", "data=eyJ1c2VySWQiOiJ1Iiwid3JpdGVLZXkiOiJ3ZWIta2V5In0", "");
    const auto events = f.events();
    CHECK(events.size() == 5);
    for (const auto& one : events)
        CHECK(one.source == "web");
}

TEST_CASE("a token of OAuth may stand beside the key in the body", "[intake][segment]") {
    keyed_fixture f;
    f.req.headers.push_back({http::field::authorization, "Authorization", "Bearer of.some.service"});
    CHECK(f.post("/v1/page", R"({"userId":"u","writeKey":"web-key"})").body == success);
    f.post("/v1/page", R"({"userId":"u"})");
    CHECK(f.res.code == http::status::unauthorized);
    CHECK(f.events().size() == 1);
}

TEST_CASE("who has no key is told so in words that every client reads", "[intake][segment]") {
    keyed_fixture f;
    for (const auto* text :
         {R"({"userId":"u"})", R"({"userId":"u","writeKey":"other"})", R"({"writeKey":"other"})"}) {
        f.post("/v1/page", text);
        INFO(f.res.body);
        CHECK(f.res.code == http::status::unauthorized);
        const auto error = boost::json::parse(f.res.body).as_object();
        CHECK(error.at("success") == false);
        CHECK(error.at("code") == "unauthorized");
        CHECK(error.at("message") == error.at("detail"));
    }
    f.post("/v1/page", "{");
    CHECK(f.res.code == http::status::bad_request); // nobody can tell what is in it
    f.post("/v1/merge", R"({"writeKey":"other"})");
    CHECK(f.res.code == http::status::unauthorized);
    CHECK(f.res.body == "invalid write key\n");
    CHECK(f.send(http::verb::get, "/v1/pixel/page", "userId=u", "").content_type == "image/gif");
    CHECK(f.res.headers == "Cache-Control: no-store\r\n");
    CHECK(f.events().empty());
}

TEST_CASE("a late key's rate holds, and says when it is kept again", "[intake][segment]") {
    keyed_fixture f;
    constexpr std::string_view call = R"({"userId":"u","writeKey":"shop-key"})";
    CHECK(f.post("/v1/page", call).code == http::status::ok);
    CHECK(f.post("/v1/page", call).code == http::status::too_many_requests);
    CHECK(boost::json::parse(f.res.body).at("code") == "rate_limited");
    CHECK(f.res.headers == "Retry-After: 1\r\nX-RateLimit-Reset: 1\r\n");
    f.post("/v1/merge", R"({"writeKey":"shop-key"})");
    CHECK(f.res.body == "max requests limit reached\n");
}

TEST_CASE("errors that are for ever are 400, and all others keep their status", "[intake][segment]") {
    fixture f;
    f.post("/v1/page", R"({"userId":"u"})");
    const auto said = [&](http::status what) {
        f.res.problem(what, "the-slug", "Why.");
        return f.res.code;
    };
    using enum http::status;
    for (const auto what :
         {bad_request, payload_too_large, unsupported_media_type, expectation_failed, unprocessable_entity,
          not_implemented})
        CHECK(said(what) == bad_request);
    for (const auto what :
         {unauthorized, forbidden, not_found, method_not_allowed, request_timeout, too_many_requests,
          internal_server_error, service_unavailable})
        CHECK(said(what) == what);
    CHECK(boost::json::parse(f.res.body).at("code") == "the_slug");
}

TEST_CASE("the trace of a request is kept with its calls", "[intake][segment]") {
    fixture f;
    f.header("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
    f.header("tracestate", "a=1");
    f.post("/v1/batch", R"({"batch":[{"type":"page","userId":"u"},{"type":"page","userId":"u"}]})");
    f.get("/v1/pixel/page?userId=u");
    const auto events = f.events();
    CHECK(events.size() == 3);
    for (const auto& one : events)
        CHECK(
            one.extensions ==
            R"({"traceparent":"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01","tracestate":"a=1"})"
        );
}

TEST_CASE("whether it works, and which version it is, is told to everybody", "[intake][segment]") {
    fixture f;
    CHECK(f.get("/health").body == R"({"status":"ok"})");
    CHECK(f.res.content_type == "application/json");
    CHECK_FALSE(boost::json::parse(f.get("/version").body).at("version").as_string().empty());
    CHECK(f.lane.events().empty());
}
