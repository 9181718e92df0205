#include "support/catch.hpp"
#include "support/events.hpp"
#include "support/run.hpp"
#include "tracker/io_lane.hpp"

using namespace trackd;
using boost::system::error_code;

namespace {

struct lane_fixture {
    explicit lane_fixture(bool waits = true)
        : lane{context, credit, waits, retry_after, [this](submission one) {
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
    std::atomic<std::chrono::seconds> retry_after{std::chrono::seconds{7}};
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
