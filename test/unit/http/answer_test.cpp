#include "http/answer.hpp"
#include "support/catch.hpp"

#include <chrono>
#include <string>

using namespace trackd;
using namespace trackd::http;
using namespace std::chrono_literals;

namespace {

std::string bytes_of(const response& res, answer_form form = {}) {
    std::string out;
    append_answer(out, res, "Date: now\r\n", form);
    return out;
}

} // namespace

TEST_CASE("an answer is written with its length", "[http][answer]") {
    response res;
    res.json(status::created, "{}");
    CHECK(
        bytes_of(res) ==
        "HTTP/1.1 201 Created\r\nDate: now\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"
    );
}

TEST_CASE("an answer to HEAD has the length but not the body", "[http][answer]") {
    response res;
    res.text(status::ok, "hello");
    CHECK(bytes_of(res, {.without_body = true}).ends_with("Content-Length: 5\r\n\r\n"));
}

TEST_CASE("204 has neither body nor length", "[http][answer]") {
    response res;
    res.code = status::no_content;
    CHECK(bytes_of(res) == "HTTP/1.1 204 No Content\r\nDate: now\r\n\r\n");
}

TEST_CASE("an answer says whether the connection ends", "[http][answer]") {
    response res;
    CHECK(bytes_of(res).find("Connection") == std::string::npos);
    CHECK(bytes_of(res, {.close = true}).find("Connection: close\r\n") != std::string::npos);
    CHECK(bytes_of(res, {.says_keep_alive = true}).find("Connection: keep-alive\r\n") != std::string::npos);
}

TEST_CASE("no value can break out of its header line", "[http][answer]") {
    response res;
    res.add_header("X", "a\r\nSet-Cookie: b");
    CHECK(res.headers == "X: a  Set-Cookie: b\r\n");
}

TEST_CASE("a problem is an object of RFC 9457 whose text is escaped", "[http][answer]") {
    response res;
    res.problem(status::bad_request, "invalid-json", "expected \"x\"\n");
    CHECK(res.content_type == "application/problem+json");
    CHECK(
        res.body == R"({"type":"urn:trackd:problem:invalid-json","title":"Bad Request","status":400,)"
                    R"("detail":"expected \"x\"\n"})"
    );
}

TEST_CASE("503 says when to try again", "[http][answer]") {
    response res;
    res.unavailable("backlog-full", "No room.", std::chrono::seconds{5});
    CHECK(res.code == status::service_unavailable);
    CHECK(res.headers == "Retry-After: 5\r\n");
}

TEST_CASE("Date is written as HTTP wants it, and anew each second", "[http][answer]") {
    date_line date;
    const wall_time day = std::chrono::sys_days{std::chrono::year{2026} / 11 / 1};
    CHECK(date.at(day + 5h + 7min + 9s + 999999us) == "Date: Sun, 01 Nov 2026 05:07:09 GMT\r\n");
    CHECK(date.at(day + 5h + 7min + 10s) == "Date: Sun, 01 Nov 2026 05:07:10 GMT\r\n");
    CHECK(date.at(wall_time{}) == "Date: Thu, 01 Jan 1970 00:00:00 GMT\r\n");
}
