// Which events ahead of a cursor are unwanted: counts and ranges, against a plain list of flags.
#include "support/catch.hpp"
#include "support/events.hpp"
#include "tracker/route_index.hpp"

#include <random>
#include <string>
#include <vector>

using namespace trackd;

namespace {

const route orders{patterns{{"order*"}}, {}};
const route everything{};

event_view event_of(bool wanted) {
    auto event = test::make_event("1");
    event.type = wanted ? "order" : "page";
    return event;
}

batch batch_of(const std::vector<bool>& wanted) {
    batch events;
    for (const bool each : wanted)
        events.append(event_of(each));
    return events;
}

chunk chunk_of(position first, const std::vector<bool>& wanted) {
    chunk found;
    found.first = first;
    for (const bool each : wanted)
        found.events.push_back(event_of(each));
    return found;
}

// The same with a flag for each position.
struct model {
    explicit model(position first) : at{first}, end{first}, flags(first, 0) {}

    [[nodiscard]] std::uint64_t unwanted_below(position to) const {
        std::uint64_t found = 0;
        for (auto each = at; each < std::min(to, end); ++each)
            if (flags[each] == 1) ++found;
        return found;
    }

    [[nodiscard]] bool wants_any(position from, position to) const {
        for (auto each = std::max(from, at); each < to; ++each)
            if (flags[each] == 0) return true;
        return false;
    }

    position at;
    position end;
    std::vector<int> flags; // 1: unwanted; 0: wanted or unknown
};

} // namespace

TEST_CASE("new events are counted as they come", "[route]") {
    route_index index{orders, 1, 1, 1};
    index.append(1, batch_of({true, false, false, true}));
    CHECK(index.unwanted() == 2);
    CHECK(index.unwanted_below(3) == 1);
    CHECK(index.wants_any(1, 3));
    CHECK_FALSE(index.wants_any(2, 4));
    CHECK(index.wants_any(2, 5));
    CHECK_FALSE(index.next_unknown());
    index.pass_to(2);
    CHECK(index.unwanted() == 2);
    CHECK(index.wants_any(2, 5));
    index.pass_to(5);
    CHECK(index.unwanted() == 0);
    CHECK(index.unwanted_bytes() == 0);
    CHECK_FALSE(index.wants_any(1, 5));
}

TEST_CASE("events from before are unknown, and count as wanted until they are read", "[route]") {
    route_index index{orders, 10, 10, 14};
    index.append(14, batch_of({false}));
    CHECK(index.unwanted() == 1);
    CHECK(index.next_unknown() == position{10});
    CHECK(index.knows_below(10));
    CHECK_FALSE(index.knows_below(11));
    index.add(chunk_of(11, {false})); // does not adjoin
    CHECK(index.unwanted() == 1);
    index.add(chunk_of(9, {false, false, true}));
    CHECK(index.unwanted() == 2);
    CHECK(index.next_unknown() == position{12});
    index.add(chunk_of(12, {false, false, false})); // the last one was counted when it came
    CHECK(index.unwanted() == 4);
    CHECK_FALSE(index.next_unknown());
    CHECK(index.knows_below(100));
}

TEST_CASE("events that cannot be read stay counted as wanted", "[route]") {
    route_index index{orders, 1, 1, 10};
    chunk damage;
    damage.first = 1;
    damage.damaged = 4;
    index.add(damage);
    CHECK(index.next_unknown() == position{5});
    index.assume_wanted_below(8);
    CHECK(index.next_unknown() == position{8});
    CHECK(index.unwanted() == 0);
}

TEST_CASE("another route leaves the events of a write that is under way as they are", "[route]") {
    route_index index{orders, 1, 1, 1};
    index.append(1, batch_of({false, false, false, false}));
    index.set_route(route{patterns{{"page"}}, {}}, 3);
    CHECK(index.unwanted() == 2);
    CHECK(index.next_unknown() == position{3});
    index.add(chunk_of(3, {false, true}));
    CHECK(index.unwanted() == 3);
    index.set_route(everything, 0);
    CHECK(index.unwanted() == 0);
    CHECK_FALSE(index.next_unknown());
}

TEST_CASE("the bytes of unwanted events are those that their encoding takes", "[route]") {
    const auto events = batch_of({false, true, false});
    const auto each = batch_of({false}).bytes();
    route_index index{orders, 1, 1, 1};
    index.append(1, events);
    CHECK(index.unwanted_bytes() == 2 * each);
    route_index other{orders, 1, 1, 4};
    other.add(chunk_of(1, {false, true, false}));
    CHECK(other.unwanted_bytes() == 2 * each);
    other.pass_to(2);
    CHECK(other.unwanted_bytes() == each);
}

TEST_CASE("counts are right whatever comes, over many blocks", "[route]") {
    std::mt19937 random{GENERATE(1U, 2U, 3U, 4U)};
    const auto below = [&](std::uint64_t most) {
        return std::uniform_int_distribution<std::uint64_t>{0, most - 1}(random);
    };
    const position first = 1 + below(10'000);
    model expected{first};
    route_index index{orders, first, first, first};
    for (int step = 0; step < 600; ++step) {
        switch (below(6)) {
        case 0: {
            expected.at += below(expected.end - expected.at + 1);
            index.pass_to(expected.at);
            break;
        }
        case 1: {
            expected.end -= below(std::min<std::uint64_t>(expected.end - expected.at, 300) + 1);
            expected.flags.resize(expected.end);
            index.truncate(expected.end);
            break;
        }
        default: {
            const auto unwanted_of_ten = below(11); // all and none, too
            std::vector<bool> wanted(below(3000));
            for (std::size_t i = 0; i < wanted.size(); ++i)
                wanted[i] = below(10) >= unwanted_of_ten;
            index.append(expected.end, batch_of(wanted));
            for (const bool each : wanted)
                expected.flags.push_back(each ? 0 : 1);
            expected.end += wanted.size();
        }
        }
        REQUIRE(index.unwanted() == expected.unwanted_below(expected.end));
        const auto to = expected.at + below(expected.end - expected.at + 1);
        const auto from = to - below(std::min<std::uint64_t>(to, 100));
        REQUIRE(index.wants_any(from, to) == expected.wants_any(from, to));
        REQUIRE(index.unwanted_below(to) == expected.unwanted_below(to));
        REQUIRE((index.unwanted_bytes() == 0) == (index.unwanted() == 0));
    }
}
