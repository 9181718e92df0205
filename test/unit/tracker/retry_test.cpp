#include "support/catch.hpp"
#include "tracker/retry.hpp"

#include <algorithm>

using namespace trackd;
using namespace std::chrono_literals;

namespace {

const retry_options options{100ms, 2'000ms};

} // namespace

TEST_CASE("delays are drawn from a bound that doubles up to the maximum", "[retry]") {
    retry_policy::duration longest[8] = {};
    for (std::uint64_t seed = 0; seed < 500; ++seed) {
        retry_policy retry{options, seed};
        for (auto& most : longest)
            most = std::max(most, *retry.failed());
    }
    const std::chrono::milliseconds bounds[8] = {100ms, 200ms, 400ms, 800ms, 1600ms, 2000ms, 2000ms, 2000ms};
    for (int i = 0; i < 8; ++i) {
        CHECK(longest[i] <= bounds[i]);
        CHECK(longest[i] > bounds[i] * 9 / 10);
    }
}

TEST_CASE("a success starts the delays afresh", "[retry]") {
    retry_policy retry{options, 1};
    for (int i = 0; i < 10; ++i)
        (void)retry.failed();
    CHECK(retry.failing());
    retry.succeeded();
    CHECK_FALSE(retry.failing());
    CHECK(*retry.failed() <= 100ms);
}

TEST_CASE("failures without end never overflow the delay, however long it is", "[retry]") {
    for (const auto longest : {std::chrono::milliseconds{2s}, std::chrono::milliseconds{24h}}) {
        retry_policy retry{{longest / 2, longest}, 1};
        for (int i = 0; i < 10'000; ++i) {
            const auto delay = retry.failed();
            REQUIRE(delay);
            REQUIRE(*delay >= 0ms);
            REQUIRE(*delay <= longest);
        }
    }
}

TEST_CASE("a drain collapses the delays", "[retry]") {
    retry_policy retry{options, 1};
    for (int i = 0; i < 10; ++i)
        (void)retry.failed();
    retry.begin_drain(false);
    for (int i = 0; i < 100; ++i)
        CHECK(*retry.failed() <= 100ms);
}

TEST_CASE("a sink known to be dead is tried once more in a drain where its events are safe", "[retry]") {
    retry_policy retry{options, 1};
    (void)retry.failed();
    retry.begin_drain(true);
    CHECK_FALSE(retry.failed()); // the attempt that the beginning of the drain caused
}

TEST_CASE("a sink that fails first during a drain is not dead yet", "[retry]") {
    retry_policy retry{options, 1};
    retry.begin_drain(true);
    CHECK(retry.failed());
    CHECK_FALSE(retry.failed());
}
