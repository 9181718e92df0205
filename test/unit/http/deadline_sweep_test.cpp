#include "http/deadline_sweep.hpp"
#include "support/catch.hpp"

#include <memory>
#include <optional>
#include <vector>

using namespace trackd::http;

namespace {

struct member : has_deadline {
    int late = 0;
};

void advance(deadline_sweep& sweep, tick_count to) {
    sweep.advance(to, [](has_deadline& due) { ++static_cast<member&>(due).late; });
}

} // namespace

TEST_CASE("a deadline comes in its tick, once", "[http][sweep]") {
    deadline_sweep sweep;
    member one;
    sweep.set(one, 5);
    advance(sweep, 4);
    CHECK(one.late == 0);
    advance(sweep, 5);
    CHECK(one.late == 1);
    advance(sweep, 2000);
    CHECK(one.late == 1);
}

TEST_CASE("a deadline can be moved later and earlier, and taken away", "[http][sweep]") {
    deadline_sweep sweep;
    member later;
    member earlier;
    member gone;
    sweep.set(later, 5);
    sweep.set(later, 50);
    sweep.set(earlier, 50);
    sweep.set(earlier, 5);
    sweep.set(gone, 5);
    sweep.clear(gone);
    advance(sweep, 10);
    CHECK(later.late == 0);
    CHECK(earlier.late == 1);
    advance(sweep, 50);
    CHECK(later.late == 1);
    CHECK(earlier.late == 1);
    CHECK(gone.late == 0);
}

TEST_CASE("a deadline many rounds of the ring away comes neither early nor late", "[http][sweep]") {
    deadline_sweep sweep(17);
    member far;
    sweep.set(far, 10'000);
    advance(sweep, 9'999);
    CHECK(far.late == 0);
    advance(sweep, 10'000);
    CHECK(far.late == 1);
}

TEST_CASE("a deadline that is already past comes with the next tick", "[http][sweep]") {
    deadline_sweep sweep(100);
    member one;
    sweep.set(one, 3);
    advance(sweep, 101);
    CHECK(one.late == 1);
}

TEST_CASE("after a long sleep everybody who is due is found at once", "[http][sweep]") {
    deadline_sweep sweep;
    std::vector<std::unique_ptr<member>> members;
    for (tick_count i = 1; i < 2000; ++i) {
        members.push_back(std::make_unique<member>());
        sweep.set(*members.back(), i);
    }
    advance(sweep, 1'000'000);
    for (const auto& each : members)
        CHECK(each->late == 1);
}

TEST_CASE("who is late may get a new deadline, or be destroyed, on the spot", "[http][sweep]") {
    deadline_sweep sweep;
    std::optional<member> mortal{std::in_place};
    member again;
    std::optional<member> neighbour{std::in_place};
    for (auto* each : {&*mortal, &again, &*neighbour})
        sweep.set(*each, 3);
    sweep.advance(3, [&](has_deadline& due) {
        if (&due == &again) sweep.set(again, 6);
        if (&due == &*mortal) {
            mortal.reset();
            neighbour.reset();
        }
    });
    CHECK_FALSE(neighbour.has_value());
    advance(sweep, 6);
    CHECK(again.late == 1);
}

TEST_CASE("a member that is destroyed leaves its sweep", "[http][sweep]") {
    deadline_sweep sweep;
    {
        member brief;
        sweep.set(brief, 2);
    }
    advance(sweep, 10);
    SUCCEED();
}
