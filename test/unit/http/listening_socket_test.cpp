// Socket files: made, refused, replaced, removed.
#include "http/listening_socket.hpp"
#include "support/catch.hpp"
#include "support/temporary_directory.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>

#include <algorithm>
#include <barrier>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <future>
#include <optional>
#include <string>
#include <string_view>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include <vector>

using namespace trackd;
using namespace trackd::http;

namespace {

struct fixture {
    test::temporary_directory directory;
    std::string path = (directory.path() / "trackd.sock").string();
    std::string address = "unix:" + path;

    [[nodiscard]] std::string refusal() const {
        try {
            const auto socket = listen_on(address);
        } catch (const std::runtime_error& error) {
            return error.what();
        }
        return {};
    }

    [[nodiscard]] bool can_connect() const {
        boost::asio::io_context context;
        boost::asio::local::stream_protocol::socket client{context};
        boost::system::error_code error;
        client.connect({path}, error);
        return !error;
    }
};

} // namespace

TEST_CASE_METHOD(
    fixture, "a socket file is for its owner and group, whatever the umask", "[http][listener]"
) {
    const auto before = ::umask(0077);
    const auto socket = listen_on(address);
    ::umask(before);
    struct stat made{};
    REQUIRE(::stat(path.c_str(), &made) == 0);
    CHECK((made.st_mode & 07777U) == 0660U);
    CHECK(socket.name == address);
    CHECK(can_connect());
}

TEST_CASE_METHOD(fixture, "a socket file goes with its socket", "[http][listener]") {
    static_cast<void>(listen_on(address));
    CHECK_FALSE(std::filesystem::exists(path));
}

TEST_CASE_METHOD(fixture, "a file that somebody has put in its place stays", "[http][listener]") {
    {
        auto socket = listen_on(address);
        std::filesystem::remove(path);
        std::ofstream{path} << "another";
    }
    CHECK(std::filesystem::exists(path));
}

TEST_CASE_METHOD(fixture, "a file that a dead process left behind is replaced", "[http][listener]") {
    boost::asio::io_context context;
    boost::asio::local::stream_protocol::acceptor dead{context, {path}};
    dead.close();
    REQUIRE(std::filesystem::exists(path));
    const auto socket = listen_on(address);
    CHECK(can_connect());
}

TEST_CASE_METHOD(fixture, "a file behind which somebody listens is refused, and stays", "[http][listener]") {
    const auto first = listen_on(address);
    CHECK(refusal() == "cannot listen on " + address + ": Address already in use");
    CHECK(can_connect());
}

TEST_CASE_METHOD(
    fixture, "of many that want the same stale file at once one gets it, and can be reached",
    "[http][listener]"
) {
    constexpr int starters = 8;
    for (int round = 0; round < 100; ++round) {
        boost::asio::io_context context;
        boost::asio::local::stream_protocol::acceptor{context, {path}}.close();
        std::barrier at_once{starters};
        std::vector<std::future<std::optional<listening_socket>>> all;
        for (int i = 0; i < starters; ++i)
            all.push_back(std::async(std::launch::async, [&]() -> std::optional<listening_socket> {
                at_once.arrive_and_wait();
                try {
                    return listen_on(address);
                } catch (const std::runtime_error& error) {
                    if (!std::string_view{error.what()}.ends_with(": Address already in use")) throw;
                    return std::nullopt;
                }
            }));
        std::vector<std::optional<listening_socket>> got;
        for (auto& each : all)
            got.push_back(each.get());
        REQUIRE(std::ranges::count_if(got, [](const auto& one) { return one.has_value(); }) == 1);
        REQUIRE(can_connect());
    }
}

TEST_CASE_METHOD(fixture, "who waits in vain for the directory says so", "[http][listener]") {
    const int directory_of_others = ::open(directory.path().c_str(), O_RDONLY);
    REQUIRE(::flock(directory_of_others, LOCK_EX) == 0);
    const auto said = refusal();
    ::close(directory_of_others);
    CHECK(
        said == "cannot listen on " + address + ": another process holds the lock (flock) of " +
                    directory.path().string() + "/"
    );
    CHECK(refusal().empty());
}

TEST_CASE_METHOD(fixture, "a file that is no socket is refused, and stays", "[http][listener]") {
    std::ofstream{path} << "precious";
    CHECK(refusal().find("this file exists and is no socket") != std::string::npos);
    CHECK(std::filesystem::file_size(path) == 8);
}

TEST_CASE("a socket file in no directory is refused", "[http][listener]") {
    CHECK_THROWS_WITH(
        listen_on("unix:/nowhere/x.sock"), "cannot listen on unix:/nowhere/x.sock: No such file or directory"
    );
    CHECK_THROWS_AS(parse_listen("unix:relative"), std::invalid_argument);
    CHECK_THROWS_AS(parse_listen("unix:/" + std::string(107, 'x')), std::invalid_argument);
}
