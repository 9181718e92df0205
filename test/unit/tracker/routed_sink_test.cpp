// A sink with a route: events that it does not want are neither pending nor skipped, at no time.
#include "support/catch.hpp"
#include "support/events.hpp"
#include "support/fake_backlog.hpp"
#include "support/fake_sink.hpp"
#include "support/manual_clock.hpp"
#include "support/run.hpp"

#include <trackd/tracker.hpp>

#include <algorithm>
#include <random>

using namespace trackd;
using namespace std::chrono_literals;
namespace asio = boost::asio;

namespace {

const route orders{patterns{{"order"}}, {}};
const route pages{patterns{{"page"}}, {}};

// 'o' is an order, anything else a page.
batch events_of(std::string_view kinds, std::size_t first_id = 1) {
    batch events;
    for (const char kind : kinds) {
        const auto id = std::to_string(first_id++);
        auto event = test::make_event(id);
        event.type = kind == 'o' ? "order" : "page";
        events.append(event);
    }
    return events;
}

std::uint64_t count_of(std::string_view kinds, char kind) {
    return static_cast<std::uint64_t>(std::ranges::count(kinds, kind));
}

tracker_options with_ack(ack_mode ack) {
    tracker_options options;
    options.ack = ack;
    options.ack_timeout = 24h;
    return options;
}

// One process. The events and the cursor of an earlier one may be given to it.
struct process {
    explicit process(
        std::shared_ptr<test::fake_sink_script> written_by, std::string_view earlier = {},
        const cursor& place = {}, ack_mode ack = ack_mode::accepted
    )
        : script{std::move(written_by)} {
        made->put(events_of(earlier));
        made->put_cursor("routed", place);
        made->store_always();
        std::vector<sink_spec> specs(1);
        specs[0].name = "routed";
        specs[0].kind = "fake";
        specs[0].sink = std::make_unique<test::fake_sink>(script);
        specs[0].batch = {5, 1'000'000};
        specs[0].wanted = orders;
        specs[0].required = ack == ack_mode::delivered;
        specs[0].when_full = specs[0].required ? when_full::block : when_full::skip;
        tracked.emplace(context.get_executor(), with_ack(ack), std::move(made), std::move(specs), time);
    }

    ~process() {
        if (!ended) end();
    }

    process(const process&) = delete;
    process& operator=(const process&) = delete;

    void start() {
        tracked->start();
        settle();
    }

    void settle() {
        for (int i = 0; i < 20; ++i) {
            context.restart();
            context.poll();
        }
        static_cast<void>(books());
    }

    // Ends when the promise holds.
    auto send(std::string_view kinds) {
        auto sent = test::start(context, tracked->track(events_of(kinds, store->end())));
        settle();
        return sent;
    }

    // Until the sink has failed, or has nothing left.
    void until_at_rest(bool fails) {
        test::run_until(context, [&] {
            if (!fails) time.advance(10s);
            const auto now = books();
            return fails ? now.pending == 0 || now.failing : now.pending == 0 && place().at == store->end();
        });
    }

    void skip_to(position to) {
        store->be_short_of_room(to);
        settle();
    }

    void set_route(const route& wanted) {
        CHECK(test::run(context, tracked->set_route("routed", wanted)));
        settle();
    }

    sink_status books() {
        auto now = test::run(context, tracked->status()).sinks.at(0);
        check(now);
        return now;
    }

    static void check(const sink_status& now) {
        REQUIRE(
            now.accepted == now.delivered + now.pending + now.filtered + now.dead_lettered + now.skipped +
                                now.damaged + now.lost
        );
    }

    [[nodiscard]] const cursor& place() const { return store->place("routed"); }

    drain_report end() {
        ended = true;
        const auto report = test::start(context, tracked->drain(time.now() + 1h));
        tracked->hurry();
        test::run_until(context, [&] { return report->ended(); });
        check(report->get().books.sinks.at(0));
        return report->get();
    }

    asio::io_context context;
    test::manual_clock time;
    std::shared_ptr<test::fake_sink_script> script;
    std::unique_ptr<test::fake_backlog> made = std::make_unique<test::fake_backlog>();
    test::fake_backlog* store = made.get();
    std::optional<tracker> tracked;
    bool ended = false;
};

std::shared_ptr<test::fake_sink_script> failing() {
    auto script = std::make_shared<test::fake_sink_script>();
    script->fail_with("down");
    return script;
}

} // namespace

