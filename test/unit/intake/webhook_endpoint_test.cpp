#include "endpoint_fixture.hpp"
#include "intake/webhook_endpoint.hpp"

using namespace reading;

namespace {

struct fixture : endpoint_fixture<trackd::intake::webhook_endpoint> {
    void check_refused(std::string_view target, std::string_view text, std::string_view words) {
        post(target, text);
        INFO(text);
        CHECK(res.code == http::status::bad_request);
        CHECK(res.content_type == "text/plain; charset=utf-8");
        CHECK(res.body == std::string{words} + '\n');
        CHECK(lane.events().empty());
    }
};

void check_is_webhook(const event& one) {
    CHECK(one.type == "webhook");
    CHECK(one.source == "the-default");
    CHECK(one.id.size() == 36);
    CHECK(one.subject.empty());
    CHECK(one.datacontenttype == "application/json");
    CHECK(one.kind == data_kind::json);
    CHECK(one.time == arrival);
}

} // namespace

TEST_CASE("a webhook's object is the event's data, byte for byte", "[intake][webhook]") {
    for (const auto* type : {"", "application/json", "text/plain", "application/x-www-form-urlencoded"}) {
        fixture f;
        f.header(http::field::content_type, "Content-Type", type);
        f.post("/v1/webhook?writeKey=k", " {\"type\": \"x\",\"data\":1.0, \"id\":7}\n");
        CHECK(f.res.code == http::status::ok);
        CHECK(f.res.body == "ok");
        check_is_webhook(f.only_event());
        CHECK(f.only_event().data == R"({"type": "x","data":1.0, "id":7})");
    }
}

TEST_CASE("a webhook's fields are the event's data, as strings", "[intake][webhook]") {
    fixture f;
    f.get("/v1/webhook?writeKey=k&b=1&a=x+y&b=2");
    CHECK(f.res.body == "ok");
    f.header(http::field::content_type, "Content-Type", "application/x-www-form-urlencoded; charset=utf-8");
    f.post("/v1/webhook?not=looked-at", "b=2&a=x%20y");
    const auto events = f.events();
    REQUIRE(events.size() == 2);
    for (const auto& one : events) {
        check_is_webhook(one);
        CHECK(one.data == R"({"a":"x y","b":"2"})");
    }
}

TEST_CASE("a webhook that brings nothing, or no object, is refused", "[intake][webhook]") {
    fixture f;
    f.check_refused("/v1/webhook", "", "request body is nil");
    f.check_refused("/v1/webhook", " ", "request body is nil");
    f.check_refused("/v1/webhook", "[1]", "invalid json");
    f.check_refused("/v1/webhook", "[{},[]]", "invalid json");
    f.check_refused("/v1/webhook", "[{},", "invalid json");
    f.check_refused("/v1/webhook", "[]", "empty batch payload");
    f.check_refused("/v1/webhook", "\"s\"", "invalid json");
    f.check_refused("/v1/webhook", "a=1", "invalid json");
    f.get("/v1/webhook?writeKey=k");
    CHECK(f.res.code == http::status::bad_request);
    f.header(http::field::content_type, "Content-Type", "application/x-www-form-urlencoded");
    f.check_refused("/v1/webhook", "", "request body is nil");
    const auto large = R"({"x":")" + std::string(1 << 20, 'x') + "\"}";
    f.post("/v1/webhook", large);
    CHECK(f.res.code == http::status::payload_too_large);
    CHECK(f.lane.events().empty());
}

TEST_CASE("each object of a webhook's array is an event", "[intake][webhook]") {
    for (const auto* type : {"", "application/json", "application/x-www-form-urlencoded", "text/plain"}) {
        fixture f;
        f.header(http::field::content_type, "Content-Type", type);
        f.header("Idempotency-Key", "key");
        f.post("/v1/webhook", "\xef\xbb\xbf [ {\"a\": 1},\n{\"data\":{},\"type\":\"x\"} ] ");
        INFO(f.res.body);
        const auto events = f.events();
        REQUIRE(events.size() == 2);
        CHECK(events[0].data == "{\"a\": 1}");
        CHECK(events[0].id == "key-0");
        CHECK(events[1].data == R"({"data":{},"type":"x"})");
        CHECK(events[1].id == "key-1");
        CHECK(events[1].type == "webhook");
    }
    fixture f;
    f.endpoint.use({.max_batch_events = 2});
    f.post("/v1/webhook", "[{},{},{}]");
    CHECK(f.res.code == http::status::payload_too_large);
    CHECK(f.lane.events().empty());
}

