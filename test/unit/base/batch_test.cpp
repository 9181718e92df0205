#include "support/catch.hpp"
#include "support/events.hpp"

#include <trackd/batch.hpp>

#include <stdexcept>
#include <string>
#include <vector>

using namespace trackd;

namespace {

std::vector<std::string> ids(const batch& events) {
    std::vector<std::string> found;
    for (const auto event : events)
        found.emplace_back(event.id);
    return found;
}

} // namespace

TEST_CASE("an event comes out of a batch as it went in", "[batch]") {
    event_view in;
    in.id = "1";
    in.source = "/web/checkout";
    in.type = "order.placed";
    in.subject = "order 7";
    in.datacontenttype = "application/json";
    in.extensions = R"({"traceparent":"00-ab"})";
    in.data = std::string_view{"{\"n\":1}\0x", 9};
    in.kind = data_kind::binary;
    in.time = wall_time{std::chrono::microseconds{-5}};
    in.received_at = wall_time{std::chrono::microseconds{1'763'683'200'000'001}};
    batch events;
    events.append(in);

    REQUIRE(events.events() == 1);
    const auto out = *events.begin();
    CHECK(out.id == in.id);
    CHECK(out.source == in.source);
    CHECK(out.type == in.type);
    CHECK(out.subject == in.subject);
    CHECK(out.datacontenttype == in.datacontenttype);
    CHECK(out.extensions == in.extensions);
    CHECK(out.data == in.data);
    CHECK(out.kind == in.kind);
    CHECK(out.time == in.time);
    CHECK(out.received_at == in.received_at);
}

TEST_CASE("an event with nothing in it is still an event", "[batch]") {
    batch events;
    events.append(event_view{});
    CHECK(events.events() == 1);
    CHECK((*events.begin()).id.empty());
    CHECK((*events.begin()).kind == data_kind::none);
}

TEST_CASE("events keep their order", "[batch]") {
    CHECK(ids(test::make_batch(3)) == std::vector<std::string>{"1", "2", "3"});
}

TEST_CASE("truncating forgets what came after the mark and nothing else", "[batch]") {
    auto events = test::make_batch(2);
    const auto mark = events.end_mark();
    events.append(test::make_event("3"));
    events.truncate(mark);
    CHECK(ids(events) == std::vector<std::string>{"1", "2"});
    CHECK(events.end_mark().bytes == mark.bytes);
}

TEST_CASE("taking over another batch empties it", "[batch]") {
    auto events = test::make_batch(2);
    auto more = test::make_batch(2, 3);
    events.append(std::move(more));
    CHECK(ids(events) == std::vector<std::string>{"1", "2", "3", "4"});
    CHECK(more.empty()); // NOLINT(bugprone-use-after-move): emptied is what it promises
}

TEST_CASE("a copy of a batch goes its own way", "[batch]") {
    auto original = test::make_batch(2);
    auto copy = original;
    original.clear();
    original.append(test::make_event("4"));
    copy.append(test::make_event("3"));
    CHECK(ids(original) == std::vector<std::string>{"4"});
    CHECK(ids(copy) == std::vector<std::string>{"1", "2", "3"});
}

TEST_CASE("an attribute that is too long is refused and leaves the batch as it was", "[batch]") {
    auto events = test::make_batch(1);
    const std::string longest(max_attribute_bytes, 'x');
    auto event = test::make_event("2");
    event.subject = longest;
    events.append(event);
    const std::string too_long(max_attribute_bytes + 1, 'x');
    event.subject = too_long;
    CHECK_THROWS_AS(events.append(event), std::length_error);
    CHECK(events.events() == 2);
    CHECK(ids(events) == std::vector<std::string>{"1", "2"});
}
