// What holds of every delivery, whatever its sink does.
#include "delivery_fixture.hpp"
#include "support/catch.hpp"
#include "support/moody_sink.hpp"

#include <random>

using namespace trackd;
using namespace std::chrono_literals;
using test::delivery_fixture;
using test::moody_sink;

namespace {

using strings = std::vector<std::string>;

constexpr std::size_t many = 300;
constexpr std::size_t last = many + 5; // behind the last bad event there are good ones

std::set<std::string> every_tenth_or_so(unsigned seed) {
    std::mt19937 random{seed};
    std::set<std::string> ids;
    for (std::size_t id = 1; id <= many; ++id)
        if (random() % 10 == 0) ids.insert(std::to_string(id));
    return ids;
}

struct with_shelf { // before the delivery, which makes the sink
    std::shared_ptr<moody_sink::shelf> shelf = std::make_shared<moody_sink::shelf>();
};

/// Its place in the backlog is an event's id.
struct with_moods : with_shelf, delivery_fixture {
    explicit with_moods(unsigned seed)
        : delivery_fixture{[this, seed](delivery_fixture& in, sink_spec& spec) {
              spec.batch.events = 40;
              spec.dead_letters = std::make_unique<test::fake_dead_letters>(in.letters);
              spec.sink = std::make_unique<moody_sink>(shelf, every_tenth_or_so(seed), seed);
          }} {
        append(last);
    }

    [[nodiscard]] bool done() { return loop.place().at == last + 1; }

    void go_on() {
        until([this] { return done() || clock.waiting() == 1; });
        clock.advance(1min);
    }
};

} // namespace

TEST_CASE("whatever a sink does, each event is delivered once, or a dead letter", "[dead]") {
    const auto seed = GENERATE(range(1U, 21U));
    CAPTURE(seed);
    with_moods to{seed};
    while (!to.done())
        to.go_on();
    const auto poison = every_tenth_or_so(seed);
    strings sound;
    strings bad;
    for (std::size_t id = 1; id <= last; ++id)
        (poison.contains(std::to_string(id)) ? bad : sound).push_back(std::to_string(id));
    CHECK(std::ranges::is_permutation(to.shelf->ids(), sound));
    CHECK(to.dead() == bad);
    for (const auto& letter : to.letters->all())
        CHECK(letter.attempts > 0);
    CHECK(to.loop.status().delivered == sound.size());
    CHECK(to.loop.status().dead_lettered == bad.size());
}

TEST_CASE("whatever a sink does that is passed over, its books are true", "[dead]") {
    const auto seed = GENERATE(range(1U, 21U));
    CAPTURE(seed);
    with_moods to{seed};
    std::mt19937 random{seed};
    while (!to.done()) {
        for (int step = 0; step < 100; ++step) { // at any point of its writes
            to.context.restart();
            to.context.poll_one();
            if (random() % 50 == 0)
                to.loop.skip_to(std::min<position>(to.loop.place().at + random() % 6, last - 1));
        }
        to.go_on();
    }
    const auto status = to.loop.status();
    CHECK(status.delivered == to.shelf->ids().size());
    CHECK(status.dead_lettered == to.dead().size());
    CHECK(status.delivered + status.dead_lettered + status.skipped == last);
}
