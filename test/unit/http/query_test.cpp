#include "http/query.hpp"
#include "support/catch.hpp"

using namespace trackd::http;

TEST_CASE("a form's value is decoded", "[http][query]") {
    CHECK(decode_form("a+b%20c%2Bd") == "a b c+d");
    CHECK(decode_form("%E2%82%AC") == "€");
    CHECK(decode_form("") == "");
}

TEST_CASE("a percent sign that begins no byte stands for itself", "[http][query]") {
    CHECK(decode_form("100%") == "100%");
    CHECK(decode_form("%zz%4") == "%zz%4");
}

TEST_CASE("escapes are undone, and what is none stays as it is", "[http][query]") {
    CHECK(decode_escapes("%41%2fb+c") == "A/b+c");
    CHECK(decode_escapes("100% sure %") == "100% sure %");
    CHECK(decode_escapes("%4%41%%4G%4") == "%4A%%4G%4");
    CHECK(decode_escapes("").empty());
}

TEST_CASE("a query is split into its parameters", "[http][query]") {
    const std::vector<query_parameter> expected{{"a", "1=2"}, {"b c", ""}, {"a", "3"}, {"d", ""}};
    CHECK(parse_query("a=1=2&b+c=&&=x&a=3&d") == expected);
    CHECK(parse_query("").empty());
}

TEST_CASE("a query is taken apart from its beginning", "[http][query]") {
    std::string_view query = "a=1=2&&b";
    using parameter = std::pair<std::string_view, std::string_view>;
    CHECK(take_parameter(query) == parameter{"a", "1=2"});
    CHECK(take_parameter(query) == parameter{"", ""});
    CHECK(take_parameter(query) == parameter{"b", ""});
    CHECK(query.empty());
}

TEST_CASE("a parameter is found by its name", "[http][query]") {
    CHECK(find_parameter("ab=0&a=1&a=2", "a") == "1");
    CHECK(find_parameter("a", "a") == "");
    CHECK_FALSE(find_parameter("ab=1", "a"));
    CHECK_FALSE(find_parameter("", "a"));
}
