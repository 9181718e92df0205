#include "backlog/batch_queue.hpp"
#include "support/catch.hpp"
#include "support/events.hpp"

#include <limits>
#include <string>
#include <vector>

using namespace trackd;

namespace {

constexpr auto everything = std::numeric_limits<std::size_t>::max();

// Three batches, of three, two and four events, from position 10 on; the ids are the positions.
struct queue_fixture {
    queue_fixture() {
        for (const std::size_t events : {3U, 2U, 4U})
            queue.append(test::make_batch(events, queue.end()));
    }

    [[nodiscard]] chunk read(position from, position below, read_limits limits = {everything, everything}) {
        auto found = queue.read(from, below, limits);
        CHECK(found.first == from);
        CHECK(found.damaged == 0);
        return found;
    }

    [[nodiscard]] static std::vector<std::string> ids(const chunk& of) {
        std::vector<std::string> all;
        for (const auto& event : of.events)
            all.emplace_back(event.id);
        return all;
    }

    batch_queue queue{10};
    const std::size_t event_bytes = test::make_batch(1, 10).bytes();
};

using strings = std::vector<std::string>;

} // namespace

TEST_CASE("a queue begins and ends where its first event will stand", "[batch_queue]") {
    batch_queue queue{7};
    CHECK(queue.begin() == 7);
    CHECK(queue.end() == 7);
    CHECK(queue.read(7, 7, {}).events.empty());
}

TEST_CASE("an empty batch is no part of the queue", "[batch_queue]") {
    batch_queue queue{7};
    CHECK(queue.append({}) == nullptr);
    CHECK(queue.end() == 7);
    const auto added = queue.append(test::make_batch(2));
    REQUIRE(added);
    CHECK(added->events() == 2);
    CHECK(queue.end() == 9);
}

TEST_CASE_METHOD(queue_fixture, "events are read across batches, from the middle of one", "[batch_queue]") {
    CHECK(ids(read(11, 19)) == strings{"11", "12", "13", "14", "15", "16", "17", "18"});
    CHECK(read(11, 19).owners.size() == 3);
    CHECK(ids(read(13, 19)) == strings{"13", "14", "15", "16", "17", "18"});
}

TEST_CASE_METHOD(queue_fixture, "a queue is read up to where it is asked for", "[batch_queue]") {
    CHECK(ids(read(12, 14)) == strings{"12", "13"});
    CHECK(read(12, 12).events.empty());
    CHECK(read(19, 19).events.empty());
}

TEST_CASE_METHOD(queue_fixture, "a read ends at its limits", "[batch_queue]") {
    CHECK(ids(read(11, 19, {3, everything})) == strings{"11", "12", "13"});
    CHECK(ids(read(11, 19, {everything, 2 * event_bytes})) == strings{"11", "12"});
    CHECK(ids(read(11, 19, {everything, 2 * event_bytes + 1})) == strings{"11", "12", "13"});
}

TEST_CASE_METHOD(queue_fixture, "a read gives one event, however small its limits", "[batch_queue]") {
    CHECK(ids(read(11, 19, {0, 0})) == strings{"11"});
    CHECK(ids(read(12, 19, {everything, 0})) == strings{"12"});
}

TEST_CASE_METHOD(queue_fixture, "what was read outlives what the queue forgets", "[batch_queue]") {
    const auto found = read(10, 15);
    queue.drop_below(19);
    CHECK(ids(found) == strings{"10", "11", "12", "13", "14"});
}

TEST_CASE_METHOD(queue_fixture, "the size is that of the batches that begin in the range", "[batch_queue]") {
    CHECK(queue.size(10, 19).events == 9);
    CHECK(queue.size(10, 19).bytes == 9 * event_bytes);
    CHECK(queue.size(13, 15).events == 2);
    CHECK(queue.size(13, 16).events == 6);
    CHECK(queue.size(13, 13).events == 0);
    CHECK(queue.size(19, 30).events == 0);
}

TEST_CASE_METHOD(queue_fixture, "only whole batches are forgotten, and it tells how much", "[batch_queue]") {
    CHECK(queue.drop_below(12).events == 0);
    CHECK(queue.begin() == 10);
    const auto dropped = queue.drop_below(17);
    CHECK(dropped.events == 5);
    CHECK(dropped.bytes == 5 * event_bytes);
    CHECK(queue.begin() == 15);
    CHECK(queue.end() == 19);
    CHECK(queue.drop_below(19).events == 4);
    CHECK(queue.begin() == 19);
}

TEST_CASE_METHOD(
    queue_fixture, "the newest batches can be taken back with their positions", "[batch_queue]"
) {
    const auto dropped = queue.drop_from(13);
    CHECK(dropped.events == 6);
    CHECK(dropped.bytes == 6 * event_bytes);
    CHECK(queue.begin() == 10);
    CHECK(queue.end() == 13);
    queue.append(test::make_batch(1, 77));
    CHECK(ids(read(12, 14)) == strings{"12", "77"});
    CHECK(queue.drop_from(14).events == 0);
}

TEST_CASE_METHOD(queue_fixture, "a queue of which all is taken back begins where it ended", "[batch_queue]") {
    CHECK(queue.drop_from(10).events == 9);
    CHECK(queue.begin() == 10);
    CHECK(queue.end() == 10);
}

TEST_CASE_METHOD(queue_fixture, "it shrinks no further than it has to", "[batch_queue]") {
    queue.shrink_to(9 * event_bytes, 19);
    CHECK(queue.begin() == 10);
    queue.shrink_to(9 * event_bytes - 1, 19);
    CHECK(queue.begin() == 13);
    queue.shrink_to(4 * event_bytes, 19);
    CHECK(queue.begin() == 15);
    queue.shrink_to(0, 19);
    CHECK(queue.begin() == 19);
}

TEST_CASE_METHOD(queue_fixture, "it never shrinks beyond what may be forgotten", "[batch_queue]") {
    queue.shrink_to(0, 14);
    CHECK(queue.begin() == 13);
}

TEST_CASE_METHOD(queue_fixture, "what was forgotten or taken back no longer counts", "[batch_queue]") {
    queue.drop_below(13);
    queue.drop_from(15);
    queue.shrink_to(2 * event_bytes, 15);
    CHECK(queue.begin() == 13);
    queue.shrink_to(2 * event_bytes - 1, 15);
    CHECK(queue.begin() == 15);
}

TEST_CASE_METHOD(
    queue_fixture, "it knows what events take, within batches and across them", "[batch_queue]"
) {
    for (position from = 10; from <= 19; ++from)
        for (position to = from; to <= 19; ++to)
            CHECK(queue.bytes_between(from, to) == (to - from) * event_bytes);
    CHECK(queue.bytes_between(1, 19) == 9 * event_bytes); // what is not there takes nothing
}

TEST_CASE_METHOD(
    queue_fixture, "what events take is not changed by what else goes and comes", "[batch_queue]"
) {
    queue.drop_below(13);
    CHECK(queue.bytes_between(13, 19) == 6 * event_bytes);
    CHECK(queue.bytes_between(10, 14) == 1 * event_bytes);
    queue.drop_from(15);
    queue.append(test::make_batch(3, 15));
    CHECK(queue.bytes_between(14, 17) == 3 * event_bytes);
    CHECK(queue.bytes_between(14, 18) == 4 * event_bytes);
}
