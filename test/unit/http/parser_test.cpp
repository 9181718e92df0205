#include "bad_inputs.hpp"
#include "http/parser.hpp"
#include "support/catch.hpp"

#include <algorithm>
#include <cstring>
#include <random>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

using namespace trackd;
using namespace trackd::http;
using progress = parser::progress;

namespace {

options table_options() {
    options limits;
    limits.max_body_bytes = 1024U * 1024U;
    return limits;
}

// What came out of a parser: a status an answer, as a small server would give it.
struct outcome {
    std::vector<int> statuses;
    test::fate end = test::fate::open;

    bool operator==(const outcome&) const = default;
};

// A parser with the least of a server around it: enough to tell how each request would fare.
class reader {
public:
    explicit reader(const options& limits = defaults()) : parser_(limits, heads_) {}

    /// One that knows what others have read.
    explicit reader(head_memo& known) : parser_(defaults(), known) {}

    reader& feed(std::string_view bytes) {
        while (!bytes.empty() && result_.end == test::fate::open) {
            const auto room = parser_.space();
            REQUIRE_FALSE(room.empty());
            const auto part = bytes.substr(0, room.size());
            std::memcpy(room.data(), part.data(), part.size());
            parser_.received(part.size());
            bytes.remove_prefix(part.size());
            answer();
        }
        return *this;
    }

    // What remains when nothing more comes: a request that has begun times out, or is given up.
    outcome stop(bool half_close) {
        if (result_.end == test::fate::open && parser_.has_begun()) {
            if (!half_close) result_.statuses.push_back(408);
            result_.end = test::fate::closed;
        }
        return result_;
    }

    parser& get() { return parser_; }

    std::vector<std::string> bodies;
    std::vector<std::string> slugs;

private:
    static const options& defaults() {
        static const options limits = table_options();
        return limits;
    }

    void answer() {
        while (result_.end == test::fate::open) {
            const auto state = parser_.advance();
            if (state != progress::refused && parser_.take_expectation()) result_.statuses.push_back(100);
            if (state == progress::need_more) return;
            bool close = false;
            if (state == progress::refused) {
                result_.statuses.push_back(static_cast<int>(parser_.refusal().code));
                slugs.emplace_back(parser_.refusal().slug);
                close = parser_.refusal().close;
            } else {
                result_.statuses.push_back(status_of(parser_.current()));
                bodies.emplace_back(parser_.current().body);
                close = !parser_.keep_alive();
            }
            if (close) result_.end = test::fate::closed;
            parser_.next();
        }
    }

    static int status_of(const request& req) {
        if (req.method == verb::unknown) return 501;
        if (req.path == "/healthz") return 200;
        if (req.method == verb::options) return 204;
        if (req.path != "/events") return 404;
        return req.body.empty() ? 400 : 201;
    }

    head_memo heads_;
    parser parser_;
    outcome result_;
};

// Every cut where there are few, else some hundred of them, the same each time.
std::vector<std::size_t> cuts(std::size_t length) {
    std::vector<std::size_t> all;
    if (length <= 600) {
        for (std::size_t i = 1; i < length; ++i)
            all.push_back(i);
        return all;
    }
    std::mt19937 random(length);
    for (std::size_t i = 1; i < 150; ++i)
        all.push_back(i);
    for (int i = 0; i < 100; ++i)
        all.push_back(1 + random() % (length - 1));
    return all;
}

// The same head with a Content-Length of as many digits that there is nothing to say against, and its body.
std::string sound_twin(std::string_view bytes) {
    constexpr std::string_view name = "Content-Length: ";
    std::string twin{bytes.substr(0, bytes.find("\r\n\r\n") + 4)};
    const auto at = twin.find(name);
    if (at == std::string::npos) return twin;
    const auto digits = at + name.size();
    const auto size = twin.find('\r', digits) - digits;
    if (size == 0 || size > twin.size()) return twin;
    twin.replace(digits, size, std::string(size - 1, '0') + '1');
    return twin + 'b';
}

outcome read_in_two(const test::bad_input& input, std::size_t cut) {
    const std::string_view bytes{input.bytes};
    return reader{}.feed(bytes.substr(0, cut)).feed(bytes.substr(cut)).stop(input.half_close);
}

outcome read_byte_by_byte(const test::bad_input& input) {
    reader one;
    for (const char& byte : input.bytes)
        one.feed({&byte, 1});
    return one.stop(input.half_close);
}

std::string post(std::string_view fields, std::string_view body) {
    return "POST /events HTTP/1.1\r\nHost: a\r\n" + std::string{fields} + "\r\n" + std::string{body};
}

std::vector<int> statuses_of(std::string_view bytes) {
    return reader{}.feed(bytes).stop(true).statuses;
}

} // namespace

