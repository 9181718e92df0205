// A delivery from a backlog on disk: what is not stored yet, what is damaged, and what cannot be read.
#include "base/task_group.hpp"
#include "support/catch.hpp"
#include "support/events.hpp"
#include "support/fake_backlog.hpp"
#include "support/fake_sink.hpp"
#include "support/manual_clock.hpp"
#include "support/run.hpp"
#include "tracker/delivery.hpp"

using namespace trackd;
using namespace std::chrono_literals;
namespace asio = boost::asio;

namespace {

using strings = std::vector<std::string>;

struct journal_delivery {
    explicit journal_delivery(std::chrono::milliseconds waits = {}, position first = 1)
        : store{first}, linger{waits} {
        store.start(strand, clock, {[this] { loop.wake(); }, [](batch::mark) {}});
        tasks.spawn("delivery", loop.run());
    }

    ~journal_delivery() {
        script->release();
        loop.give_up();
        until([this] { return tasks.size() == 0; });
    }

    template <class Done>
    void until(Done done) {
        test::run_until(context, done);
    }

    // Until nothing moves any more but what time or the test moves.
    void settle() {
        for (int i = 0; i < 3; ++i) {
            context.restart();
            context.poll();
        }
    }

    void append(std::size_t count) {
        store.append(test::make_batch(count, store.end()));
        loop.wake();
    }

    sink_spec spec() {
        sink_spec made;
        made.name = "fake";
        made.kind = "fake";
        made.sink = std::make_unique<test::fake_sink>(script);
        made.batch = {3, 1'000'000};
        made.linger = linger;
        return made;
    }

