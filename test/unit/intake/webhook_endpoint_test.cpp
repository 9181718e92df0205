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
    f.check_refused("/v1/webhook", "[{}]", "invalid json");
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
