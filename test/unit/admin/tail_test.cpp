// What one live tail shows, and what it leaves out.
#include "admin/tail.hpp"
#include "support/catch.hpp"
#include "support/events.hpp"

#include <boost/json/parse.hpp>

#include <algorithm>
#include <memory>
#include <stdexcept>
#include <utility>

using namespace trackd;
using namespace std::chrono_literals;

namespace {

constexpr clock::time_point start{1h};

event_view typed(std::string_view type, std::string_view source = "test") {
    auto event = test::make_event(type);
    event.type = type;
    event.source = source;
    return event;
}

shown_batch shown(std::initializer_list<event_view> events, std::vector<sent_events> senders = {}) {
    batch all;
    for (const auto& event : events)
        all.append(event);
    return {std::make_shared<const batch>(std::move(all)), std::move(senders)};
}

shown_batch shown(std::size_t count) {
    return {std::make_shared<const batch>(test::make_batch(count)), {}};
}

std::string take(admin::tail& from) {
    std::string said;
    from.take(said);
    return said;
}

std::string after_greeting(admin::tail& from, const shown_batch& what, clock::time_point now = start) {
    take(from);
    from.show(what, now);
    return take(from);
}

std::size_t count(std::string_view text, std::string_view part) {
    std::size_t found = 0;
    for (auto at = text.find(part); at != text.npos; at = text.find(part, at + 1))
        ++found;
    return found;
}

boost::json::object json_of(const event_view& event, std::string_view sender = {}, std::size_t most = 4096) {
    std::string text;
    admin::append_tail_event(text, event, sender, most);
    CHECK(text.find('\n') == text.npos);
    return boost::json::parse(text).as_object();
}

admin::tail tail_of(std::string_view query) {
    return {admin::parse_tail_query(query), start};
}

} // namespace

TEST_CASE("a tail shows each event as a line of JSON", "[tail]") {
    auto tail = tail_of("");
    const auto said = after_greeting(tail, shown({typed("page.view")}, {{1, "web"}}));
    REQUIRE(said.starts_with("data: {"));
    REQUIRE(said.ends_with("}\n\n"));
    const auto event = boost::json::parse(said.substr(6, said.size() - 8));
    CHECK(event.at("id") == "page.view");
    CHECK(event.at("source") == "test");
    CHECK(event.at("type") == "page.view");
    CHECK(event.at("key") == "web");
    CHECK(event.at("data").at("n") == 1);
    CHECK(event.at("time") == "1970-01-01T00:00:00.000000Z");
    CHECK_FALSE(event.as_object().contains("subject"));
}

