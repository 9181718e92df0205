#include "support/catch.hpp"
#include "support/events.hpp"
#include "support/manual_clock.hpp"
#include "support/run.hpp"
#include "tracker/io_lane.hpp"

using namespace trackd;
using boost::system::error_code;

namespace {

struct lane_fixture {
    explicit lane_fixture(bool waits = true)
        : lane{context, credit, waits, advice, [this](submission one) {
                   handed_over.push_back(std::move(one));
               }} {}

    error_code post(std::size_t events) {
        const auto mark = lane.mark();
        for (std::size_t i = 0; i < events; ++i)
            lane.events().append(test::make_event("x"));
        return lane.admit(mark);
    }

    void turn() {
        context.restart();
        context.poll();
    }

    boost::asio::io_context context;
    budget credit{10, 1'000'000};
    test::manual_clock time;
    retry_advice advice{time};
    std::vector<submission> handed_over;
    io_lane lane;
};

} // namespace

TEST_CASE_METHOD(lane_fixture, "what one turn of the loop admits is handed over as one batch", "[lane]") {
    CHECK_FALSE(post(1));
    CHECK_FALSE(post(2));
    CHECK(handed_over.empty());
    turn();
    REQUIRE(handed_over.size() == 1);
    CHECK(handed_over.front().events.events() == 3);
    CHECK(lane.accepted() == 3);
}

TEST_CASE_METHOD(lane_fixture, "small hand-overs between large ones have their own events", "[lane]") {
    for (const auto events : {9U, 1U, 9U, 1U, 1U}) {
        CHECK_FALSE(post(events));
        turn();
        REQUIRE_FALSE(handed_over.empty());
        const auto& last = handed_over.back().events;
        CHECK(last.events() == events);
        for (const auto& event : last)
            CHECK(event.id == test::make_event("x").id);
        credit.give_back(last.events(), last.bytes());
    }
}

TEST_CASE_METHOD(lane_fixture, "a refused request leaves nothing behind", "[lane]") {
    CHECK_FALSE(post(8));
    CHECK(post(3) == errc::backlog_full);
    CHECK(lane.refused() == 3);
    turn();
    REQUIRE(handed_over.size() == 1);
    CHECK(handed_over.front().events.events() == 8);
}

TEST_CASE_METHOD(lane_fixture, "after the seal nothing is admitted", "[lane]") {
    credit.seal();
    CHECK(post(1) == errc::sealed);
    turn();
    CHECK(handed_over.empty());
}

TEST_CASE_METHOD(lane_fixture, "who waits is answered when the hand-over he was in is settled", "[lane]") {
    CHECK_FALSE(post(1));
    const auto first = test::start(context, lane.acknowledged());
    turn();
    CHECK_FALSE(post(1));
    const auto second = test::start(context, lane.acknowledged());
    turn();
    REQUIRE(handed_over.size() == 2);

    handed_over[0].settled({});
    turn();
    REQUIRE(first->ended());
    CHECK_FALSE(first->get());
    CHECK_FALSE(second->ended());

    handed_over[1].settled(errc::not_confirmed);
    turn();
    REQUIRE(second->ended());
    CHECK(second->get() == errc::not_confirmed);
}

TEST_CASE("a lane whose promise is admission tells nobody later", "[lane]") {
    lane_fixture fixture{false};
    CHECK_FALSE(fixture.lane.waits_for_ack());
    CHECK_FALSE(fixture.post(1));
    fixture.turn();
    REQUIRE(fixture.handed_over.size() == 1);
    CHECK_FALSE(fixture.handed_over.front().settled);
}

TEST_CASE_METHOD(lane_fixture, "a hand-over that fails before an older one leaves that one alone", "[lane]") {
    CHECK_FALSE(post(1));
    const auto older = test::start(context, lane.acknowledged());
    turn();
    CHECK_FALSE(post(1));
    const auto newer = test::start(context, lane.acknowledged());
    turn();
    REQUIRE(handed_over.size() == 2);

    handed_over[1].settled(errc::journal_full);
    turn();
    REQUIRE(newer->ended());
    CHECK(newer->get() == errc::journal_full);
    CHECK_FALSE(older->ended());

    handed_over[0].settled({});
    turn();
    REQUIRE(older->ended());
    CHECK_FALSE(older->get());
}

TEST_CASE_METHOD(lane_fixture, "hand-overs that are settled together are all answered", "[lane]") {
    std::vector<std::shared_ptr<test::outcome<error_code>>> waiting;
    for (int i = 0; i < 3; ++i) {
        CHECK_FALSE(post(1));
        waiting.push_back(test::start(context, lane.acknowledged()));
        waiting.push_back(test::start(context, lane.acknowledged())); // two requests in one turn
        turn();
    }
    REQUIRE(handed_over.size() == 3);
    handed_over[2].settled(errc::journal_full);
    handed_over[0].settled({});
    handed_over[1].settled(errc::not_confirmed);
    turn();
    for (std::size_t i = 0; i < waiting.size(); ++i) {
        CAPTURE(i);
        REQUIRE(waiting[i]->ended());
        const error_code expected[]{{}, errc::not_confirmed, errc::journal_full};
        CHECK(waiting[i]->get() == expected[i / 2]);
    }
}

