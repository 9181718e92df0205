#include "base/task_group.hpp"
#include "support/catch.hpp"
#include "support/manual_clock.hpp"
#include "support/run.hpp"

#include <trackd/clock.hpp>

#include <stdexcept>
#include <vector>

using namespace trackd;
namespace asio = boost::asio;

namespace {

using group = base::task_group<asio::any_io_executor>;

asio::awaitable<void> wait_for(wakeup& bell) {
    co_await bell.wait();
}

asio::awaitable<void> fail() {
    throw std::runtime_error{"as the test wants it"};
    co_return;
}

asio::awaitable<bool> joined(group& tasks) {
    co_await tasks.join();
    co_return true;
}

} // namespace

TEST_CASE("joining waits for the last coroutine", "[task_group]") {
    asio::io_context context;
    test::manual_clock clock;
    wakeup first{context.get_executor(), clock};
    wakeup second{context.get_executor(), clock};
    group tasks{context.get_executor(), base::log_failed_task};
    tasks.spawn("first", wait_for(first));
    tasks.spawn("second", wait_for(second));
    const auto end = test::start(context, joined(tasks));
    first.ring();
    context.poll();
    CHECK_FALSE(end->ended());
    REQUIRE(tasks.running().size() == 1);
    CHECK(tasks.running().front().name == "second");
    second.ring();
    context.poll();
    CHECK(end->ended());
}

TEST_CASE("several may join, and sleep until all is over", "[task_group]") {
    asio::io_context context;
    test::manual_clock clock;
    wakeup bell{context.get_executor(), clock};
    group tasks{context.get_executor(), base::log_failed_task};
    tasks.spawn("task", wait_for(bell));
    const auto one = test::start(context, joined(tasks));
    const auto other = test::start(context, joined(tasks));
    CHECK(context.poll() < 20); // they do not wake each other
    bell.ring();
    context.poll();
    CHECK(one->ended());
    CHECK(other->ended());
}

TEST_CASE("joining an empty group returns at once", "[task_group]") {
    asio::io_context context;
    group tasks{context.get_executor(), base::log_failed_task};
    CHECK(test::run(context, joined(tasks)));
}

TEST_CASE("a coroutine that fails is reported with its name, and the others go on", "[task_group]") {
    asio::io_context context;
    test::manual_clock clock;
    wakeup bell{context.get_executor(), clock};
    std::vector<std::string> failed;
    group tasks{context.get_executor(), [&](const std::string& name, const std::exception_ptr&) {
                    failed.push_back(name);
                }};
    tasks.spawn("good", wait_for(bell));
    tasks.spawn("bad", fail());
    context.poll();
    CHECK(failed == std::vector<std::string>{"bad"});
    CHECK(tasks.size() == 1);
    bell.ring();
    context.poll();
    CHECK(tasks.size() == 0);
}
