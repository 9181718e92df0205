// What a server's answers mean, and how they are shown.
#include "sinks/http_answers.hpp"
#include "support/catch.hpp"

using namespace trackd::sinks;
using namespace std::chrono_literals;

TEST_CASE("every 2xx is a delivery", "[sinks][http]") {
    for (const long status : {200, 201, 202, 204, 207, 299}) {
        CAPTURE(status);
        CHECK(fate_of(status, {}) == http_fate::delivered);
    }
}

TEST_CASE("what can only be about the content is the events' fault", "[sinks][http]") {
    for (const long status : {400, 409, 413, 422}) {
        CAPTURE(status);
        CHECK(fate_of(status, {}) == http_fate::refused);
    }
}

TEST_CASE("what mends itself, or an operator mends, is not the events' fault", "[sinks][http]") {
    for (const long status : {0,   100, 199, 300, 301, 302, 307, 308, 401, 402, 403, 404, 405, 406, 407, 408,
                              410, 411, 415, 421, 425, 426, 428, 429, 431, 451, 500, 502, 503, 504, 599}) {
        CAPTURE(status);
        CHECK(fate_of(status, {}) == http_fate::failed);
    }
}

TEST_CASE(
    "what an answer means can be chosen, and a status itself counts before its class", "[sinks][http]"
) {
    const http_statuses meanings{
        .delivered = {"2xx", "409"}, .retried = {"202", "429", "5xx"}, .refused = {"4xx", "207", "501"}
    };
    for (const long status : {200, 299, 409}) {
        CAPTURE(status);
        CHECK(fate_of(status, meanings) == http_fate::delivered);
    }
    for (const long status : {202, 429, 500, 502}) {
        CAPTURE(status);
        CHECK(fate_of(status, meanings) == http_fate::failed);
    }
    for (const long status : {207, 400, 401, 499, 501}) {
        CAPTURE(status);
        CHECK(fate_of(status, meanings) == http_fate::refused);
    }
}

TEST_CASE("an answer is described with what can be done about it", "[sinks][http]") {
    CHECK(described({.status = 500}) == "answered 500");
    CHECK(described({.status = 503, .retry_after = 7s}) == "answered 503; not before 7 s");
    CHECK(
        described({.status = 401, .body = "who?"}) ==
        "answered 401; expected credentials in headers that it accepts: \"who?\""
    );
    CHECK(described({.status = 404}) == "answered 404; expected a url where events can be POSTed");
    CHECK(
        described({.status = 307, .location = "https://other.example/a\"b?token=secret"}) ==
        "answered 307, a redirect to https://other.example/a\\\"b, which is not followed; expected a url "
        "that "
        "answers itself"
    );
    CHECK(
        described({.status = 304}) ==
        "answered 304, a redirect, which is not followed; expected a url that answers itself"
    );
}

TEST_CASE("of a body 200 bytes are shown, harmless and in whole characters", "[sinks][http]") {
    const auto shown = [](std::string body) { return described({.status = 500, .body = std::move(body)}); };
    CHECK(shown("a\nb\x1B[2J\"\xFF") == "answered 500: \"a\\nb\\u001b[2J\\\"\xEF\xBF\xBD\"");
    CHECK(shown(std::string(200, 'x')) == "answered 500: \"" + std::string(200, 'x') + '"');
    CHECK(shown(std::string(201, 'x')) == "answered 500: \"" + std::string(200, 'x') + "\"…");
    CHECK(shown(std::string(199, 'x') + "ä…") == "answered 500: \"" + std::string(199, 'x') + "\"…");
    CHECK(shown(std::string(198, 'x') + "ä…") == "answered 500: \"" + std::string(198, 'x') + "ä\"…");
    CHECK(shown(std::string(300, '\x80')).size() < 800); // no UTF-8 at all
}

TEST_CASE("a text from elsewhere stays on its line", "[sinks][http]") {
    CHECK(escaped("") == "");
    CHECK(escaped("a 'b'\r\n\x7F") == "a 'b'\\r\\n\\u007f");
}