TEST_CASE("every line of the table of bad inputs is judged as it says", "[http][parser]") {
    for (const auto& input : test::load_bad_inputs("ABCDEF")) {
        const auto result = reader{}.feed(input.bytes).stop(input.half_close);
        INFO(
            input.id << ": expected " << input.expect << " (" << input.why << "), got status "
                     << (result.statuses.empty() ? 0 : result.statuses.front()) << " of "
                     << result.statuses.size() << (result.end == test::fate::closed ? ", closed" : ", open")
        );
        CHECK(input.as_expected(result.statuses, result.end));
    }
}

TEST_CASE("a bad input is judged the same by who has read others, and it itself, before", "[http][parser]") {
    head_memo known;
    for (const auto& input : test::load_bad_inputs("ABCDEF")) {
        const auto result = reader{}.feed(input.bytes).stop(input.half_close);
        INFO(input.id);
        reader{known}.feed(sound_twin(input.bytes));
        CHECK(reader{known}.feed(input.bytes).stop(input.half_close) == result);
        CHECK(reader{known}.feed(input.bytes).stop(input.half_close) == result);
    }
}

TEST_CASE("where a bad input is cut in two makes no difference", "[http][parser]") {
    for (const auto& input : test::load_bad_inputs("ABCDEF")) {
        const auto whole = reader{}.feed(input.bytes).stop(input.half_close);
        for (const auto cut : cuts(input.bytes.size())) {
            const bool same = read_in_two(input, cut) == whole;
            if (!same) FAIL_CHECK(input.id << " is judged otherwise when cut at " << cut);
        }
    }
}

