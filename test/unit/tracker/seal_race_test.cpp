// The classic way to lose an event, or to crash: something is handed over at the moment when the receiver
// closes. Run it under tsan, too.
#include "support/catch.hpp"
#include "support/events.hpp"
#include "support/fake_sink.hpp"

#include <trackd/lane.hpp>
#include <trackd/tracker.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_future.hpp>

#include <atomic>
#include <future>
#include <latch>
#include <thread>

using namespace trackd;
using namespace std::chrono_literals;
namespace asio = boost::asio;

namespace {

// Tracks one event after the other until it is refused; returns how many were acknowledged.
asio::awaitable<std::size_t> track_until_sealed(tracker& into, std::latch& begun) {
    std::size_t acknowledged = 0;
    for (;;) {
        const auto outcome = co_await into.track(test::make_batch(1));
        if (outcome == errc::sealed) co_return acknowledged;
        if (!outcome) ++acknowledged;
        if (acknowledged == 10) begun.count_down();
    }
}

std::vector<sink_spec> one_fake_sink(const std::shared_ptr<test::fake_sink_script>& script) {
    std::vector<sink_spec> sinks(1);
    sinks[0].name = "fake";
    sinks[0].sink = std::make_unique<test::fake_sink>(script);
    return sinks;
}

} // namespace

TEST_CASE(
    "tracking from many threads while the tracker is sealed loses nothing that was acknowledged", "[tracker]"
) {
    constexpr int trackers_of_events = 4;
    for (int round = 0; round < 20; ++round) {
        const auto script = std::make_shared<test::fake_sink_script>();
        asio::thread_pool pool{4};
        {
            tracker tracker{pool.get_executor(), {}, make_memory_backlog(), one_fake_sink(script)};
            tracker.start();
            std::latch begun{trackers_of_events};
            std::vector<std::future<std::size_t>> acknowledged;
            for (int i = 0; i < trackers_of_events; ++i)
                acknowledged.push_back(
                    asio::co_spawn(pool, track_until_sealed(tracker, begun), asio::use_future)
                );
            begun.wait();
            const auto report =
                asio::co_spawn(pool, tracker.drain(system_clock().now() + 60s), asio::use_future).get();
            std::size_t promised = 0;
            for (auto& one : acknowledged)
                promised += one.get();
            CHECK(promised == report.books.accepted);
            CHECK(report.delivered == promised);
            CHECK(report.lost == 0);
            CHECK(script->ids().size() == promised);
        }
        pool.join();
    }
}

TEST_CASE("admitting on an I/O thread's lane while the tracker is sealed loses nothing", "[lane]") {
    for (int round = 0; round < 20; ++round) {
        const auto script = std::make_shared<test::fake_sink_script>();
        asio::thread_pool pool{1};
        asio::io_context io{1};
        {
            tracker tracker{pool.get_executor(), {}, make_memory_backlog(), one_fake_sink(script)};
            auto& lane = tracker.add_lane(io);
            tracker.start();
            auto work = asio::make_work_guard(io);
            std::size_t admitted = 0;
            std::atomic<bool> refused = false;
            std::latch begun{1};
            std::function<void()> turn = [&] {
                const auto mark = lane.mark();
                lane.events().append(test::make_event("x"));
                refused = static_cast<bool>(lane.admit(mark));
                if (refused) return;
                if (++admitted == 100) begun.count_down();
                asio::post(io, turn);
            };
            asio::post(io, turn);
            std::thread thread{[&] { io.run(); }};
            begun.wait();
            const auto report =
                asio::co_spawn(pool, tracker.drain(system_clock().now() + 60s), asio::use_future).get();
            work.reset();
            thread.join();
            CHECK(refused);
            CHECK(report.books.accepted == admitted);
            CHECK(report.delivered == admitted);
        }
        pool.join();
    }
}
