#include "bench/load/answer_reader.hpp"
#include "support/catch.hpp"

#include <stdexcept>
#include <string>
#include <vector>

using trackd::bench::answer_reader;

namespace {

std::vector<int> statuses(answer_reader& reader, std::string_view bytes) {
    std::vector<int> all;
    while (const auto status = reader.next(bytes))
        all.push_back(*status);
    CHECK(bytes.empty());
    return all;
}

std::vector<int> statuses(std::string_view bytes) {
    answer_reader reader;
    return statuses(reader, bytes);
}

constexpr std::string_view created = "HTTP/1.1 201 Created\r\nContent-Length: 14\r\n\r\n{\"accepted\":1}";
constexpr std::string_view empty =
    "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\ncontent-length:0\r\n\r\n";

} // namespace

TEST_CASE("an answer is told by its status", "[bench][answers]") {
    CHECK(statuses(created) == std::vector{201});
    CHECK(statuses(empty) == std::vector{503});
}

TEST_CASE("answers that come together are told one by one", "[bench][answers]") {
    CHECK(
        statuses(std::string{created} + std::string{empty} + std::string{created}) ==
        std::vector{201, 503, 201}
    );
}

TEST_CASE("it does not matter where the bytes are cut", "[bench][answers]") {
    const auto all = std::string{created} + std::string{empty} + std::string{created};
    for (std::size_t cut = 0; cut <= all.size(); ++cut) {
        answer_reader reader;
        auto found = statuses(reader, std::string_view{all}.substr(0, cut));
        for (const auto status : statuses(reader, std::string_view{all}.substr(cut)))
            found.push_back(status);
        INFO(cut);
        REQUIRE(found == std::vector{201, 503, 201});
    }
}

TEST_CASE("answers may come byte by byte", "[bench][answers]") {
    answer_reader reader;
    std::vector<int> found;
    for (const auto& byte : std::string{created} + std::string{empty})
        for (const auto status : statuses(reader, {&byte, 1}))
            found.push_back(status);
    CHECK(found == std::vector{201, 503});
}

TEST_CASE("an answer is not told before the last byte of its body", "[bench][answers]") {
    answer_reader reader;
    CHECK(statuses(reader, created.substr(0, created.size() - 1)).empty());
    CHECK(statuses(reader, created.substr(created.size() - 1)) == std::vector{201});
}

TEST_CASE("a body that looks like an answer is none", "[bench][answers]") {
    CHECK(
        statuses("HTTP/1.1 200 OK\r\nContent-Length: 19\r\n\r\nHTTP/1.1 500 No\r\n\r\n") == std::vector{200}
    );
}

TEST_CASE("interim answers are passed over", "[bench][answers]") {
    CHECK(statuses("HTTP/1.1 100 Continue\r\n\r\n" + std::string{created}) == std::vector{201});
}

TEST_CASE("204 and 304 have no body and need no length", "[bench][answers]") {
    CHECK(
        statuses("HTTP/1.1 204 No Content\r\n\r\nHTTP/1.1 304 Not Modified\r\nContent-Length: 7\r\n\r\n") ==
        std::vector{204, 304}
    );
}

TEST_CASE("what is no answer of a known length is an error", "[bench][answers]") {
    for (std::string_view bad : {
             "SSH-2.0-OpenSSH_9.2\r\n\r\n",
             "HTTP/1.1 abc\r\nContent-Length: 0\r\n\r\n",
             "HTTP/1.1 099 Low\r\nContent-Length: 0\r\n\r\n",
             "HTTP/1.1 201 Created\r\n\r\n",
             "HTTP/1.1 201 Created\r\nContent-Length: 1x\r\n\r\n",
             "HTTP/1.1 201 Created\r\nContent-Length: \r\n\r\n",
             "HTTP/1.1 201 Created\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n",
         }) {
        INFO(bad);
        CHECK_THROWS_AS(answer_reader{}.next(bad), std::runtime_error);
    }
}

TEST_CASE("a head without an end is an error, and is not kept for ever", "[bench][answers]") {
    answer_reader reader;
    const std::string line = "X-Line: " + std::string(1000, 'x') + "\r\n";
    const auto feed_for_ever = [&] {
        for (int i = 0; i < 20; ++i) {
            std::string_view bytes = line;
            reader.next(bytes);
        }
    };
    CHECK_THROWS_AS(feed_for_ever(), std::runtime_error);
}
