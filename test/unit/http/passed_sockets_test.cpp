// Which passed sockets a listener gets, and what is said where there are none.
#include "http/passed_sockets.hpp"
#include "support/catch.hpp"

#include <cstdlib>
#include <fcntl.h>
#include <string>
#include <sys/socket.h>
#include <unistd.h>
#include <vector>

using namespace trackd::http;

namespace {

constexpr int first = 200; // where no test has other descriptors

const std::string me = std::to_string(::getpid());

// Listening sockets, as systemd would pass them, from `first` on. Owned by whoever takes them over.
void pass_listening(int count) {
    for (int i = 0; i < count; ++i) {
        auto made = listen_on("127.0.0.1:0");
        REQUIRE(::dup2(made.descriptor.get(), first + i) == first + i);
    }
}

std::vector<int> descriptors(const std::vector<listening_socket>& sockets) {
    std::vector<int> numbers;
    for (const auto& one : sockets)
        numbers.push_back(one.descriptor.get());
    return numbers;
}

std::string refusal(passed_sockets& from, const std::string& address) {
    try {
        static_cast<void>(from.take(address));
    } catch (const std::runtime_error& error) {
        return error.what();
    }
    return {};
}

} // namespace

TEST_CASE("the addresses of passed sockets are known", "[http][listener]") {
    CHECK(is_passed_address("systemd"));
    CHECK(is_passed_address("systemd:x"));
    CHECK_FALSE(is_passed_address("systemdx"));
    CHECK_FALSE(is_passed_address("127.0.0.1:80"));
}

TEST_CASE("without a name all passed sockets are taken", "[http][listener]") {
    pass_listening(2);
    passed_sockets passed{me.c_str(), "2", nullptr, first};
    const auto taken = passed.take("systemd");
    CHECK(descriptors(taken) == std::vector{first, first + 1});
    CHECK(taken[0].passed);
    CHECK(taken[0].name.starts_with("127.0.0.1:"));
    CHECK((::fcntl(first, F_GETFD) & FD_CLOEXEC) != 0);
    CHECK(passed.left().empty());
}

TEST_CASE("a name takes all passed sockets that have it", "[http][listener]") {
    pass_listening(3);
    passed_sockets passed{me.c_str(), "3", "a:b:a", first};
    CHECK(descriptors(passed.take("systemd:a")) == std::vector{first, first + 2});
    CHECK(passed.left() == "\"b\"");
}

TEST_CASE("without a name those are left that are asked for by name elsewhere", "[http][listener]") {
    pass_listening(2);
    passed_sockets passed{me.c_str(), "2", "admin:ingest", first};
    passed.reserve(std::vector<std::string>{"systemd", "systemd:admin"});
    CHECK(descriptors(passed.take("systemd")) == std::vector{first + 1});
    CHECK(descriptors(passed.take("systemd:admin")) == std::vector{first});
}

TEST_CASE("sockets that nobody takes are closed", "[http][listener]") {
    pass_listening(1);
    {
        const passed_sockets passed{me.c_str(), "1", "x", first};
        CHECK(passed.left() == "\"x\"");
    }
    CHECK(::fcntl(first, F_GETFD) == -1);
}

TEST_CASE("where none was passed the variable to blame is named", "[http][listener]") {
    const auto why = [](const char* process, const char* count) {
        passed_sockets passed{process, count, nullptr, first};
        return refusal(passed, "systemd");
    };
    CHECK(
        why(nullptr, nullptr) == "cannot listen on systemd: no socket was passed: LISTEN_FDS is not set; "
                                 "expected to be started by a socket "
                                 "unit of systemd"
    );
    CHECK(why("1", "1").find("LISTEN_PID is 1, but this is process " + me) != std::string::npos);
    CHECK(why(nullptr, "1").find("LISTEN_PID is not set") != std::string::npos);
    for (const auto* count : {"", "0", "-1", "1x", "99999999999"}) {
        CAPTURE(count);
        CHECK(
            why(me.c_str(), count).find("LISTEN_FDS is \"" + std::string{count} + "\"") != std::string::npos
        );
    }
    CHECK(why(me.c_str(), "1").find("descriptor 200 is not open") != std::string::npos);
}

TEST_CASE("the variables are unset once they were read", "[http][listener]") {
    ::setenv("LISTEN_PID", "1", 1);
    ::setenv("LISTEN_FDS", "1", 1);
    ::setenv("LISTEN_FDNAMES", "x", 1);
    auto passed = passed_sockets::from_environment();
    CHECK(refusal(passed, "systemd").find("LISTEN_PID is 1") != std::string::npos);
    for (const auto* variable : {"LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"})
        CHECK(std::getenv(variable) == nullptr);
}

TEST_CASE("a name that no passed socket has is refused with those there are", "[http][listener]") {
    pass_listening(2);
    passed_sockets passed{me.c_str(), "2", "a:b", first};
    const auto said = refusal(passed, "systemd:c");
    CHECK(said.starts_with("cannot listen on systemd:c: no passed socket"));
    CHECK(said.ends_with("there is \"a\", \"b\""));
}

TEST_CASE("a passed descriptor that does not listen is refused by number and name", "[http][listener]") {
    REQUIRE(::dup2(0, first) == first);
    passed_sockets file{me.c_str(), "1", "f", first};
    CHECK(
        refusal(file, "systemd").find("the passed descriptor 200 (\"f\") is no socket") != std::string::npos
    );

    const native_socket connected(::socket(AF_INET, SOCK_STREAM, 0));
    REQUIRE(::dup2(connected.get(), first) == first);
    passed_sockets accepted{me.c_str(), "1", nullptr, first};
    CHECK(refusal(accepted, "systemd").find("(\"unknown\") does not listen") != std::string::npos);

    const native_socket datagrams(::socket(AF_INET, SOCK_DGRAM, 0));
    REQUIRE(::dup2(datagrams.get(), first) == first);
    passed_sockets udp{me.c_str(), "1", nullptr, first};
    CHECK(refusal(udp, "systemd").find("is no stream socket") != std::string::npos);
}