TEST_CASE("what a sink does not want is not pending while it is down", "[route]") {
    process now{failing()};
    now.start();
    now.send("pppp");
    CHECK(now.books().pending == 0);
    CHECK(now.books().lag_bytes == 0);
    CHECK(now.books().lag == 0s);
    now.send("oppopp");
    now.until_at_rest(true);
    now.send(std::string(10'000, 'p'));
    const auto books = now.books();
    CHECK(books.pending == 2);
    CHECK(books.filtered == 10'008);
    CHECK(books.lag_bytes == events_of("oo").bytes());
}

TEST_CASE("only events that a sink wants count as skipped", "[route][skip]") {
    process now{failing()};
    now.start();
    now.send("oppoppoooopp");
    now.until_at_rest(true);
    now.skip_to(9);
    CHECK(now.place().at == 9);
    CHECK(now.books().skipped == 4);
    CHECK(now.books().filtered == 6);
    CHECK(now.books().pending == 2);
    now.skip_to(now.store->end());
    CHECK(now.books().skipped == 6);
    CHECK(now.books().pending == 0);
}

TEST_CASE(
    "what a sink takes although it was skipped counts as delivered, with a route, too", "[route][skip]"
) {
    auto script = std::make_shared<test::fake_sink_script>();
    script->hold();
    process now{script};
    now.start();
    now.send("poppopp");
    test::run_until(now.context, [&] { return script->attempts() == 1; });
    now.skip_to(7);
    CHECK(now.books().skipped == 2);
    CHECK(now.books().filtered == 5);
    script->release();
    now.until_at_rest(false);
    CHECK(now.books().skipped == 0);
    CHECK(now.books().delivered == 2);
    CHECK(now.books().filtered == 5);
}

TEST_CASE("after a restart the figures are right again once the backlog was read", "[route]") {
    process now{failing(), "oppo" + std::string(10'000, 'p') + "o"};
    now.start();
    now.settle();
    CHECK(now.books().pending == 3);
    CHECK(now.books().filtered == 10'002);
    now.send("po");
    CHECK(now.books().pending == 4);
    CHECK(now.end().pending == 4);
}

TEST_CASE("a skip waits until the events are counted", "[route][skip]") {
    process now{failing(), std::string(10'000, 'p') + "oooo" + std::string(10'000, 'p')};
    now.tracked->start();
    asio::post(now.context, [&] { now.store->be_short_of_room(10'003); });
    test::run_until(now.context, [&] { return now.place().at == 10'003; });
    CHECK(now.books().skipped == 2);
}

TEST_CASE("a skip over events that cannot be read counts them as skipped", "[route][skip]") {
    process now{failing(), "pppo"};
    now.store->fail_reads(1'000'000);
    now.tracked->start();
    asio::post(now.context, [&] { now.store->be_short_of_room(5); });
    test::run_until(now.context, [&] { return now.time.advance(1s), now.place().at == 5; });
    CHECK(now.books().skipped == 4);
    CHECK(now.books().pending == 0);
}

TEST_CASE("damage is pending until the delivery finds it", "[route]") {
    process now{failing(), "oppppp"};
    now.store->damage(3, 2);
    now.start();
    now.until_at_rest(true);
    now.settle();
    CHECK(now.books().pending == 3);
    now.script->work();
    now.time.advance(1min);
    now.until_at_rest(false);
    CHECK(now.books().damaged == 2);
    CHECK(now.books().filtered == 3);
}

TEST_CASE("events that the backlog drops are not counted", "[route]") {
    process now{failing(), {}, {}, ack_mode::delivered};
    now.start();
    now.send("opp");
    now.until_at_rest(true);
    now.store->store_always(false);
    now.send("pppo");
    CHECK(now.books().filtered == 5);
    CHECK(now.books().pending == 2);
    now.store->become(backlog_condition::full);
    now.settle();
    CHECK(now.books().filtered == 2);
    CHECK(now.books().pending == 1);
}

TEST_CASE("with another route the events ahead are counted again", "[route]") {
    process now{failing()};
    now.start();
    now.send("opoop" + std::string(5'000, 'p')); // the first five are given to the sink together
    now.until_at_rest(true);
    now.set_route(pages);
    CHECK(now.books().pending == 3 + 5'000);
    now.set_route({});
    CHECK(now.books().pending == 3 + 5'000);
    now.set_route(orders);
    CHECK(now.books().pending == 3);
    now.skip_to(now.store->end());
    CHECK(now.books().skipped == 3);
}

TEST_CASE("an answer does not wait for a sink that does not want the events", "[route]") {
    process now{failing(), {}, {}, ack_mode::delivered};
    now.start();
    const auto order = now.send("po");
    now.until_at_rest(true);
    const auto page = now.send("pp");
    const auto both = now.send("pop");
    const auto last = now.send("p");
    CHECK_FALSE(order->ended());
    CHECK(page->get() == boost::system::error_code{});
    CHECK_FALSE(both->ended());
    CHECK(last->ended());
    now.script->work();
    now.time.advance(1min);
    now.until_at_rest(false);
    now.settle();
    CHECK(order->get() == boost::system::error_code{});
    CHECK(both->get() == boost::system::error_code{});
}

TEST_CASE("where nothing outlives the process, what a sink does not want is not lost", "[route]") {
    asio::io_context context;
    test::manual_clock time;
    std::vector<sink_spec> specs(1);
    specs[0].name = "routed";
    specs[0].sink = std::make_unique<test::fake_sink>(failing());
    specs[0].wanted = orders;
    tracker tracked{context.get_executor(), {}, make_memory_backlog(), std::move(specs), time};
    tracked.start();
    CHECK_FALSE(test::run(context, tracked.track(events_of("oppopp"))));
    const auto report = test::run(context, tracked.drain(time.now()));
    CHECK(report.lost == 2);
    CHECK(report.books.sinks[0].filtered == 4);
    process::check(report.books.sinks[0]);
}

TEST_CASE("the figures of a routed sink are exact through skips, outages and restarts", "[route]") {
    std::mt19937 random{GENERATE(1U, 2U, 3U, 4U, 5U, 6U)};
    const auto below = [&](std::uint64_t most) {
        return std::uniform_int_distribution<std::uint64_t>{0, most - 1}(random);
    };
    auto script = std::make_shared<test::fake_sink_script>();
    std::string all; // the kinds of all events
    cursor place;
    bool down = false;
    for (int life = 0; life < 4; ++life) {
        process now{script, all, place};
        now.start();
        for (int step = 0; step < 25; ++step) {
            switch (below(5)) {
            case 0: down = true, script->fail_with("down"); break;
            case 1: down = false, script->work(), now.time.advance(1min); break;
            case 2: now.skip_to(now.place().at + below(now.store->end() - now.place().at + 1)); break;
            default:
                std::string kinds(below(40), 'p');
                for (auto& kind : kinds)
                    kind = below(3) == 0 ? 'o' : 'p';
                all += kinds;
                now.send(kinds);
            }
            now.time.advance(1min);
            now.until_at_rest(down);
            const auto books = now.books();
            REQUIRE(books.accepted == all.size());
            REQUIRE(books.filtered == count_of(all, 'p'));
            REQUIRE(books.pending == count_of(all.substr(now.place().at - 1), 'o'));
            REQUIRE(books.delivered == script->ids().size());
        }
        const auto report = now.end();
        REQUIRE(report.books.sinks[0].filtered == count_of(all, 'p'));
        place = now.place();
    }
}

TEST_CASE("the books of a routed sink balance whatever its routes are", "[route]") {
    std::mt19937 random{GENERATE(1U, 2U, 3U, 4U, 5U, 6U)};
    const auto below = [&](std::uint64_t most) {
        return std::uniform_int_distribution<std::uint64_t>{0, most - 1}(random);
    };
    auto script = std::make_shared<test::fake_sink_script>();
    process now{script};
    now.start();
    const std::vector<route> routes{orders, pages, {}};
    for (int step = 0; step < 150; ++step) {
        switch (below(6)) {
        case 0: script->fail_with("down"); break;
        case 1: script->work(), script->release(), now.time.advance(1min); break;
        case 2: now.skip_to(now.place().at + below(now.store->end() - now.place().at + 1)); break;
        case 3: now.set_route(routes[below(routes.size())]); break;
        case 4: script->hold(); break;
        default: now.send("opopppoo");
        }
        const auto books = now.books();
        REQUIRE(
            books.skipped + books.filtered + books.pending <= books.accepted
        ); // none of them is below zero
        REQUIRE(books.delivered <= script->ids().size());
    }
    script->work();
    script->release();
    now.time.advance(1min);
    now.until_at_rest(false);
    CHECK(now.books().delivered == script->ids().size());
    CHECK(now.books().filtered_ahead == 0);
}
