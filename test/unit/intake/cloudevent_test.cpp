#include "reading.hpp"

#include <array>

using namespace reading;
using namespace std::chrono_literals;

namespace {

/// A CloudEvent with the required attributes, and these members behind them.
std::string cloudevent(std::string_view more) {
    std::string text = R"({"specversion":"1.0","id":"i","source":"/s","type":"t")";
    if (!more.empty()) text.append(",").append(more);
    return text + '}';
}

} // namespace

TEST_CASE("a CloudEvent brings all its attributes", "[intake][cloudevent]") {
    const auto e = read_one(cloudevent(
        R"("time":"2018-04-05T17:31:00+02:00","subject":"sub","datacontenttype":"application/json","data":{"a": [1 ]})"
    ));
    CHECK(e.id == "i");
    CHECK(e.source == "/s");
    CHECK(e.type == "t");
    CHECK(e.subject == "sub");
    CHECK(e.datacontenttype == "application/json");
    CHECK(e.extensions.empty());
    CHECK(e.data == R"({"a": [1 ]})");
    CHECK(e.kind == data_kind::json);
    CHECK(e.time == std::chrono::sys_days{std::chrono::year{2018} / 4 / 5} + 15h + 31min);
    CHECK(e.received_at == arrival);
}

TEST_CASE("a CloudEvent without data has none", "[intake][cloudevent]") {
    const auto e = read_one(cloudevent(""));
    CHECK(e.kind == data_kind::none);
    CHECK(e.data.empty());
    CHECK(e.datacontenttype.empty());
    CHECK(e.time == arrival);
}

TEST_CASE("a CloudEvent that lacks a required attribute is refused by its name", "[intake][cloudevent]") {
    CHECK(says(refused(R"({"specversion":"1.0","source":"/s","type":"t"})"), "\"id\" is missing"));
    CHECK(says(refused(R"({"specversion":"1.0","id":"i","type":"t"})"), "\"source\" is missing"));
    CHECK(says(refused(R"({"specversion":"1.0","id":"i","source":"/s"})"), "\"type\" is missing"));
    CHECK(says(
        refused(R"({"specversion":null,"id":"i","source":"/s","type":"t"})"), "\"specversion\" is missing"
    ));
}

TEST_CASE("only version 1.0 of CloudEvents is read", "[intake][cloudevent]") {
    const auto why = refused(R"({"specversion":"0.3","id":"i","source":"/s","type":"t"})");
    CHECK(why.kind == refusal_kind::invalid_event);
    CHECK(says(why, R"("specversion" is "0.3"; expected "1.0")"));
    CHECK(says(
        refused(R"({"specversion":1.0,"id":"i","source":"/s","type":"t"})"), "is a number; expected a string"
    ));
}

TEST_CASE("an attribute of a CloudEvent that is null is not there", "[intake][cloudevent]") {
    const auto e =
        read_one(cloudevent(R"("subject":null,"time":null,"datacontenttype":null,"ext":null,"data":1)"));
    CHECK(e.subject.empty());
    CHECK(e.time == arrival);
    CHECK(e.extensions.empty());
    CHECK(e.datacontenttype == "application/json");
    CHECK(says(refused(R"({"specversion":"1.0","id":null,"source":"/s","type":"t"})"), "\"id\" is missing"));
}

TEST_CASE("null is data like any other JSON value", "[intake][cloudevent]") {
    const auto e = read_one(cloudevent(R"("data": null )"));
    CHECK(e.data == "null");
    CHECK(e.kind == data_kind::json);
}

TEST_CASE("JSON data of a CloudEvent is kept as it came", "[intake][cloudevent]") {
    for (const std::string data :
         {"1", "-1.50E+3", "\"s\\u00e9\"", "true", "{ \"a\" :1}", "[ ]", "123456789012345678901234567890",
          "1e400"}) {
        const auto e = read_one(cloudevent("\"data\" : " + data + " "));
        CHECK(e.data == data);
        CHECK(e.kind == data_kind::json);
    }
    CHECK(read_one(cloudevent(R"("datacontenttype":"application/vnd.x+json","data":[1])")).data == "[1]");
}

