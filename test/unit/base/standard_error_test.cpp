// A log that nobody reads.
#include "base/standard_error.hpp"
#include "support/catch.hpp"

#include <spdlog/logger.h>

#include <array>
#include <csignal>
#include <fcntl.h>
#include <memory>
#include <string>
#include <sys/time.h>
#include <unistd.h>

using namespace trackd;
using base::standard_error;

namespace {

// While it lives, standard error is a pipe.
class unread_pipe {
public:
    unread_pipe() {
        REQUIRE(::pipe2(ends_.data(), O_CLOEXEC | O_NONBLOCK) == 0);
        REQUIRE(::dup2(ends_[1], STDERR_FILENO) == STDERR_FILENO);
    }

    ~unread_pipe() {
        ::dup2(before_, STDERR_FILENO);
        for (const int fd : {before_, ends_[0], ends_[1]})
            ::close(fd);
    }

    unread_pipe(const unread_pipe&) = delete;
    unread_pipe& operator=(const unread_pipe&) = delete;

    static void fill() {
        const std::string page(4096, '.');
        while (::write(STDERR_FILENO, page.data(), page.size()) > 0) {
        }
    }

    [[nodiscard]] std::string read() const {
        std::string all;
        std::array<char, 4096> some{};
        for (ssize_t count = 0; (count = ::read(ends_[0], some.data(), some.size())) > 0;)
            all.append(some.data(), static_cast<std::size_t>(count));
        return all;
    }

private:
    const int before_ = ::dup(STDERR_FILENO);
    std::array<int, 2> ends_{};
};

} // namespace

TEST_CASE("lines that standard error does not take are dropped, and counted afterwards", "[standard_error]") {
    const unread_pipe pipe;
    spdlog::logger log{"test", std::make_shared<standard_error>(base::unread::is_dropped)};
    log.set_pattern("%l %v");
    log.info("first");
    CHECK(pipe.read() == "info first\n");
    unread_pipe::fill();
    for (int i = 0; i < 3; ++i)
        log.info("lost");
    CHECK(pipe.read().find("lost") == std::string::npos);
    log.info("again");
    log.info("last");
    CHECK(
        pipe.read() ==
        "warning log: 3 lines were dropped, because standard error was not read\ninfo again\ninfo last\n"
    );
}

TEST_CASE("a signal does not make a line wait for a full standard error", "[standard_error]") {
    const unread_pipe pipe;
    spdlog::logger log{"test", std::make_shared<standard_error>(base::unread::is_dropped)};
    struct sigaction before{};
    struct sigaction ignored{};
    ignored.sa_handler = [](int) {};
    REQUIRE(::sigaction(SIGALRM, &ignored, &before) == 0);
    unread_pipe::fill();
    const itimerval soon{{0, 0}, {0, 20'000}};
    REQUIRE(::setitimer(ITIMER_REAL, &soon, nullptr) == 0);
    log.info("lost");
    REQUIRE(::sigaction(SIGALRM, &before, nullptr) == 0);
    CHECK(pipe.read().find("lost") == std::string::npos);
}
