#include "support/catch.hpp"
#include "support/manual_clock.hpp"
#include "tracker/retry_advice.hpp"

using namespace trackd;
using namespace std::chrono_literals;

TEST_CASE("the wait grows with the outage and has jitter", "[retry_advice]") {
    struct row {
        clock::duration outage;
        std::chrono::seconds least, most;
    };

    for (const auto& [outage, least, most] : {
             row{-1s, 5s, 7s},
             row{0s, 5s, 7s},
             row{2400ms, 5s, 7s},
             row{30s, 7s, 11s},
             row{60s, 10s, 15s},
             row{24h, 10s, 15s},
         }) {
        CHECK(outage_wait(outage, 0) == least);
        CHECK(outage_wait(outage, 1) == most);
        for (double jitter = 0; jitter <= 1; jitter += 0.01) {
            CHECK(outage_wait(outage, jitter) >= 5s);
            CHECK(outage_wait(outage, jitter) <= 15s);
        }
    }
}

TEST_CASE("a forecast counts until the sinks have stopped for two seconds", "[retry_advice]") {
    test::manual_clock time;
    time.advance(1h);
    retry_advice advice{time};
    CHECK(advice.wait(0.5) == 1s); // there is room

    advice.publish({40s, time.now()});
    CHECK(advice.wait(0) == 40s);
    time.advance(1999ms);
    CHECK(advice.wait(0) == 40s);
    time.advance(1ms);
    CHECK(advice.wait(0) == 5s);
    CHECK(advice.wait(1) == 7s);
    time.advance(1min);
    CHECK(advice.wait(0) == 10s);
    CHECK(advice.wait(1) == 15s);

    advice.publish({3s, time.now()}); // the sinks move again
    CHECK(advice.wait(1) == 3s);
    advice.publish({1s, std::nullopt});
    time.advance(1h);
    CHECK(advice.wait(1) == 1s);
}

TEST_CASE("without a forecast the wait is that of an outage at once", "[retry_advice]") {
    test::manual_clock time;
    time.advance(1h);
    retry_advice advice{time};
    advice.publish({std::nullopt, time.now()});
    CHECK(advice.wait(0) == 5s);
    CHECK(advice.wait(1) == 7s);
}
