#include "support/catch.hpp"
#include "tracker/budget.hpp"

using namespace trackd;

TEST_CASE("credit is taken up to the limit and not beyond", "[budget]") {
    budget credit{10, 1000};
    CHECK_FALSE(credit.take(6, 100));
    CHECK_FALSE(credit.take(4, 100));
    CHECK(credit.take(1, 1) == errc::backlog_full);
    CHECK(credit.events() == 10);
    CHECK(credit.bytes() == 200);
}

TEST_CASE("bytes bind as events do, and a refusal takes nothing", "[budget]") {
    budget credit{10, 1000};
    CHECK_FALSE(credit.take(1, 500));
    CHECK(credit.take(1, 501) == errc::backlog_full);
    CHECK(credit.events() == 1);
    CHECK(credit.bytes() == 500);
    CHECK_FALSE(credit.take(1, 500));
}

TEST_CASE("what could never fit is told from what does not fit now", "[budget]") {
    budget credit{10, 1000};
    CHECK(credit.take(11, 1) == errc::too_large);
    CHECK(credit.take(1, 1001) == errc::too_large);
    CHECK_FALSE(credit.take(10, 1000));
}

TEST_CASE("credit that is given back can be taken again", "[budget]") {
    budget credit{2, 1000};
    REQUIRE_FALSE(credit.take(2, 10));
    REQUIRE(credit.take(1, 1) == errc::backlog_full);
    credit.give_back(1, 5);
    CHECK_FALSE(credit.take(1, 5));
}

TEST_CASE("after the seal nothing is taken, and what was taken still counts", "[budget]") {
    budget credit{10, 1000};
    REQUIRE_FALSE(credit.take(2, 20));
    credit.seal();
    CHECK(credit.take(1, 1) == errc::sealed);
    CHECK(credit.sealed());
    CHECK(credit.events() == 2);
    credit.give_back(2, 20);
    CHECK(credit.events() == 0);
    CHECK(credit.sealed());
}
