#include "support/catch.hpp"
#include "tracker/acknowledgements.hpp"

#include <vector>

using namespace trackd;
using namespace std::chrono_literals;
using boost::system::error_code;

namespace {

const clock::time_point noon{12h};

struct answers {
    acknowledgements queue;
    std::vector<error_code> got;

    void wait(position end, clock::time_point deadline = noon) {
        queue.add(end, deadline, [this](error_code outcome) { got.push_back(outcome); });
    }
};

} // namespace

TEST_CASE("those are answered whose events lie below the position, and no others", "[acknowledgements]") {
    answers waiting;
    waiting.wait(3);
    waiting.wait(5);
    waiting.queue.settle_up_to(2);
    CHECK(waiting.got.empty());
    waiting.queue.settle_up_to(4);
    CHECK(waiting.got == std::vector<error_code>{{}});
    waiting.queue.settle_up_to(5);
    CHECK(waiting.got.size() == 2);
}

TEST_CASE("some may be answered before others that came earlier", "[acknowledgements]") {
    answers waiting;
    for (const auto end : std::vector<position>{3, 5, 6, 9})
        waiting.wait(end);
    std::vector<std::pair<position, position>> asked;
    waiting.queue.settle_each(6, [&](position from, position to) {
        if (asked.empty() || asked.back().second < to) asked.emplace_back(from, to);
        return from >= 3;
    });
    CHECK(asked == std::vector<std::pair<position, position>>{{0, 3}, {3, 5}, {5, 6}});
    CHECK(waiting.got.size() == 2);
    waiting.queue.settle_up_to(3);
    CHECK(waiting.got.size() == 3);
    waiting.queue.settle_from(6, {}); // what comes next gets position 6 once more
    CHECK(waiting.got.size() == 4);
    waiting.wait(7);
    position begin = 0;
    waiting.queue.settle_each(7, [&](position from, position) { return begin = from, true; });
    CHECK(begin == 6);
    CHECK(waiting.got.size() == 5);
}

TEST_CASE("those whose time is over hear what they are told", "[acknowledgements]") {
    answers waiting;
    waiting.wait(3, noon);
    waiting.wait(5, noon + 1s);
    CHECK(waiting.queue.next_deadline() == noon);
    waiting.queue.expire(noon, errc::not_confirmed);
    CHECK(waiting.got == std::vector<error_code>{errc::not_confirmed});
    CHECK(waiting.queue.next_deadline() == noon + 1s);
}

TEST_CASE(
    "those hear of a failure whose events lie behind the position, and no others", "[acknowledgements]"
) {
    answers waiting;
    waiting.wait(3);
    waiting.wait(5);
    waiting.wait(7);
    waiting.queue.settle_from(3, errc::journal_full);
    CHECK(waiting.got == std::vector<error_code>{errc::journal_full, errc::journal_full});
    waiting.queue.settle_up_to(3);
    CHECK(waiting.got.size() == 3);
    CHECK_FALSE(waiting.got.back());
}

TEST_CASE("when nobody waits there is no deadline", "[acknowledgements]") {
    const acknowledgements queue;
    CHECK(queue.next_deadline() == wakeup::never);
}

TEST_CASE("all can be answered at once", "[acknowledgements]") {
    answers waiting;
    waiting.wait(3);
    waiting.wait(5);
    waiting.queue.settle_all(errc::sealed);
    CHECK(waiting.got == std::vector<error_code>{errc::sealed, errc::sealed});
}

TEST_CASE("an answer may make somebody wait again", "[acknowledgements]") {
    answers waiting;
    waiting.queue.add(1, noon, [&](error_code) { waiting.wait(9); });
    waiting.queue.settle_up_to(5);
    CHECK(waiting.got.empty());
    waiting.queue.settle_up_to(9);
    CHECK(waiting.got.size() == 1);
}
