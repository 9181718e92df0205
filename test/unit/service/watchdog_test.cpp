#include "service/watchdog.hpp"
#include "support/catch.hpp"

#include <functional>
#include <sys/wait.h>
#include <unistd.h>

using namespace trackd::service;
using namespace std::chrono_literals;

namespace {

// Runs the given work in a process of its own and returns its exit status.
int exit_status_of(const std::function<void()>& work) {
    const auto child = ::fork();
    if (child == 0) {
        work();
        ::_exit(0);
    }
    int status = -1;
    ::waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

} // namespace

TEST_CASE(
    "a watchdog that is not disarmed in time says its last words and ends the process with 1", "[watchdog]"
) {
    int said[2];
    REQUIRE(::pipe(said) == 0);
    const auto status = exit_status_of([&] {
        watchdog dog{[&] { (void)!::write(said[1], "words", 5); }};
        dog.arm(std::chrono::steady_clock::now() + 1h);
        dog.arm(std::chrono::steady_clock::now());
        for (;;)
            ::pause(); // what hangs
    });
    CHECK(status == 1);
    char words[5];
    CHECK(::read(said[0], words, sizeof words) == 5);
    ::close(said[0]);
    ::close(said[1]);
}

TEST_CASE("a watchdog that is disarmed does nothing", "[watchdog]") {
    CHECK(exit_status_of([] {
              watchdog dog{[] { ::_exit(7); }};
              dog.arm(std::chrono::steady_clock::now() + 1h);
              dog.disarm();
          }) == 0);
}