TEST_CASE_METHOD(lane_fixture, "who asks after his hand-over was settled is answered at once", "[lane]") {
    CHECK_FALSE(post(1));
    turn();
    REQUIRE(handed_over.size() == 1);
    handed_over[0].settled(errc::journal_full);
    turn();
    CHECK(test::run(context, lane.acknowledged()) == errc::journal_full);
}

namespace {

// Where half of what can be taken at once is staged quickly.
struct small_lane_fixture : lane_fixture {
    small_lane_fixture()
        : small_credit{100, 1'000'000, 8 * event_bytes},
          small{context, small_credit, true, advice, [this](submission one) {
                    handed_over.push_back(std::move(one));
                }} {}

    error_code post_small(std::size_t events) {
        const auto mark = small.mark();
        for (std::size_t i = 0; i < events; ++i)
            small.events().append(test::make_event("x"));
        return small.admit(mark);
    }

    static std::size_t one_event_bytes() {
        batch one;
        one.append(test::make_event("x"));
        return one.bytes();
    }

    const std::size_t event_bytes = one_event_bytes();
    budget small_credit;
    io_lane small;
};

} // namespace

TEST_CASE_METHOD(small_lane_fixture, "much is handed over before the turn ends", "[lane]") {
    CHECK_FALSE(post_small(3));
    const auto early = test::start(context, small.acknowledged());
    CHECK(handed_over.empty());
    CHECK_FALSE(post_small(1)); // that is half
    REQUIRE(handed_over.size() == 1);
    CHECK(handed_over[0].events.events() == 4);
    CHECK_FALSE(post_small(1));
    const auto late = test::start(context, small.acknowledged());
    CHECK(handed_over.size() == 1);
    turn();
    REQUIRE(handed_over.size() == 2);
    CHECK(handed_over[1].events.events() == 1);
    turn();
    CHECK(handed_over.size() == 2);

    // Who was in the first was answered with the first.
    CHECK_FALSE(early->ended());
    handed_over[1].settled({});
    turn();
    CHECK(late->ended());
    handed_over[0].settled(errc::journal_full);
    turn();
    REQUIRE(early->ended());
    CHECK(late->ended());
}

TEST_CASE_METHOD(small_lane_fixture, "who made the staged events too many is told with them", "[lane]") {
    CHECK_FALSE(post_small(8));
    REQUIRE(handed_over.size() == 1);
    const auto waiting = test::start(context, small.acknowledged());
    turn();
    CHECK_FALSE(waiting->ended());
    handed_over[0].settled(errc::journal_full);
    turn();
    REQUIRE(waiting->ended());
    CHECK(waiting->get() == errc::journal_full);
}

namespace {

struct looking final : onlooker {
    using onlooker::look;

    void show(shown_batch) override {}
};

struct watched_lane_fixture : lane_fixture {
    error_code post_as(std::string_view sender, std::size_t events) {
        const auto mark = watched.mark();
        for (std::size_t i = 0; i < events; ++i)
            watched.events().append(test::make_event("x"));
        return watched.admit(mark, sender);
    }

    looking who;
    io_lane watched{
        context, credit, true, advice, [this](submission one) { handed_over.push_back(std::move(one)); },
        {},      &who
    };
};

} // namespace

TEST_CASE_METHOD(
    watched_lane_fixture, "while nobody looks on, nothing is shown and no sender kept", "[lane]"
) {
    CHECK_FALSE(post_as("web", 1));
    turn();
    REQUIRE(handed_over.size() == 1);
    CHECK_FALSE(handed_over.front().shown);
    CHECK(handed_over.front().senders.empty());
}

TEST_CASE_METHOD(watched_lane_fixture, "who looks on is told who has sent what", "[lane]") {
    who.look(true);
    CHECK_FALSE(post_as("web", 1));
    CHECK_FALSE(post_as("web", 2));
    CHECK(post_as("web", 10) == errc::backlog_full);
    CHECK_FALSE(post_as("", 1));
    CHECK_FALSE(post_as("app", 1));
    turn();
    CHECK(handed_over.at(0).shown);
    const auto& senders = handed_over.at(0).senders;
    REQUIRE(senders.size() == 3);
    CHECK((senders[0].events == 3 && senders[0].sender == "web"));
    CHECK((senders[1].events == 1 && senders[1].sender.empty()));
    CHECK((senders[2].events == 1 && senders[2].sender == "app"));
    who.look(false);
    CHECK_FALSE(post_as("web", 1));
    turn();
    CHECK_FALSE(handed_over.at(1).shown);
    CHECK(handed_over.at(1).senders.empty());
}
