#include "base/byte_budget.hpp"
#include "support/catch.hpp"

#include <cstddef>
#include <thread>
#include <vector>

using trackd::base::byte_budget;
using trackd::base::byte_share;

TEST_CASE("bytes are taken up to the limit, all that is wanted or nothing", "[base][budget]") {
    byte_budget budget{100};
    CHECK(budget.take(60));
    CHECK_FALSE(budget.take(41));
    CHECK(budget.taken() == 60);
    CHECK(budget.take(40));
    CHECK_FALSE(budget.take(1));
    budget.give_back(60);
    CHECK(budget.take(60));
}

TEST_CASE("a share takes only what it lacks, and gives all of it back", "[base][budget]") {
    byte_budget budget{100};
    byte_share share{&budget};
    CHECK(share.grow_to(50));
    CHECK(share.grow_to(30));
    CHECK(budget.taken() == 50);
    CHECK(share.grow_to(100));
    CHECK(budget.taken() == 100);
    CHECK_FALSE(share.grow_to(101));
    CHECK(budget.taken() == 100);
    share.release();
    share.release();
    CHECK(budget.taken() == 0);
}

TEST_CASE("a share ends with its holder", "[base][budget]") {
    byte_budget budget{100};
    {
        byte_share share{&budget};
        REQUIRE(share.grow_to(70));
    }
    CHECK(budget.taken() == 0);
}

TEST_CASE("a share of no budget has no limit", "[base][budget]") {
    byte_share share{nullptr};
    CHECK(share.grow_to(static_cast<std::size_t>(-1)));
    share.release();
}

TEST_CASE(
    "many threads never hold more than the limit together, and leave nothing behind", "[base][budget]"
) {
    constexpr std::size_t most = 1000;
    byte_budget budget{most};
    std::atomic<std::size_t> held{0};
    std::atomic<bool> exceeded{false};
    std::vector<std::thread> threads;
    for (std::size_t n = 0; n < 4; ++n)
        threads.emplace_back([&, wanted = 300 + n] {
            for (int round = 0; round < 5000; ++round) {
                byte_share share{&budget};
                if (!share.grow_to(wanted)) continue;
                if (held.fetch_add(wanted) + wanted > most) exceeded = true;
                held.fetch_sub(wanted);
            }
        });
    for (auto& each : threads)
        each.join();
    CHECK_FALSE(exceeded);
    CHECK(budget.taken() == 0);
}
