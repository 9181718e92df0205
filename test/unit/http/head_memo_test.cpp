#include "http/head_memo.hpp"
#include "support/catch.hpp"

#include <string>
#include <string_view>

namespace trackd::http {

namespace {

std::string head_with(std::string_view fields) {
    return "POST /events?a=1 HTTP/1.1\r\nHost: t\r\n" + std::string{fields} + "\r\n";
}

// What reading such a head gives, as far as it matters here.
request read_of(std::string_view head) {
    request read;
    read.method = verb::post;
    read.method_text = head.substr(0, 4);
    read.path = head.substr(5, 7);
    read.query = head.substr(13, 3);
    for (auto rest = head.substr(head.find('\n') + 1); !rest.starts_with("\r\n");
         rest.remove_prefix(rest.find('\n') + 1)) {
        const auto line = rest.substr(0, rest.find('\r'));
        const auto colon = line.find(':');
        const auto name = line.substr(0, colon);
        read.headers.push_back(
            {boost::beast::http::string_to_field({name.data(), name.size()}), name, line.substr(colon + 2)}
        );
    }
    return read;
}

struct memo_with {
    explicit memo_with(const std::string& head, const framing& with = {}) { learn(head, with); }

    void learn(const std::string& head, const framing& with = {}) { memo.learn(head, read_of(head), with); }

    [[nodiscard]] bool knows(const std::string& head) { return size(head) == head.size(); }

    // Of the head that it recalls; 0: of none.
    [[nodiscard]] std::size_t size(std::string_view bytes) { return memo.recall(bytes, limits, into, found); }

    head_memo memo;
    options limits;
    request into;
    framing found;
};

bool lies_within(std::string_view part, const std::string& whole) {
    return part.data() >= whole.data() && part.data() + part.size() <= whole.data() + whole.size();
}

} // namespace

TEST_CASE("a head that was read before gives the same again, out of its own bytes", "[http][head_memo]") {
    memo_with known{head_with("Content-Length: 12\r\nX-Own: abc\r\n")};
    const auto again = head_with("Content-Length: 12\r\nX-Own: abc\r\n");
    REQUIRE(known.knows(again));
    const auto& read = known.into;
    CHECK(read.method == verb::post);
    CHECK(read.method_text == "POST");
    CHECK(read.path == "/events");
    CHECK(read.query == "a=1");
    REQUIRE(read.headers.size() == 3);
    CHECK(read.header("X-Own") == "abc");
    CHECK(lies_within(read.header("X-Own"), again));
    CHECK(lies_within(read.path, again));
    CHECK(known.found.content_length == 12);
    CHECK(known.found.keep_alive);
}

TEST_CASE("what comes behind a head that is known is no part of it", "[http][head_memo]") {
    const auto head = head_with("Content-Length: 12\r\n");
    memo_with known{head};
    const auto with_body = head + "{\"a\":\"b\"}";
    CHECK(known.size(with_body) == head.size());
    CHECK(known.into.header(field::content_length) == "12");
}

TEST_CASE("a head of which some bytes are missing is not known yet", "[http][head_memo]") {
    const auto head = head_with("Content-Length: 12\r\n");
    memo_with known{head};
    for (std::size_t bytes = 0; bytes < head.size(); ++bytes) {
        INFO(bytes);
        CHECK(known.size(std::string_view{head}.substr(0, bytes)) == 0);
    }
}

TEST_CASE("another length of the body is no other head", "[http][head_memo]") {
    memo_with known{head_with("Content-Length: 12\r\n")};
    const auto other = head_with("Content-Length: 99\r\n");
    REQUIRE(known.knows(other));
    CHECK(known.found.content_length == 99);
    CHECK(known.into.header(field::content_length) == "99");
}

TEST_CASE("a head that differs in anything else is not known", "[http][head_memo]") {
    const auto head = head_with("Content-Length: 12\r\nX-Own: abc\r\n");
    const auto digits = head.find("12");
    memo_with known{head};
    for (std::size_t at = 0; at < head.size(); ++at) {
        if (at == digits || at == digits + 1) continue;
        auto other = head;
        other[at] = static_cast<char>(other[at] ^ 1);
        INFO("at " << at);
        CHECK(known.size(other) == 0);
    }
    CHECK(known.size(head_with("Content-Length: 123\r\nX-Own: abc\r\n")) == 0);
}

TEST_CASE("a length that is none, or too large, is left to who can say so", "[http][head_memo]") {
    memo_with known{head_with("Content-Length: 12\r\n")};
    known.limits.max_body_bytes = 50;
    for (const auto* length : {"1x", "x1", "-1", "+1", " 1", "1 ", "51"}) {
        INFO(length);
        CHECK(known.size(head_with("Content-Length: " + std::string{length} + "\r\n")) == 0);
    }
    CHECK(known.knows(head_with("Content-Length: 50\r\n")));
}

TEST_CASE("a head whose body cannot be read without more is not learned", "[http][head_memo]") {
    const auto head = head_with("X-Own: abc\r\n");
    framing found;
    SECTION("chunked") {
        found.chunked = true;
    }
    SECTION("with something wrong") {
        found.objection = malformed("slug", "detail");
    }
    memo_with known{head, found};
    CHECK(known.size(head) == 0);
}

TEST_CASE(
    "who asks before he sends a body is never recalled: what he means depends on its length",
    "[http][head_memo]"
) {
    memo_with known{head_with("Content-Length: 0\r\nExpect: 100-continue\r\n")};
    CHECK(known.size(head_with("Content-Length: 5\r\nExpect: 100-continue\r\n")) == 0);
}

TEST_CASE("a length with too many digits, or with zeros before, is what it says", "[http][head_memo]") {
    memo_with known{head_with("Content-Length: " + std::string(20, '0') + "\r\n")};
    CHECK(known.size(head_with("Content-Length: " + std::string(20, '9') + "\r\n")) == 0);
    REQUIRE(known.knows(head_with("Content-Length: " + std::string(18, '0') + "42\r\n")));
    CHECK(known.found.content_length == 42);
}

TEST_CASE("a long head is not learned", "[http][head_memo]") {
    const auto head = head_with("X-Own: " + std::string(2048, 'x') + "\r\n");
    memo_with known{head};
    CHECK(known.size(head) == 0);
}

TEST_CASE("a connection that is to be closed is so again", "[http][head_memo]") {
    const auto head = head_with("Connection: close\r\n");
    framing found;
    found.keep_alive = false;
    memo_with known{head, found};
    REQUIRE(known.knows(head));
    CHECK_FALSE(known.found.keep_alive);
    CHECK(known.found.content_length == 0);
}

TEST_CASE("the latest eight heads are known, whichever of them came last", "[http][head_memo]") {
    const auto head = [](int number) { return head_with("X-Number: " + std::to_string(number) + "\r\n"); };
    memo_with known{head(0)};
    for (int number = 1; number < 8; ++number) {
        known.learn(head(number));
        CHECK(known.knows(head(0)));
    }
    for (int number = 0; number < 8; ++number)
        CHECK(known.knows(head(number)));
    known.learn(head(8));
    CHECK(known.size(head(0)) == 0);
    CHECK(known.knows(head(1)));
    CHECK(known.knows(head(8)));
}

} // namespace trackd::http
