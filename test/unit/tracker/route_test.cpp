#include "support/catch.hpp"
#include "support/events.hpp"

#include <trackd/route.hpp>

using namespace trackd;

namespace {

bool wants(const std::vector<std::string>& all, std::string_view text) {
    return patterns{all}.wants(text);
}

} // namespace

TEST_CASE("a route without patterns wants everything", "[route]") {
    CHECK(route{}.wants_all());
    CHECK(route{}.wants(test::make_event("1")));
    CHECK(wants({}, ""));
}

TEST_CASE("a pattern without a star is the whole text", "[route]") {
    CHECK(wants({"order.created"}, "order.created"));
    CHECK_FALSE(wants({"order.created"}, "order.created.again"));
    CHECK_FALSE(wants({"order.created"}, "Order.created"));
    CHECK_FALSE(wants({"order.created"}, ""));
}

TEST_CASE("a star stands for any bytes, also for none", "[route]") {
    CHECK(wants({"order.*"}, "order."));
    CHECK(wants({"order.*"}, "order.created"));
    CHECK_FALSE(wants({"order.*"}, "order"));
    CHECK(wants({"*"}, ""));
    CHECK(wants({"*.created"}, "a.created.created"));
    CHECK(wants({"a*b*c"}, "a-b-b-c"));
    CHECK_FALSE(wants({"a*b*c"}, "a-b-b-c-"));
    CHECK(wants({"a**"}, "a"));
    CHECK_FALSE(wants({"*ab"}, "aab-"));
    CHECK(wants({"*ab"}, "aab"));
}

TEST_CASE("one of several patterns is enough, and one with an exclamation mark too much", "[route]") {
    CHECK(wants({"order.*", "page"}, "page"));
    CHECK_FALSE(wants({"order.*", "page"}, "screen"));
    CHECK_FALSE(wants({"order.*", "!order.debug"}, "order.debug"));
    CHECK(wants({"!order.debug", "order.*"}, "order.created"));
    CHECK(wants({"!*.debug"}, "anything"));
    CHECK_FALSE(wants({"!*.debug"}, "x.debug"));
}

TEST_CASE("a pattern of many stars takes no more time than pattern times text", "[route]") {
    std::string pattern;
    for (int i = 0; i < 200; ++i)
        pattern += "*a";
    CHECK_FALSE(wants({pattern + "*b"}, std::string(1024, 'a')));
}

TEST_CASE("a route looks at the type and at the source", "[route]") {
    route shop{patterns{{"order.*"}}, patterns{{"shop"}}};
    auto event = test::make_event("1");
    event.type = "order.created";
    event.source = "shop";
    CHECK(shop.wants(event));
    event.source = "blog";
    CHECK_FALSE(shop.wants(event));
    event.source = "shop";
    event.type = "page";
    CHECK_FALSE(shop.wants(event));
}