    asio::io_context context;
    test::manual_clock clock;
    std::shared_ptr<test::fake_sink_script> script = std::make_shared<test::fake_sink_script>();
    test::fake_backlog store;
    std::chrono::milliseconds linger;
    tracker_strand strand = asio::make_strand(asio::any_io_executor{context.get_executor()});
    cursor place = store.open_cursor("fake", sink_start::oldest, "");
    int moves = 0;
    delivery loop{strand, clock, utc_now, spec(), store, place, {100ms, 1'000ms}, [this] { ++moves; }};
    base::task_group<asio::any_io_executor> tasks{strand, base::log_failed_task};
};

struct lingering_delivery : journal_delivery {
    lingering_delivery() : journal_delivery{200ms} { store.store_always(); }
};

} // namespace

TEST_CASE_METHOD(journal_delivery, "what is not stored is not delivered", "[delivery]") {
    append(2);
    append(1);
    settle();
    CHECK(script->attempts() == 0);
    store.store_up_to(3);
    until([this] { return loop.place().at == 3; });
    CHECK(script->ids() == strings{"1", "2"});
    store.store();
    until([this] { return loop.place().at == 4; });
    CHECK(script->ids() == strings{"1", "2", "3"});
}

TEST_CASE_METHOD(journal_delivery, "damage is skipped, counted, and no failure", "[delivery]") {
    store.damage(3, 4);
    append(8);
    store.store();
    until([this] { return loop.place().at == 9; });
    CHECK(script->ids() == strings{"1", "2", "7", "8"});
    const auto status = loop.status();
    CHECK(status.delivered == 4);
    CHECK(status.damaged == 4);
    CHECK(status.retries == 0);
    CHECK_FALSE(status.failing);
    CHECK(store.place("fake") == cursor{1, 9, 4});
    CHECK(moves == 3); // the damage is progress, too
}

TEST_CASE_METHOD(journal_delivery, "damage at the end is skipped at once", "[delivery]") {
    store.damage(2, 2);
    append(3);
    store.store();
    until([this] { return loop.place().at == 4; });
    CHECK(loop.status().damaged == 2);
    append(1);
    store.store();
    until([this] { return loop.place().at == 5; });
    CHECK(loop.status().delivered == 2);
}

TEST_CASE_METHOD(journal_delivery, "a read that fails is tried again after a delay", "[delivery]") {
    store.fail_reads(2);
    append(2);
    store.store();
    until([this] { return store.reads() == 1 && clock.waiting() == 1; });
    CHECK(clock.next() <= 100ms);
    CHECK(loop.status().failing);
    CHECK(loop.status().last_error.find("segment: read") != std::string::npos);
    CHECK(script->attempts() == 0);
    clock.advance(100ms);
    until([this] { return store.reads() == 2 && clock.waiting() == 1; });
    clock.advance(200ms);
    until([this] { return loop.place().at == 3; });
    CHECK(script->ids() == strings{"1", "2"});
    CHECK(loop.status().retries == 2);
    CHECK_FALSE(loop.status().failing);
}

TEST_CASE_METHOD(journal_delivery, "a drain leaves what cannot be read where it is", "[delivery]") {
    store.fail_reads(100);
    append(2);
    store.store();
    until([this] { return store.reads() == 1 && clock.waiting() == 1; });
    loop.begin_drain();
    until([this] {
        clock.advance(100ms);
        return tasks.size() == 0;
    });
    CHECK(store.reads() == 2); // once more
    CHECK(loop.place().at == 1);
    CHECK(script->closed());
}

TEST_CASE_METHOD(journal_delivery, "a drain waits for what is on its way to the disk", "[delivery]") {
    append(2);
    settle();
    loop.begin_drain();
    settle();
    CHECK(tasks.size() == 1);
    store.store();
    until([this] { return tasks.size() == 0; });
    CHECK(script->ids() == strings{"1", "2"});
}

TEST_CASE_METHOD(journal_delivery, "a full disk does not keep what is in memory from a sink", "[delivery]") {
    append(2);
    settle();
    store.become(backlog_condition::full, true);
    until([this] { return loop.place().at == 3; });
    CHECK(script->ids() == strings{"1", "2"});
}

TEST_CASE("a delivery goes on where an earlier process was", "[delivery]") {
    journal_delivery fixture{{}, 50};
    fixture.append(2);
    fixture.store.store();
    fixture.until([&] { return fixture.loop.place().at == 52; });
    CHECK(fixture.script->ids() == strings{"50", "51"});
    CHECK(fixture.loop.status().delivered == 2);
}

TEST_CASE_METHOD(lingering_delivery, "an event waits for others until its time is over", "[delivery]") {
    append(1);
    until([this] { return clock.waiting() == 1; });
    CHECK(clock.next() == 200ms);
    clock.advance(150ms);
    append(1);
    settle();
    CHECK(script->attempts() == 0);
    CHECK(clock.next() == 50ms); // the second does not make the first wait longer
    clock.advance(50ms);
    until([this] { return loop.place().at == 3; });
    CHECK(script->attempts() == 1);
}

TEST_CASE_METHOD(lingering_delivery, "a full batch does not wait", "[delivery]") {
    append(2);
    until([this] { return clock.waiting() == 1; });
    append(1);
    until([this] { return loop.place().at == 4; });
    CHECK(script->attempts() == 1);
    until([this] { return clock.waiting() == 1; });
    CHECK(clock.next() == 60s); // for the next upkeep
}

TEST_CASE_METHOD(lingering_delivery, "what a full batch leaves waits for its own time", "[delivery]") {
    append(4);
    until([this] { return loop.place().at == 4; });
    until([this] { return clock.waiting() == 1; });
    CHECK(clock.next() == 200ms);
    clock.advance(200ms);
    until([this] { return loop.place().at == 5; });
    CHECK(script->attempts() == 2);
}

TEST_CASE_METHOD(lingering_delivery, "a drain does not wait for more", "[delivery]") {
    append(1);
    until([this] { return clock.waiting() == 1; });
    loop.begin_drain();
    until([this] { return tasks.size() == 0; });
    CHECK(script->ids() == strings{"1"});
}

TEST_CASE_METHOD(lingering_delivery, "giving up does not wait for more", "[delivery]") {
    append(1);
    until([this] { return clock.waiting() == 1; });
    loop.give_up();
    until([this] { return tasks.size() == 0; });
    CHECK(script->attempts() == 0);
}