TEST_CASE("a tail shows what its query wants", "[tail]") {
    struct example {
        std::string_view query;
        std::vector<std::string> shows;
    };

    const std::vector<sent_events> senders{{1, "web"}, {2, "app"}};
    const example examples[] = {
        {"", {"a.b", "a.c", "d", "e"}},
        {"type=a.*", {"a.b", "a.c"}},
        {"type=a.*,!a.c", {"a.b"}},
        {"type=a.b,d", {"a.b", "d"}},
        {"type=a.b&type=d", {"a.b", "d"}},
        {"source=shop", {"d"}},
        {"type=%61.b", {"a.b"}},
        {"key=app", {"a.c", "d"}},
        {"key=app&type=d", {"d"}},
        {"key=!web", {"a.c", "d", "e"}},
        {"type=,", {"a.b", "a.c", "d", "e"}},
    };
    for (const auto& one : examples) {
        CAPTURE(one.query);
        auto tail = tail_of(one.query);
        const auto said = after_greeting(
            tail, shown({typed("a.b"), typed("a.c"), typed("d", "shop"), typed("e")}, senders)
        );
        CHECK(count(said, "data: ") == one.shows.size());
        for (const auto& type : one.shows)
            CHECK(count(said, R"("id":")" + type + '"') == 1);
        tail.tick(start);
        CHECK(take(tail).empty()); // what it does not want is not left out
    }
}

TEST_CASE("a query that asks for something else is refused with what was expected", "[tail]") {
    CHECK_THROWS_WITH(
        admin::parse_tail_query("types=a"),
        "\"types\" is not known; expected \"type\", \"source\", \"key\" or \"rate\""
    );
    for (const auto* rate : {"0", "10001", "ten", "", "-1", "1.5"}) {
        CAPTURE(rate);
        CHECK_THROWS_WITH(
            admin::parse_tail_query(std::string{"rate="} + rate),
            std::string{"\"rate\" is \""} + rate + "\"; expected events a second: a whole number, 1 to 10000"
        );
    }
}

TEST_CASE("a tail shows no more than its rate, and says how many it left out", "[tail]") {
    for (const auto* query : {"rate=10", "rate=10&type=ev*"}) { // with and without a look at each event
        auto tail = tail_of(query);
        CHECK(count(after_greeting(tail, shown(25)), "data: ") == 10);
        tail.tick(start);
        CHECK(take(tail) == "event: skipped\ndata: {\"events\":15}\n\n");
        tail.show(shown(25), start + 500ms);
        CHECK(count(take(tail), "data: ") == 5);
        tail.show(shown(25), start + 1h);
        CHECK(count(take(tail), "data: ") == 10);
        tail.tick(start + 1h);
        CHECK(take(tail) == "event: skipped\ndata: {\"events\":35}\n\n");
    }
}

TEST_CASE("a tail that may show nothing more counts the rest without a look at it", "[tail]") {
    auto tail = tail_of("rate=1&type=a");
    const auto said =
        after_greeting(tail, shown({typed("b"), typed("a"), typed("b"), typed("a"), typed("b")}));
    CHECK(count(said, "data: ") == 1);
    tail.tick(start);
    CHECK(take(tail) == "event: skipped\ndata: {\"events\":3}\n\n");
}

TEST_CASE("for a slow reader a bounded number of bytes waits", "[tail]") {
    admin::tail_options options;
    options.rate = 10'000;
    options.max_waiting = 1000;
    admin::tail tail{options, start};
    tail.show(shown(1000), start);
    tail.tick(start); // no room for it
    const auto said = take(tail);
    CHECK(said.size() < 2000);
    const auto seen = count(said, "data: ");
    tail.tick(start);
    CHECK(take(tail) == "event: skipped\ndata: {\"events\":" + std::to_string(1000 - seen) + "}\n\n");
}

TEST_CASE("a quiet tail says from time to time that it is still there", "[tail]") {
    auto tail = tail_of("");
    take(tail);
    tail.tick(start + 14s);
    CHECK_FALSE(tail.has_news());
    tail.tick(start + 15s);
    CHECK(take(tail) == ": still here\n\n");
    tail.show(shown(1), start + 20s);
    take(tail);
    tail.tick(start + 30s);
    CHECK_FALSE(tail.has_news());
    tail.tick(start + 35s);
    CHECK(tail.has_news());
}

TEST_CASE("the end of a tail says why, after what was left out", "[tail]") {
    auto tail = tail_of("");
    take(tail);
    tail.skip(2);
    tail.end("SIGTERM");
    CHECK(tail.has_ended());
    CHECK(
        take(tail) == "event: skipped\ndata: {\"events\":2}\n\nevent: end\ndata: {\"reason\":\"SIGTERM\"}\n\n"
    );
}

TEST_CASE("data that is too long is cut, and says so", "[tail]") {
    auto event = test::make_event("1");
    event.subject = "s";
    event.data = R"({"text":"0123456789"})";
    auto whole = json_of(event, {}, event.data.size());
    CHECK(whole.at("data").is_object());
    CHECK(whole.at("subject") == "s");
    CHECK_FALSE(whole.contains("cut"));
    const auto cut = json_of(event, {}, 10);
    CHECK(cut.at("data") == R"({"text":"0)");
    CHECK(cut.at("cut") == true);
    CHECK(cut.at("data_bytes") == event.data.size());
    event.kind = data_kind::binary;
    event.data = "abcdef";
    CHECK(json_of(event, {}, 3).at("data_base64") == "YWJj");
}

TEST_CASE("text is not cut within a character", "[tail]") {
    auto event = test::make_event("1");
    event.kind = data_kind::text;
    event.data = "a\u20ac\u20ac"; // three bytes each
    for (const auto& [most, wanted] :
         {std::pair{6, "a\u20ac"}, std::pair{5, "a\u20ac"}, std::pair{4, "a\u20ac"}, std::pair{3, "a"}})
        CHECK(json_of(event, {}, static_cast<std::size_t>(most)).at("data") == wanted);
}

TEST_CASE("JSON of several lines becomes one, and the terminal's controls are escaped", "[tail]") {
    auto event = test::make_event("1");
    event.type = "\x1b[2J\n";
    event.data = "{\"a\":\n1}";
    CHECK(json_of(event).at("data").at("a") == 1);
    CHECK(json_of(event).at("type") == "\x1b[2J\n");
}
