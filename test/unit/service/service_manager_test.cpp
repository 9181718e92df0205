#include "service/service_manager.hpp"
#include "support/captured_log.hpp"
#include "support/catch.hpp"
#include "support/temporary_directory.hpp"

#include <array>
#include <cstddef>
#include <string>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <vector>

using namespace trackd::service;
using namespace std::chrono_literals;
using trackd::stage;

namespace {

// A service manager's end of the socket.
class told {
public:
    explicit told(const std::string& name) : descriptor_{::socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0)} {
        sockaddr_un at{};
        at.sun_family = AF_UNIX;
        name.copy(at.sun_path, sizeof at.sun_path);
        if (name[0] == '@') at.sun_path[0] = '\0';
        const auto size = offsetof(sockaddr_un, sun_path) + name.size();
        REQUIRE(
            ::bind(descriptor_, reinterpret_cast<const sockaddr*>(&at), static_cast<socklen_t>(size)) == 0
        );
    }

    ~told() { ::close(descriptor_); }

    told(const told&) = delete;
    told& operator=(const told&) = delete;

    // What has come since the last call.
    std::vector<std::string> messages() {
        std::vector<std::string> all;
        std::array<char, 200> bytes{};
        for (;;) {
            const auto size = ::recv(descriptor_, bytes.data(), bytes.size(), 0);
            if (size < 0) return all;
            all.emplace_back(bytes.data(), static_cast<std::size_t>(size));
        }
    }

private:
    int descriptor_;
};

using messages = std::vector<std::string>;

const trackd::clock::time_point noon{12h};

} // namespace

TEST_CASE("a service manager is told that the daemon is ready, and that it stops", "[service_manager]") {
    const trackd::test::temporary_directory directory;
    const auto name = (directory.path() / "notify").string();
    told socket{name};
    service_manager manager{name.c_str(), nullptr, nullptr};
    manager.enters(stage::running);
    CHECK(socket.messages() == messages{"STATUS=running\nREADY=1"});
    manager.enters(stage::lame_duck);
    manager.enters(stage::draining);
    CHECK(socket.messages() == messages{"STATUS=lame_duck\nSTOPPING=1", "STATUS=draining"});
}

TEST_CASE("a service manager is told when a reload begins, and that it has ended", "[service_manager]") {
    const auto name = "@trackd-test-" + std::to_string(::getpid());
    told socket{name};
    service_manager manager{name.c_str(), nullptr, nullptr};
    manager.reloads(trackd::clock::time_point{1234567899ns});
    CHECK(socket.messages() == messages{"RELOADING=1\nMONOTONIC_USEC=1234567\nSTATUS=reloading"});
    manager.enters(stage::running);
    CHECK(socket.messages() == messages{"STATUS=running\nREADY=1"});
}

TEST_CASE("the name of its socket may be an abstract one", "[service_manager]") {
    const auto name = "@trackd-test-" + std::to_string(::getpid());
    told socket{name};
    service_manager manager{name.c_str(), nullptr, nullptr};
    manager.enters(stage::running);
    CHECK(socket.messages() == messages{"STATUS=running\nREADY=1"});
}

TEST_CASE("a watchdog is fed before half of its time is over", "[service_manager]") {
    const auto name = "@trackd-test-" + std::to_string(::getpid());
    told socket{name};
    service_manager manager{name.c_str(), "30000000", std::to_string(::getpid()).c_str()};
    CHECK(manager.beat() == 1s);
    std::vector<int> fed;
    for (int second = 0; second < 45; ++second) {
        manager.lives(noon + std::chrono::seconds{second});
        if (socket.messages() == messages{"WATCHDOG=1"}) fed.push_back(second);
    }
    CHECK(fed == std::vector{0, 15, 30});
}

TEST_CASE("an impatient watchdog makes the beats quicker", "[service_manager]") {
    CHECK(service_manager{"@nobody", "200000", nullptr}.beat() == 50ms);
}

TEST_CASE("a watchdog that is another process's is not fed", "[service_manager]") {
    const auto name = "@trackd-test-" + std::to_string(::getpid());
    told socket{name};
    for (const auto* usec : {"30000000", "x", "-1", ""}) {
        service_manager manager{name.c_str(), usec, usec[0] == '3' ? "1" : nullptr};
        manager.lives(noon);
        CHECK(socket.messages().empty());
        CHECK(manager.beat() == 1s);
    }
}

TEST_CASE("a service manager that cannot be told anything is warned of once", "[service_manager]") {
    const std::string too_long = "/" + std::string(200, 'x');
    for (const std::string& name : {std::string{"/nowhere/at/all"}, std::string{"vsock:2:9999"}, too_long}) {
        const trackd::test::captured_log log;
        service_manager manager{name.c_str(), nullptr, nullptr};
        manager.enters(stage::running);
        manager.enters(stage::lame_duck);
        CHECK(log.lines("NOTIFY_SOCKET is " + name).size() == 1);
    }
}

TEST_CASE("without a service manager nothing is told", "[service_manager]") {
    const trackd::test::captured_log log;
    service_manager manager;
    manager.enters(stage::running);
    manager.lives(noon);
    CHECK(manager.beat() == 1s);
    CHECK(log.lines("NOTIFY_SOCKET").empty());
}