TEST_CASE("data that is not JSON is a string, and is kept unescaped", "[intake][cloudevent]") {
    const auto e = read_one(cloudevent(R"("datacontenttype":"text/xml","data":"<a b=\"\u00e9\"/>\n")"));
    CHECK(e.data == "<a b=\"é\"/>\n");
    CHECK(e.kind == data_kind::text);
    CHECK(e.datacontenttype == "text/xml");
    const auto why = refused(cloudevent(R"("datacontenttype":"text/xml","data":{"a":1})"));
    CHECK(says(why, R"("data" is an object; expected a string, because "datacontenttype" is "text/xml")"));
}

TEST_CASE("text with U+0000 in it is kept as bytes", "[intake][cloudevent]") {
    const auto e = read_one(cloudevent(R"("datacontenttype":"text/plain","data":"a\u0000b")"));
    CHECK(e.data == std::string("a\0b", 3));
    CHECK(e.kind == data_kind::binary);
}

TEST_CASE("base64 data is decoded", "[intake][cloudevent]") {
    const auto e = read_one(cloudevent(R"("datacontenttype":"image/png","data_base64":"iVBO\/w==")"));
    CHECK(e.data == "\x89PN\xff");
    CHECK(e.kind == data_kind::binary);
    CHECK(says(refused(cloudevent(R"("data_base64":"a")")), R"("data_base64" is "a"; expected base64)"));
    CHECK(says(refused(cloudevent(R"("data_base64":7)")), R"("data_base64" is a number; expected a string)"));
}

TEST_CASE("data comes once, plain or as base64", "[intake][cloudevent]") {
    CHECK(says(refused(cloudevent(R"("data":1,"data_base64":"Zg==")")), "both there"));
    CHECK(read_one(cloudevent(R"("data":null,"data_base64":"Zg==")")).data == "f");
    CHECK(read_one(cloudevent(R"("data":1,"data_base64":null)")).data == "1");
}

TEST_CASE("extensions are kept as they came", "[intake][cloudevent]") {
    const auto e = read_one(
        cloudevent(R"("dataschema":"http://x/y","traceparent":"00-\u0061","n": -12 ,"flag" : true,"zero":-0)")
    );
    CHECK(
        e.extensions ==
        R"({"dataschema":"http://x/y","traceparent":"00-\u0061","n":-12,"flag":true,"zero":-0})"
    );
}

TEST_CASE("extensions of other kinds are refused by their name", "[intake][cloudevent]") {
    for (const auto* value : {"1.5", "1e3", "2147483648", "-2147483649", "{}", "[1]"})
        CHECK(says(refused(cloudevent(std::string{"\"ext\":"} + value)), "\"ext\" is "));
    CHECK(
        read_one(cloudevent(R"("a":2147483647,"b":-2147483648)")).extensions ==
        R"({"a":2147483647,"b":-2147483648})"
    );
}

TEST_CASE("names of extensions are small letters and digits", "[intake][cloudevent]") {
    for (const auto* name : {"", "Ext", "my_ext", "my-ext", "é", "a b", "a.b"})
        CHECK(says(refused(cloudevent(std::string{"\""} + name + "\":\"v\"")), "is no name of an attribute"));
    CHECK(says(refused(cloudevent('"' + std::string(1025, 'a') + "\":1")), "at most 1024"));
    CHECK(read_one(cloudevent(R"("\u0061b":1)")).extensions == R"({"ab":1})");
}

TEST_CASE("an attribute of a CloudEvent given twice is refused by its name", "[intake][cloudevent]") {
    CHECK(says(refused(cloudevent(R"("id":"i")")), "\"id\" is given twice"));
    CHECK(says(refused(cloudevent(R"("\u0069d":"j")")), "\"id\" is given twice"));
    CHECK(says(refused(cloudevent(R"("data":1,"data":2)")), "\"data\" is given twice"));
    CHECK(says(refused(cloudevent(R"("x":1,"y":2,"\u0078":3)")), "\"x\" is given twice"));
    CHECK(says(refused(cloudevent(R"("subject":null,"subject":"s")")), "\"subject\" is given twice"));
}

TEST_CASE("members of the data are not attributes", "[intake][cloudevent]") {
    const auto e = read_one(cloudevent(R"("data":{"id":1,"id":2,"data":3,"specversion":4})"));
    CHECK(e.data == R"({"id":1,"id":2,"data":3,"specversion":4})");
}

TEST_CASE("an attribute that cannot be one is refused by its name", "[intake][cloudevent]") {
    for (const std::string name : {"subject", "datacontenttype", "dataschema", "time", "ext"}) {
        CHECK(says(refused(cloudevent('"' + name + "\":\"\"")), '"' + name + "\" is empty"));
        CHECK(says(refused(cloudevent('"' + name + "\":\"a\\u0000b\"")), "expected no control characters"));
        const auto long_value = "\"" + name + "\":\"" + std::string(1025, 'x') + "\"";
        CHECK(says(refused(cloudevent(long_value)), '"' + name + "\" has 1025 bytes; expected 1 to 1024"));
    }
    for (const std::string name : {"subject", "datacontenttype", "dataschema", "time"})
        CHECK(says(refused(cloudevent('"' + name + "\":7")), '"' + name + "\" is a number; expected a string")
        );
}

TEST_CASE("an attribute may be as long as the limit, counted without its escapes", "[intake][cloudevent]") {
    std::string escaped;
    for (int i = 0; i < 512; ++i)
        escaped += "\\u00e9";
    CHECK(read_one(cloudevent("\"subject\":\"" + escaped + '"')).subject.size() == 1024);
}

TEST_CASE("a time that is no date-time is refused", "[intake][cloudevent]") {
    const auto why = refused(cloudevent(R"("time":"yesterday")"));
    CHECK(why.kind == refusal_kind::invalid_event);
    CHECK(says(why, R"("time" is "yesterday"; expected a date-time of RFC 3339)"));
}

TEST_CASE("what a client wrote is quoted briefly and escaped", "[intake][cloudevent]") {
    const auto why = refused(cloudevent("\"time\":\"" + std::string(500, 'x') + "\""));
    CHECK(why.detail.size() < 200);
    CHECK(says(refused(cloudevent(R"("time":"a\u001b[31m")")), "a\\u001b[31m"));
    std::string wide = "\"time\":\"x";
    for (int i = 0; i < 100; ++i)
        wide += "é";
    CHECK(says(refused(cloudevent(wide + '"')), "é\"..."));
}

TEST_CASE("the content type of CloudEvents promises CloudEvents", "[intake][cloudevent]") {
    const request one{.content_type = "application/cloudevents+json; charset=UTF-8"};
    const request many{.content_type = "application/cloudevents-batch+json"};
    CHECK(read_one(cloudevent(""), one).id == "i");
    CHECK(read('[' + cloudevent("") + ',' + cloudevent("") + ']', many).events.size() == 2);

    CHECK(says(refused(R"({"id":"i"})", one), "\"specversion\" is missing"));
    CHECK(
        says(refused('[' + cloudevent("") + R"(,{"data":1}])", many), "event [1]: \"specversion\" is missing")
    );
    CHECK(says(refused('[' + cloudevent("") + ']', one), "the body is an array; expected an object"));
    CHECK(says(refused(cloudevent(""), many), "the body is an object; expected an array"));
    const auto why = refused(cloudevent(""), {.content_type = "application/cloudevents+avro"});
    CHECK(why.kind == refusal_kind::unsupported_media_type);
}

TEST_CASE("the beginning of the content type chooses the mode of CloudEvents", "[intake][cloudevent]") {
    for (const auto* one : {"application/cloudevents", "Application/CloudEvents+JSON;charset=utf-8"})
        CHECK(read_one(cloudevent(""), {.content_type = one}).id == "i");
    for (const auto* many : {"application/cloudevents-batch", "application/cloudevents-batch+json; x=1"})
        CHECK(read_one('[' + cloudevent("") + ']', {.content_type = many}).id == "i");
}

TEST_CASE("a format of CloudEvents other than JSON is refused, whatever it ends in", "[intake][cloudevent]") {
    for (const auto* other :
         {"application/cloudevents+avro", "application/cloudevents-batch+avro",
          "application/cloudevents-x+json", "application/cloudevents+xml; charset=utf-8"}) {
        const auto why = refused(cloudevent(""), {.content_type = other});
        CHECK(why.kind == refusal_kind::unsupported_media_type);
        CHECK(says(why, "expected CloudEvents in JSON"));
    }
}

TEST_CASE("a batch of CloudEvents may be empty", "[intake][cloudevent]") {
    const auto result = read("[ ]", {.content_type = "application/cloudevents-batch+json"});
    CHECK_FALSE(result.refused);
    CHECK(result.events.empty());
}
