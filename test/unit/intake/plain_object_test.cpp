#include "reading.hpp"

using namespace reading;

TEST_CASE("an object without specversion and data is data, byte for byte", "[intake][plain_object]") {
    const std::string object =
        "{ \"id\":\t7,\"user\" : {\"a\":[ 1 ]},\r\n \"n\":123456789012345678901234567890 }";
    const auto e = read_one(" \n" + object + "\n ");
    CHECK(e.data == object);
    CHECK(e.kind == data_kind::json);
    CHECK(e.datacontenttype == "application/json");
    CHECK(e.type == "event");
    CHECK(e.source == "the-default");
    CHECK(e.id.size() == 36);
    CHECK(e.time == arrival);
}

TEST_CASE("an empty object is an event", "[intake][plain_object]") {
    CHECK(read_one("{}").data == "{}");
}

TEST_CASE("a string in the member type of a plain object is also the type", "[intake][plain_object]") {
    const auto e = read_one(R"({"type":"click","id":"not-mine","time":"whenever"})");
    CHECK(e.type == "click");
    CHECK(e.data == R"({"type":"click","id":"not-mine","time":"whenever"})");
    CHECK(e.id != "not-mine");
    CHECK(read_one(R"({"t\u0079pe":"cl\u0069ck"})").type == "click");
}

TEST_CASE("a member type of a plain object that is no line of text is only data", "[intake][plain_object]") {
    for (const std::string value : {"1", "null", "{}", "[\"a\"]", "true", R"("a\u0000")", R"("a\r\nb")"}) {
        const auto e = read_one("{\"type\":" + value + '}');
        CHECK(e.type == "event");
        CHECK(e.data == "{\"type\":" + value + '}');
    }
}

TEST_CASE("a string in the member type that cannot be a type is refused", "[intake][plain_object]") {
    const std::vector<std::string> values{R"("")", '"' + std::string(1025, 'x') + '"'};
    for (const auto& value : values)
        CHECK(says(refused("{\"type\":" + value + '}'), "\"type\""));
}

TEST_CASE("a plain object with two types is refused", "[intake][plain_object]") {
    CHECK(says(refused(R"({"type":"a","type":"b"})"), "\"type\" is given twice"));
    CHECK(read_one(R"({"id":1,"id":2,"x":1,"x":2})").data == R"({"id":1,"id":2,"x":1,"x":2})");
}

TEST_CASE(
    "the path gives the type of a plain object, whose own is then only data", "[intake][plain_object]"
) {
    const auto e = read_one(R"({"type":"express"})", {.path_type = "order.created"});
    CHECK(e.type == "order.created");
    CHECK(e.data == R"({"type":"express"})");
}

TEST_CASE("members of the same name deeper down do not matter", "[intake][plain_object]") {
    const auto e = read_one(R"({"a":{"data":1,"specversion":"1.0","type":"x"}})");
    CHECK(e.type == "event");
    CHECK(e.data == R"({"a":{"data":1,"specversion":"1.0","type":"x"}})");
}