TEST_CASE("a bad input that comes byte by byte is judged as if it came whole", "[http][parser]") {
    for (const auto& input : test::load_bad_inputs("ABCDEF")) {
        if (input.bytes.size() > 200'000) continue;
        INFO(input.id);
        CHECK(read_byte_by_byte(input) == reader{}.feed(input.bytes).stop(input.half_close));
    }
}

TEST_CASE("a request shows its parts", "[http][parser]") {
    const options limits;
    reader one{limits};
    parser& in = one.get();
    const std::string bytes =
        "POST /events/a%20b?x=1&y HTTP/1.1\r\nHost: example.org:80\r\nContent-Type:  text/plain \t\r\n"
        "X-Own: \r\nContent-Length: 3\r\n\r\nabc";
    std::memcpy(in.space().data(), bytes.data(), bytes.size());
    in.received(bytes.size());
    REQUIRE(in.advance() == progress::ready);
    const auto& req = in.current();
    CHECK(req.method == verb::post);
    CHECK(req.method_text == "POST");
    CHECK(req.path == "/events/a%20b");
    CHECK(req.query == "x=1&y");
    CHECK(req.body == "abc");
    CHECK(req.header(field::content_type) == "text/plain");
    CHECK(req.header("x-OWN").empty());
    CHECK(req.headers.size() == 4);
    CHECK_FALSE(req.http_1_0);
    CHECK(in.keep_alive());
}

TEST_CASE("a body that arrived whole is a view of where it arrived", "[http][parser]") {
    const options limits;
    head_memo heads;
    parser in{limits, heads};
    const auto bytes = post("Content-Length: 5\r\n", "hello");
    const auto room = in.space();
    std::memcpy(room.data(), bytes.data(), bytes.size());
    in.received(bytes.size());
    REQUIRE(in.advance() == progress::ready);
    CHECK(in.current().body.data() == room.data() + bytes.size() - 5);
}

TEST_CASE("bytes beyond a body may be read, however it came", "[http][parser]") {
    options limits;
    const auto size = GENERATE(std::size_t{1}, std::size_t{32'000}, std::size_t{200'000});
    const auto chunked = GENERATE(false, true);
    const std::string body(size, 'x');
    std::ostringstream hex;
    hex << std::hex << size;
    const auto bytes =
        chunked ? post("Transfer-Encoding: chunked\r\n", hex.str() + "\r\n" + body + "\r\n0\r\n\r\n")
                : post("Content-Length: " + std::to_string(size) + "\r\n", body);
    head_memo heads;
    parser in{limits, heads};
    auto state = progress::need_more;
    for (std::string_view rest{bytes}; state == progress::need_more;) {
        const auto room = in.space();
        const auto part = rest.substr(0, room.size());
        std::memcpy(room.data(), part.data(), part.size());
        in.received(part.size());
        rest.remove_prefix(part.size());
        state = in.advance();
    }
    REQUIRE(state == progress::ready);
    REQUIRE(in.current().body == body);
    unsigned sum = 0; // the address sanitizer watches this
    const volatile char* beyond = in.current().body.data() + in.current().body.size();
    for (std::size_t i = 0; i < request::body_padding; ++i)
        sum += static_cast<unsigned char>(beyond[i]);
    CHECK(sum <= 255 * request::body_padding);
}

TEST_CASE("pipelined requests come out one by one, in order, wherever they are cut", "[http][parser]") {
    const auto bytes = post("Content-Length: 3\r\n", "one") +
                       post("Transfer-Encoding: chunked\r\n", "3\r\ntwo\r\n0\r\n\r\n") +
                       post("Content-Length: 5\r\n", "three");
    for (std::size_t cut = 0; cut <= bytes.size(); ++cut) {
        reader one;
        one.feed(std::string_view{bytes}.substr(0, cut)).feed(std::string_view{bytes}.substr(cut));
        const bool right = one.bodies == std::vector<std::string>{"one", "two", "three"};
        if (!right) FAIL_CHECK("cut at " << cut);
    }
}

TEST_CASE("a large body in the middle of a pipeline is kept apart from its neighbours", "[http][parser]") {
    const std::string large(300'000, 'L');
    const auto bytes = post("Content-Length: 1\r\n", "a") + post("Content-Length: 300000\r\n", large) +
                       post("Content-Length: 1\r\n", "z");
    reader one;
    one.feed(bytes);
    CHECK(one.bodies == std::vector<std::string>{"a", large, "z"});
}

TEST_CASE("the rest of a pipeline survives a chunked request at the end of the buffer", "[http][parser]") {
    const auto filler = post("Content-Length: 1000\r\n", std::string(1000, 'f'));
    const auto chunked = post(
        "X-Long: " + std::string(3000, 'l') + "\r\nTransfer-Encoding: chunked\r\n",
        "400\r\n" + std::string(1024, 'c') + "\r\n0\r\n\r\n"
    );
    for (int before = 20; before < 32; ++before) {
        std::string bytes;
        for (int i = 0; i < before; ++i)
            bytes += filler;
        bytes += chunked + post("Content-Length: 1\r\n", "z");
        reader one;
        one.feed(bytes);
        REQUIRE(one.bodies.size() == static_cast<std::size_t>(before) + 2);
        CHECK(one.bodies.at(one.bodies.size() - 2) == std::string(1024, 'c'));
        CHECK(one.bodies.back() == "z");
    }
}

TEST_CASE("trailers are dropped", "[http][parser]") {
    const options limits;
    head_memo heads;
    parser in{limits, heads};
    const auto bytes = post(
        "Transfer-Encoding: chunked\r\n", "2\r\n{}\r\n0\r\nX-Api-Key: stolen\r\nConnection: close\r\n\r\n"
    );
    std::memcpy(in.space().data(), bytes.data(), bytes.size());
    in.received(bytes.size());
    REQUIRE(in.advance() == progress::ready);
    CHECK(in.current().header("X-Api-Key").empty());
    CHECK(in.current().headers.size() == 2);
    CHECK(in.keep_alive());
}

TEST_CASE("a refused request of known length leaves the connection usable", "[http][parser]") {
    const auto twice = post("X-Api-Key: a\r\nX-Api-Key: b\r\nContent-Length: 2\r\n", "{}");
    CHECK(statuses_of(twice + post("Content-Length: 2\r\n", "{}")) == std::vector{400, 201});
}

TEST_CASE("Host follows its grammar", "[http][parser]") {
    const auto status_for = [](std::string_view host) {
        return statuses_of("GET /healthz HTTP/1.1\r\nHost: " + std::string{host} + "\r\n\r\n").at(0);
    };
    for (const auto* good :
         {"", "a", "a:", "a:80", "[::1]", "[::1]:8080", "1.2.3.4:1", "ex%41mple.org", "a_b"}) {
        INFO(good);
        CHECK(status_for(good) == 200);
    }
    for (const auto* bad :
         {"a b", "a,b", "u@a", "a/b", "a:8x", "[::1", "[]", "[::1]x", "a?b", "\"a\"", "a:1:2", "\xc3\xa4"}) {
        INFO(bad);
        CHECK(status_for(bad) == 400);
    }
}

TEST_CASE("the target is a path, or what RFC 9112 wants accepted", "[http][parser]") {
    const auto status_for = [](std::string_view target) {
        return statuses_of("GET " + std::string{target} + " HTTP/1.1\r\nHost: a\r\n\r\n").at(0);
    };
    CHECK(status_for("http://other:80/healthz?x") == 200);
    CHECK(status_for("HTTPS://other/healthz") == 200);
    CHECK(status_for("http://other") == 404);
    CHECK(status_for("http://") == 400);
    CHECK(status_for("http://u@other/") == 400);
    CHECK(status_for("ftp://other/") == 400);
    CHECK(status_for("*") == 400);
    CHECK(status_for("healthz") == 400);
}

TEST_CASE("a path that is not in the bytes survives their moving", "[http][parser]") {
    // The second request is moved to the front of the buffer after its head was read.
    const auto bytes = post("Content-Length: 1\r\n", "a") +
                       "POST http://other HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n";
    CHECK(statuses_of(bytes) == std::vector{201, 404});
}

TEST_CASE("limits hold to the byte", "[http][parser]") {
    options limits;
    limits.max_body_bytes = 10;
    limits.max_head_bytes = 1024;
    limits.max_fields = 4;
    const auto statuses = [&](const std::string& bytes) {
        return reader{limits}.feed(bytes).stop(true).statuses;
    };

    CHECK(statuses(post("Content-Length: 10\r\n", "0123456789")) == std::vector{201});
    CHECK(statuses(post("Content-Length: 11\r\n", "")) == std::vector{413});
    CHECK(statuses(post("Content-Length: 99999999999999999999999\r\n", "")) == std::vector{400});
    CHECK(
        statuses(post("Transfer-Encoding: chunked\r\n", "5\r\n01234\r\n5\r\n56789\r\n0\r\n\r\n")) ==
        std::vector{201}
    );
    CHECK(statuses(post("Transfer-Encoding: chunked\r\n", "5\r\n01234\r\n6\r\n")) == std::vector{413});
    CHECK(statuses(post("A: 1\r\nB: 2\r\nContent-Length: 1\r\n", "x")) == std::vector{201});
    CHECK(statuses(post("A: 1\r\nB: 2\r\nC: 3\r\nContent-Length: 1\r\n", "x")) == std::vector{431});

    const auto head_of = [](std::size_t size) {
        const std::string start = "GET /healthz HTTP/1.1\r\nHost: a\r\nX: ";
        return start + std::string(size - start.size() - 4, 'x') + "\r\n\r\n";
    };
    CHECK(statuses(head_of(1024)) == std::vector{200});
    CHECK(statuses(head_of(1025)) == std::vector{431});
    CHECK(statuses("GET /" + std::string(1020, 'x')) == std::vector{414});
}

TEST_CASE("one-byte chunks with extensions end at twice the limit", "[http][parser]") {
    options limits;
    limits.max_body_bytes = 100'000;
    reader one{limits};
    one.feed(post("Transfer-Encoding: chunked\r\n", ""));
    const std::string chunk = "1;" + std::string(1000, 'e') + "\r\nx\r\n";
    int fed = 0;
    for (; one.slugs.empty() && fed < 1000; ++fed)
        one.feed(chunk);
    CHECK(fed < 300);
    CHECK(one.slugs == std::vector<std::string>{"body-too-large"});
}

TEST_CASE("a memory of one request is not the next one's", "[http][parser]") {
    CHECK(
        statuses_of(
            post("Connection: keep-alive\r\nExpect: 100-continue\r\nContent-Length: 1\r\n", "x") +
            "GET /healthz HTTP/1.0\r\n\r\n"
        ) == std::vector{100, 201, 200}
    );
}
