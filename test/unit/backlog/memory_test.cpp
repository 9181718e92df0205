#include "support/catch.hpp"
#include "support/events.hpp"
#include "support/manual_clock.hpp"
#include "support/run.hpp"

#include <trackd/backlog.hpp>

#include <string>
#include <vector>

using namespace trackd;

namespace {

std::vector<std::string> ids(const chunk& events) {
    std::vector<std::string> found;
    for (const auto& event : events.events)
        found.emplace_back(event.id);
    return found;
}

chunk read(backlog& from, position at, read_limits limits) {
    boost::asio::io_context context;
    return test::run(context, from.read(at, limits));
}

} // namespace

TEST_CASE("events get rising positions from 1 on", "[backlog]") {
    const auto backlog = make_memory_backlog();
    CHECK(backlog->end() == 1);
    backlog->append(test::make_batch(3));
    backlog->append(test::make_batch(2, 4));
    CHECK(backlog->end() == 6);
    CHECK(backlog->stored_end() == 6);
}

TEST_CASE("a read crosses batches and stops at its limit", "[backlog]") {
    const auto backlog = make_memory_backlog();
    backlog->append(test::make_batch(3));
    backlog->append(test::make_batch(3, 4));
    const auto first = read(*backlog, 2, {4, 1'000'000});
    CHECK(first.first == 2);
    CHECK(ids(first) == std::vector<std::string>{"2", "3", "4", "5"});
    CHECK(first.end() == 6);
    CHECK(ids(read(*backlog, first.end(), {4, 1'000'000})) == std::vector<std::string>{"6"});
}

TEST_CASE("at least one event is read however small the limit in bytes", "[backlog]") {
    const auto backlog = make_memory_backlog();
    backlog->append(test::make_batch(2));
    CHECK(ids(read(*backlog, 1, {100, 1})) == std::vector<std::string>{"1"});
}

TEST_CASE("reading at the end gives nothing", "[backlog]") {
    const auto backlog = make_memory_backlog();
    backlog->append(test::make_batch(2));
    CHECK(read(*backlog, 3, {}).events.empty());
}

TEST_CASE("what every sink has is forgotten in whole batches, and its credit given back", "[backlog]") {
    const auto backlog = make_memory_backlog();
    test::manual_clock clock;
    std::vector<batch::mark> released;
    CHECK(backlog->open_cursor("fast", sink_start::oldest, "") == cursor{});
    CHECK(backlog->open_cursor("slow", sink_start::oldest, "") == cursor{});
    boost::asio::io_context context;
    backlog->start(context.get_executor(), clock, {[] {}, [&](batch::mark one) { released.push_back(one); }});
    auto first = test::make_batch(3);
    const auto bytes = first.bytes();
    backlog->append(std::move(first));
    backlog->append(test::make_batch(3, 4));
    backlog->move_cursor("fast", {1, 7});
    backlog->move_cursor("slow", {1, 3});
    CHECK(released.empty());
    backlog->move_cursor("slow", {1, 5});
    REQUIRE(released.size() == 1);
    CHECK(released.front().events == 3);
    CHECK(released.front().bytes == bytes);
    CHECK(ids(read(*backlog, 5, {})) == std::vector<std::string>{"5", "6"});
}

TEST_CASE("what was read outlives the trimming", "[backlog]") {
    const auto backlog = make_memory_backlog();
    test::manual_clock clock;
    boost::asio::io_context context;
    CHECK(backlog->open_cursor("sink", sink_start::oldest, "") == cursor{});
    backlog->start(context.get_executor(), clock, {[] {}, [](batch::mark) {}});
    backlog->append(test::make_batch(2));
    const auto events = read(*backlog, 1, {});
    backlog->move_cursor("sink", {1, 3});
    CHECK(ids(events) == std::vector<std::string>{"1", "2"});
}

TEST_CASE("it knows what events take", "[backlog]") {
    const auto backlog = make_memory_backlog();
    backlog->append(test::make_batch(3));
    CHECK(backlog->bytes_between(1, 4) == test::make_batch(3).bytes());
    CHECK(backlog->bytes_between(2, 3) == test::make_batch(1, 2).bytes());
}
