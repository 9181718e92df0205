#include "intake/json_document.hpp"
#include "reading.hpp"

#include <array>

using reading::body;
using trackd::intake::json_document;
using trackd::intake::json_kind;

TEST_CASE("members come in order, as they stand in the text", "[intake][json]") {
    const body sent{" { \"a\" : 1 ,\t\"b\\n\":[ 1, {\"x\":[]} ] , \"\" : \"s, }\" ,\n\"d\": -1.50E+3 } "};
    json_document document;
    REQUIRE_FALSE(document.parse(sent.text()));
    auto at = document.root();
    CHECK(at.kind() == json_kind::object);
    std::vector<std::pair<std::string, std::string>> members;
    const auto begin = at.offset();
    for (bool more = at.enter(); more; more = at.next()) {
        const auto name = at.name();
        members.emplace_back(name, at.value());
    }
    const decltype(members
    ) expected{{"a", "1"}, {"b\\n", "[ 1, {\"x\":[]} ]"}, {"", "\"s, }\""}, {"d", "-1.50E+3"}};
    CHECK(members == expected);
    CHECK(at.bytes(begin, at.end_of_closed()) == sent.text().substr(1, sent.text().size() - 2));
}

TEST_CASE("elements are walked one by one, and within each other", "[intake][json]") {
    const body sent{R"([{"a":1},[],{},[[2]],"x"])"};
    json_document document;
    REQUIRE_FALSE(document.parse(sent.text()));
    auto at = document.root();
    REQUIRE(at.enter());
    REQUIRE(at.enter());
    CHECK(at.name() == "a");
    CHECK(at.value() == "1");
    CHECK_FALSE(at.next());
    for (const std::string_view expected : {"[]", "{}", "[[2]]", "\"x\""}) {
        REQUIRE(at.next());
        CHECK(at.value() == expected);
    }
    CHECK_FALSE(at.next());
}

TEST_CASE("an empty object has no members and an empty array no elements", "[intake][json]") {
    json_document document;
    for (const auto* text : {"{}", "[]", " { } ", "[\n]"}) {
        const body sent{text};
        REQUIRE_FALSE(document.parse(sent.text()));
        auto at = document.root();
        CHECK_FALSE(at.enter());
    }
}

TEST_CASE("a text with a number that simdjson cannot hold is walked like any other", "[intake][json]") {
    const body sent{R"({"a":[1,123456789012345678901234567890],"b":1e400})"};
    json_document document;
    REQUIRE_FALSE(document.parse(sent.text()));
    auto at = document.root();
    REQUIRE(at.enter());
    CHECK(at.name() == "a");
    CHECK(at.value() == "[1,123456789012345678901234567890]");
    REQUIRE(at.next());
    CHECK(at.name() == "b");
    CHECK(at.value() == "1e400");
    CHECK_FALSE(at.next());
}

TEST_CASE("what lies behind the text does not matter", "[intake][json]") {
    json_document document;
    for (const char padding : {'\0', '"', '\\', '1', '}', ' ', '\xff'}) {
        CHECK_FALSE(document.parse(body{R"({"a":12})", padding}.text()));
        CHECK_FALSE(document.parse(body{"12", padding}.text()));
        CHECK(document.parse(body{R"({"a":12)", padding}.text()));
        CHECK(document.parse(body{R"({"a":"b)", padding}.text()));
    }
}

TEST_CASE("texts of all sizes follow each other, and memory is given back", "[intake][json]") {
    json_document document;
    for (const std::size_t size : {10UL, 3'000'000UL, 63UL, 64UL, 65UL, 1'000'000UL, 1UL}) {
        const body sent{"\"" + std::string(size, 'x') + "\""};
        REQUIRE_FALSE(document.parse(sent.text()));
        CHECK(document.root().kind() == json_kind::string);
        document.release();
    }
}