TEST_CASE("the Idempotency-Key, else the id of the delivery, is a webhook's id", "[intake][webhook]") {
    for (const auto* name :
         {"webhook-id", "svix-id", "X-GitHub-Delivery", "X-Shopify-Webhook-Id", "x-gitea-delivery"}) {
        for (const auto* body : {R"({"id":"not-mine"})", "a=1"}) {
            fixture f;
            f.header(name, "72d3162e-cc78");
            if (*body == 'a')
                f.header(http::field::content_type, "Content-Type", "application/x-www-form-urlencoded");
            f.post("/v1/webhook", body);
            CHECK(f.only_event().id == "72d3162e-cc78");
        }
    }
    fixture f;
    f.header("svix-id", "msg_1");
    f.header("Idempotency-Key", "key");
    f.post("/v1/webhook", "{}");
    CHECK(f.only_event().id == "key");
}

TEST_CASE("a delivery id that can be no id is left aside, an Idempotency-Key refused", "[intake][webhook]") {
    const std::string longest(201, 'x');
    for (const std::string_view id :
         {std::string_view{"a b"}, std::string_view{"\xc3\xa9"}, std::string_view{longest}}) {
        fixture f;
        f.header("X-GitHub-Delivery", id);
        f.post("/v1/webhook", "{}");
        check_is_webhook(f.only_event());
        fixture keyed;
        keyed.header("Idempotency-Key", id);
        keyed.post("/v1/webhook", "{}");
        CHECK(keyed.res.code == http::status::bad_request);
        CHECK(keyed.lane.events().empty());
    }
}

TEST_CASE("the name that the sender gives the event is a webhook's type", "[intake][webhook]") {
    for (const auto* name : {"X-GitHub-Event", "x-shopify-topic", "X-Gitlab-Event", "X-Event-Key"}) {
        fixture f;
        f.header(name, "orders/create");
        f.post("/v1/webhook", "{}");
        CHECK(f.only_event().type == "orders/create");
    }
    for (const std::string_view name :
         {std::string_view{"\xff"}, std::string_view{"a\tb"}, std::string_view{""}}) {
        fixture f;
        f.header("X-GitHub-Event", name);
        f.post("/v1/webhook", "{}");
        CHECK(f.only_event().type == "webhook");
    }
}

namespace {

std::string part_of(std::string_view head, std::string_view body) {
    return "--b\r\nContent-Disposition: form-data; " + std::string{head} + "\r\n\r\n" + std::string{body} +
           "\r\n";
}

} // namespace

TEST_CASE("the parts of multipart/form-data are a webhook's fields", "[intake][webhook]") {
    fixture f;
    f.header(http::field::content_type, "Content-Type", "multipart/form-data; boundary=\"b\"");
    f.header("Idempotency-Key", "key");
    f.post(
        "/v1/webhook",
        "preamble\r\n" + part_of("name=\"from\"", "a@example.org") + part_of("name=n", "1") +
            part_of("name=n", "2\r\n--not the end") + part_of("name=writeKey", "k") +
            part_of("name=\"f\"; filename=\"a;\\\"b.txt\"\r\nContent-Type: text/plain", "é") +
            part_of("name=g; filename=x.bin\r\ncontent-type: image/png", std::string_view{"\0\xff", 2}) +
            part_of("name=empty", "") + "--b--\r\nepilogue"
    );
    INFO(f.res.body);
    CHECK(f.res.code == http::status::ok);
    const auto one = f.only_event();
    CHECK(one.id == "key");
    CHECK(one.kind == data_kind::json);
    CHECK(
        one.data == R"({"empty":"","f":{"filename":"a;\"b.txt","contenttype":"text/plain","data":"é"},)"
                    R"("from":"a@example.org","g":{"filename":"x.bin","contenttype":"image/png",)"
                    R"("data_base64":"AP8="},"n":"2\r\n--not the end"})"
    );
}

TEST_CASE("multipart/form-data cut at any byte is refused", "[intake][webhook]") {
    const auto sent = part_of("name=a", "1") + part_of("name=b; filename=c", "2") + "--b--";
    for (std::size_t bytes = 1; bytes < sent.size(); ++bytes) {
        fixture f;
        f.header(http::field::content_type, "Content-Type", "multipart/form-data;boundary=b");
        f.post("/v1/webhook", sent.substr(0, bytes));
        INFO(bytes);
        CHECK(f.res.code == http::status::bad_request);
        CHECK(f.lane.events().empty());
    }
    fixture f;
    f.header(http::field::content_type, "Content-Type", "multipart/form-data");
    f.check_refused("/v1/webhook", sent, "invalid json");
}

TEST_CASE("a webhook that finds no room is told when to come again", "[intake][webhook]") {
    fixture f;
    f.lane.refusal = trackd::errc::backlog_full;
    f.post("/v1/webhook", "{}");
    CHECK(f.res.code == http::status::service_unavailable);
    CHECK(f.res.body == "service unavailable\n");
    CHECK(f.answered_header("Retry-After: 7"));
}

TEST_CASE("asking about the webhook is no event", "[intake][webhook]") {
    fixture f;
    f.send(http::verb::head, "/v1/webhook?a=1");
    CHECK(f.res.code == http::status::ok);
    CHECK(f.lane.events().empty());
}
