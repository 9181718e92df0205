// The HTTP sink as far as it needs no server; with one: test/e2e/sink_http.py.
#include "base/log.hpp"
#include "helpers.hpp"
#include "silent_port.hpp"
#include "sinks/http.hpp"

using namespace trackd;
using namespace std::chrono_literals;
using test::contains;
using test::error_of;

namespace {

sinks::http_options options_for(const test::silent_port& port) {
    sinks::http_options options;
    options.url = "http://127.0.0.1:" + port.number() + "/events?token=secret";
    return options;
}

std::string opening(const sinks::http_options& options) {
    return error_of([&] { sinks::make_http_sink(options, base::log())->open(); });
}

/// What is wrong with the URL.
std::string opening_url(const std::string& url) {
    return opening({.url = url});
}

/// What is wrong with a header field.
std::string opening_header(const std::string& header) {
    return opening({.url = "http://nowhere.invalid", .headers = {"X-Right: yes", header}});
}

} // namespace

TEST_CASE("an HTTP sink opens without a server", "[sinks][http]") {
    for (const auto* url :
         {"http://nowhere.invalid", "https://nowhere.invalid:8443/a?b=c", "HTTP://[::1]:1/#x"})
        CHECK_NOTHROW(sinks::make_http_sink({.url = url}, base::log())->open());
}

TEST_CASE("what is no URL is refused, without showing it", "[sinks][http]") {
    CHECK(
        opening_url("") == "url: there is none; expected one that begins with http:// or https://, such as "
                           "https://collector.example/events"
    );
    for (const auto* url :
         {"secret.example/events", "ftp://secret.example", "http://", "http://secret example/",
          "https://a:99999/secret", "file:///secret"}) {
        CAPTURE(url);
        const auto error = opening_url(url);
        CHECK(contains(error, "expected one that begins with http:// or https://"));
        CHECK_FALSE(contains(error, "secret"));
    }
}

TEST_CASE("a password in the URL is refused, with advice, and not shown", "[sinks][http]") {
    for (const auto* url : {"http://secret@h/", "https://u:secret@h/", "https://:secret@h/"}) {
        CAPTURE(url);
        const auto error = opening_url(url);
        CHECK(contains(error, "url: it has a user or a password in it"));
        CHECK(contains(error, "expected them in headers"));
        CHECK_FALSE(contains(error, "secret"));
    }
}

TEST_CASE("a header that is none is refused, without showing it", "[sinks][http]") {
    for (const auto* header :
         {"secret", ": secret", "A B: secret", "Secret:", "Secret: \t", "A: secret\r\nB: x", "A: secret\n",
          "Ä: secret"}) {
        CAPTURE(header);
        const auto error = opening_header(header);
        CHECK(contains(error, "headers: found one that is not shown, expected \"Name: value\""));
        CHECK_FALSE(contains(error, "secret"));
    }
}

TEST_CASE("what the HTTP sink says itself cannot be set", "[sinks][http]") {
    CHECK(
        opening_header("content-length: 7") ==
        "headers: found Content-Length, expected others: trackd sets it itself"
    );
    CHECK(contains(opening_header("Transfer-Encoding: chunked"), "found Transfer-Encoding"));
    CHECK(contains(opening_header("Content-Encoding: br"), "found Content-Encoding"));
}

TEST_CASE("files of TLS that cannot be read keep the HTTP sink from opening", "[sinks][http]") {
    const auto* url = "https://nowhere.invalid";
    CHECK(
        opening({.url = url, .ca_file = "/nowhere/ca"}) ==
        "ca_file: cannot read /nowhere/ca: No such file or "
        "directory"
    );
    CHECK(
        contains(opening({.url = url, .client_certificate = "/nowhere/c"}), "client_certificate: cannot read")
    );
    CHECK(
        opening({.url = url, .client_key = "/dev/null"}) ==
        "client_key: found it without client_certificate, expected both or neither"
    );
}

TEST_CASE("an HTTP server that is down fails the write, and is named without the query", "[sinks][http]") {
    const test::silent_port port{false};
    const auto sink = sinks::make_http_sink(options_for(port), base::log());
    sink->open();
    const auto error = error_of([&] { test::write_all(*sink, test::numbered_events{1}); });
    CHECK(
        contains(error, "http://127.0.0.1:" + port.number() + "/events: Failed to connect to 127.0.0.1 port ")
    );
    CHECK_FALSE(contains(error, "secret"));
    CHECK_FALSE(contains(error, "\n"));
}

TEST_CASE("an HTTP server that does not answer fails the write after timeout", "[sinks][http]") {
    const test::silent_port port{true};
    auto options = options_for(port);
    options.timeout = 10ms;
    const auto sink = sinks::make_http_sink(options, base::log());
    sink->open();
    const auto error = error_of([&] { test::write_all(*sink, test::numbered_events{1}); });
    CHECK(contains(error, "timed out after "));
    CHECK(contains(error, "; see timeout and connect_timeout"));
}

TEST_CASE("a stop ends the wait for an HTTP server that does not answer", "[sinks][http]") {
    const test::silent_port port{true};
    auto options = options_for(port);
    options.timeout = 1h;
    const auto sink = sinks::make_http_sink(options, base::log());
    sink->open();
    test::check_that_a_stop_ends_the_wait(*sink, port);
}

TEST_CASE("the HTTP sink that was stopped does not even connect", "[sinks][http]") {
    const auto sink = sinks::make_http_sink({.url = "http://nowhere.invalid"}, base::log());
    sink->open();
    test::check_that_it_does_not_connect_when_stopped(*sink);
}
