#include "endpoint_fixture.hpp"
#include "intake/native_endpoint.hpp"

using namespace reading;
using namespace std::chrono_literals;

namespace {

/// Posts with the required attributes in the header.
struct fixture : endpoint_fixture<trackd::intake::native_endpoint> {
    fixture() {
        header("ce-specversion", "1.0");
        header("ce-id", "i");
        header("ce-source", "/s");
        header("ce-type", "t");
    }

    void content_type(std::string_view value) { header(http::field::content_type, "Content-Type", value); }

    void check_refused(http::status code, std::string_view why) {
        post("/events", "x");
        INFO(res.body);
        CHECK(res.code == code);
        CHECK(slug() == (code == http::status::bad_request ? "invalid-header" : "invalid-event"));
        CHECK(detail().find(why) != std::string::npos);
        CHECK(lane.events().empty());
    }
};

/// What a value of a field stands for, as the subject of an event.
std::string decoded(std::string_view value) {
    fixture f;
    f.header("ce-subject", value);
    f.post("/events", "x");
    INFO(value);
    INFO(f.res.body);
    REQUIRE(f.res.code == http::status::created);
    return f.only_event().subject;
}

} // namespace

TEST_CASE("a CloudEvent in the binary mode has its attributes in the header", "[intake][cloudevent]") {
    fixture f;
    f.header("CE-Subject", "sub");
    f.header("ce-time", "2018-04-05T17:31:00Z");
    f.header("ce-dataschema", "https://example.org/schema");
    f.header("Ce-SampledRate", "3");
    f.content_type("image/png");
    f.post("/events", std::string_view{"\x89PNG\0", 5});
    CHECK(f.res.code == http::status::created);
    CHECK(f.res.body == R"({"accepted":1})");
    const auto e = f.only_event();
    CHECK(e.id == "i");
    CHECK(e.source == "/s");
    CHECK(e.type == "t");
    CHECK(e.subject == "sub");
    CHECK(e.time == std::chrono::sys_days{std::chrono::year{2018} / 4 / 5} + 17h + 31min);
    CHECK(e.received_at == arrival);
    CHECK(e.datacontenttype == "image/png");
    CHECK(e.extensions == R"({"dataschema":"https://example.org/schema","sampledrate":"3"})");
    CHECK(e.data == std::string_view{"\x89PNG\0", 5});
    CHECK(e.kind == data_kind::binary);
}

TEST_CASE(
    "the binary mode works on every path for events, and the path may give the type", "[intake][cloudevent]"
) {
    for (const auto* path : {"/", "/events", "/events/t"}) {
        fixture f;
        f.post(path, "x");
        CHECK(f.only_event().type == "t");
    }
    fixture f;
    f.req.headers.pop_back(); // the type
    f.post("/events/order%20paid", "x");
    CHECK(f.only_event().type == "order paid");
}

TEST_CASE("a type in the header that is not the path's is refused", "[intake][cloudevent]") {
    fixture f;
    f.post("/events/other", "x");
    CHECK(f.res.code == http::status::unprocessable_entity);
    CHECK(f.detail().find("ce-type is \"t\", but the path says \"other\"") == 0);
}

TEST_CASE("JSON data of the binary mode is checked, and kept as it came", "[intake][cloudevent]") {
    fixture f;
    f.content_type("application/vnd.order+json; charset=utf-8");
    f.post("/events", " [1, {\"specversion\":\"2\"}] ");
    const auto e = f.only_event();
    CHECK(e.kind == data_kind::json);
    CHECK(e.data == "[1, {\"specversion\":\"2\"}]");
    CHECK(e.datacontenttype == "application/vnd.order+json; charset=utf-8");

    f.post("/events", "[1");
    CHECK(f.res.code == http::status::bad_request);
    CHECK(f.slug() == "invalid-json");
}

TEST_CASE("a body that looks like JSON is text where its content type says text", "[intake][cloudevent]") {
    fixture f;
    f.content_type("text/plain");
    f.post("/events", "[1");
    CHECK(f.only_event().kind == data_kind::text);
}

TEST_CASE("an event of the binary mode without a body has no data", "[intake][cloudevent]") {
    fixture f;
    f.post("/events", "");
    CHECK(f.res.code == http::status::created);
    CHECK(f.only_event().kind == data_kind::none);
    CHECK(f.only_event().datacontenttype.empty());
}

TEST_CASE("structured mode wins over attributes in the header", "[intake][cloudevent]") {
    fixture f;
    f.content_type("application/cloudevents+json");
    f.post("/events", R"({"specversion":"1.0","id":"body","source":"/b","type":"b"})");
    CHECK(f.only_event().id == "body");
}

TEST_CASE("a single ce- extension makes no CloudEvent of a plain object", "[intake][cloudevent]") {
    endpoint_fixture<trackd::intake::native_endpoint> f;
    f.header("ce-region", "eu");
    f.post("/events", R"({"a":1})");
    CHECK(f.only_event().data == R"({"a":1})");
}

TEST_CASE("a value of the binary mode is unquoted, and then percent-decoded once", "[intake][cloudevent]") {
    CHECK(decoded("Euro%20%E2%82%AC%20%F0%9F%98%80") == "Euro € 😀");
    CHECK(decoded("%e2%82%ac") == "€");
    CHECK(decoded("%41%2Fb") == "A/b");
    CHECK(decoded("%2525") == "%25");
    CHECK(decoded(R"("a \"quoted\" \\ word")") == R"(a "quoted" \ word)");
    CHECK(decoded(R"("%E2%82%AC")") == "€");
    CHECK(decoded("within \"quotes\"") == "within \"quotes\"");
    CHECK(decoded("raw é") == "raw é");
}

TEST_CASE(
    "a percent sign of the binary mode that begins no escape stands for itself", "[intake][cloudevent]"
) {
    for (const auto* value : {"100% sure", "%", "a%2", "%zz", "100%", "%%", "%u20ac", "5 %é"})
        CHECK(decoded(value) == value);
    CHECK(decoded("100% s%C3%BCre%") == "100% süre%");
    CHECK(decoded("%%41") == "%A");
    CHECK(decoded("\"100% \\\"sure\\\"\"") == "100% \"sure\"");
    fixture f;
    f.header("ce-comment", "100% sure");
    f.post("/events", "x");
    CHECK(f.only_event().extensions == R"({"comment":"100% sure"})");
}

TEST_CASE("a CloudEvent of the binary mode without Content-Type gets none", "[intake][cloudevent]") {
    for (const std::string_view data : {"text", "{\"a\":1}", "\xff\xfe"}) {
        fixture f;
        f.post("/events", data);
        CHECK(f.only_event().datacontenttype.empty());
        CHECK(f.only_event().data == data);
        CHECK(f.only_event().kind == (data == "\xff\xfe" ? data_kind::binary : data_kind::text));
    }
}

TEST_CASE("a value of the binary mode that cannot be decoded is refused by name", "[intake][cloudevent]") {
    for (const auto* value : {"%C0%A0", "%ED%A0%80", "%ff", "\xff", "\"open", "\"a\"b", "\"a\\"}) {
        fixture f;
        f.header("ce-subject", value);
        INFO(value);
        f.check_refused(http::status::bad_request, "ce-subject is ");
    }
}

TEST_CASE("a value of the binary mode obeys the rules of attributes", "[intake][cloudevent]") {
    const std::string long_value(1025, 'x');
    for (const std::string_view value :
         {std::string_view{""}, std::string_view{long_value}, std::string_view{"%00"},
          std::string_view{"%0A"}, std::string_view{"\"\""}}) {
        fixture f;
        f.header("ce-subject", value);
        INFO(value);
        f.check_refused(http::status::unprocessable_entity, "ce-subject ");
    }
}

TEST_CASE("each required attribute of the binary mode is missed by name", "[intake][cloudevent]") {
    for (std::size_t which = 0; which < 4; ++which) {
        fixture f;
        const std::string name{f.req.headers[which].name};
        f.req.headers.erase(f.req.headers.begin() + static_cast<std::ptrdiff_t>(which));
        f.check_refused(http::status::unprocessable_entity, name + " is missing");
    }
}

TEST_CASE("what is wrong with an attribute of the binary mode is said by name", "[intake][cloudevent]") {
    {
        fixture f;
        f.req.headers[0].value = "0.3";
        f.check_refused(http::status::unprocessable_entity, "ce-specversion is \"0.3\"");
    }
    {
        fixture f;
        f.header("ce-time", "yesterday");
        f.check_refused(http::status::unprocessable_entity, "ce-time is \"yesterday\"");
    }
    for (const auto* name : {"ce-my-ext", "ce-my_ext", "ce-data", "ce-data_base64"}) {
        fixture f;
        f.header(name, "1");
        f.check_refused(http::status::unprocessable_entity, name);
    }
}

TEST_CASE("an attribute of the binary mode is given once", "[intake][cloudevent]") {
    for (const auto* name : {"CE-ID", "ce-region"}) {
        fixture f;
        f.header("ce-region", "eu");
        f.header(name, "i");
        f.check_refused(http::status::bad_request, "is given twice");
    }
}

TEST_CASE("the content type of the binary mode stands in Content-Type only", "[intake][cloudevent]") {
    fixture f;
    f.header("ce-datacontenttype", "text/plain");
    f.check_refused(http::status::bad_request, "ce-datacontenttype is there; expected Content-Type");
}
