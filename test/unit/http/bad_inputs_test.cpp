// The table of bad inputs against the whole server, over real connections.
//
// A stand-in answers for the intake: 201 for any body, 400 for none. So these lines, which depend on more
// than framing, want the real daemon as well: B30 and B31 (which content types and keys are good), B33, B34,
// C14, C19, C20, D40, E03.
#include "bad_inputs.hpp"
#include "server.hpp"
#include "support/catch.hpp"

#include <string>
#include <vector>

using namespace trackd;
using namespace std::chrono_literals;

namespace {

constexpr std::string_view probe = "GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n";

struct outcome {
    std::vector<int> statuses;
    test::fate end = test::fate::closed;
    bool orderly = true;
};

// Reads the answers that are expected, then sees whether the connection still serves a request.
outcome play(test::server& server, const test::bad_input& input) {
    auto client = server.connect();
    client.send(input.bytes);
    if (input.half_close) client.shut_down_sending();
    outcome seen;
    bool announced = false;
    while (seen.statuses.size() < input.answers()) {
        const auto next = client.read();
        if (!next) break;
        seen.statuses.push_back(next->status);
        announced = next->has("Connection: close\r\n");
    }
    if (announced || input.half_close) {
        seen.orderly = client.is_closed();
    } else if (client.send(probe).read().value_or(test::answer{}).status == 200) {
        seen.end = test::fate::open;
    }
    return seen;
}

void play_all(test::server& server, bool stalling) {
    for (const auto& input : test::load_bad_inputs("ABCDEF")) {
        if (input.stalls() != stalling) continue;
        const auto seen = play(server, input);
        INFO(
            input.id << ": expected " << input.expect << " (" << input.why << "), got "
                     << seen.statuses.size() << " answers, the first "
                     << (seen.statuses.empty() ? 0 : seen.statuses.front())
                     << (seen.end == test::fate::closed ? ", closed" : ", open")
        );
        CHECK(input.as_expected(seen.statuses, seen.end));
        // What is longer than we read on for may end in a reset, but not before the answer.
        if (input.bytes.size() < 60'000) CHECK(seen.orderly);
    }
}

http::options table_options() {
    http::options limits;
    limits.max_body_bytes = 1024U * 1024U;
    return limits;
}

} // namespace

TEST_CASE(
    "every bad input is answered as the table says, and its connection kept or closed", "[http][table]"
) {
    test::server server{table_options()};
    play_all(server, false);
}

TEST_CASE("every bad input that stalls is answered 408 and closed", "[http][table]") {
    auto limits = table_options();
    limits.head_timeout = 200ms;
    limits.body_timeout = 200ms;
    test::server server{limits};
    play_all(server, true);
}
