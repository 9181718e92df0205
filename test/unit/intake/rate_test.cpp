#include "intake/rate.hpp"
#include "support/catch.hpp"

#include <chrono>
#include <thread>
#include <vector>

using namespace std::chrono_literals;
using trackd::intake::rate;

namespace {

const trackd::clock::time_point start{1h};

} // namespace

TEST_CASE("a bucket begins full, and holds what a second brings", "[intake][rate]") {
    rate bucket;
    for (int i = 0; i < 5; ++i)
        CHECK_FALSE(bucket.take(1, 5, start));
    CHECK(bucket.take(1, 5, start) == 200ms);
    CHECK_FALSE(bucket.take(1, 5, start + 200ms));
    CHECK(bucket.take(1, 5, start + 200ms) == 200ms);
}

TEST_CASE("a second is filled exactly, in whatever parts", "[intake][rate]") {
    for (const std::uint64_t per_second : {3U, 7U, 11U, 999U}) {
        rate bucket;
        for (std::uint64_t i = 0; i < per_second; ++i)
            CHECK_FALSE(bucket.take(1, per_second, start));
        CHECK(bucket.take(1, per_second, start));
    }
}

TEST_CASE("an amount is taken as a whole or not at all", "[intake][rate]") {
    rate bucket;
    CHECK_FALSE(bucket.take(3, 5, start));
    CHECK(bucket.take(3, 5, start) == 200ms);
    CHECK_FALSE(bucket.take(2, 5, start)); // nothing of the three was taken
}

TEST_CASE("a bucket never holds more than a second brings, however long it waits", "[intake][rate]") {
    rate bucket;
    CHECK_FALSE(bucket.take(5, 5, start));
    CHECK_FALSE(bucket.take(5, 5, start + 24h));
    CHECK(bucket.take(1, 5, start + 24h) == 200ms);
}

TEST_CASE("what is larger than the bucket waits for a full one, and leaves a debt", "[intake][rate]") {
    rate bucket;
    CHECK_FALSE(bucket.take(1, 5, start));
    CHECK(bucket.take(50, 5, start) == 200ms);
    CHECK_FALSE(bucket.take(50, 5, start + 200ms));
    CHECK(bucket.take(1, 5, start + 200ms) == 9200ms);
    CHECK(bucket.take(0, 5, start + 200ms) == 9s);
    CHECK_FALSE(bucket.take(1, 5, start + 9400ms));
}

TEST_CASE("what is given back can be taken again", "[intake][rate]") {
    rate bucket;
    CHECK_FALSE(bucket.take(5, 5, start));
    bucket.give_back(5, 5);
    CHECK_FALSE(bucket.take(5, 5, start));
    CHECK(bucket.take(1, 5, start));
}

TEST_CASE("the extremes do not overflow", "[intake][rate]") {
    rate bucket;
    CHECK_FALSE(bucket.take(UINT64_MAX, 1, start));
    CHECK(bucket.take(1, 1, start) > 24h);
    rate quick;
    CHECK_FALSE(quick.take(1'099'511'627'776, 1'099'511'627'776, start));
    CHECK_FALSE(quick.take(1, UINT64_MAX, start));
}

TEST_CASE("many threads together take no more than there is", "[intake][rate]") {
    rate bucket;
    std::atomic<int> taken = 0;
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i)
        threads.emplace_back([&] {
            for (int n = 0; n < 1000; ++n)
                if (!bucket.take(1, 1000, start)) ++taken;
        });
    for (auto& one : threads)
        one.join();
    CHECK(taken == 1000);
}
