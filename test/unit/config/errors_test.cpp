// What a wrong configuration is told: where, what, and what was expected.
#include "helpers.hpp"
#include "support/catch.hpp"

using namespace trackd::config;
using namespace trackd::config::test;

TEST_CASE("a syntax error comes alone, with its place", "[config]") {
    const auto line = the_error("unknown = 1\n[http\nthreads = -1");
    CHECK(line.starts_with("FILE:2:"));
    CHECK(line.find("expected") != std::string::npos);
}

TEST_CASE("a file that is not there is an error", "[config]") {
    try {
        (void)load({"/no/such.toml", {}, {}});
        FAIL("no error");
    } catch (const error& failure) {
        CHECK(
            failure.lines() ==
            strings{"/no/such.toml: cannot be read: No such file or directory; expected a TOML file"}
        );
    }
}

TEST_CASE("a directory in place of a file is an error", "[config]") {
    CHECK_THROWS_AS(load({"/", {}, {}}), error);
}

TEST_CASE(
    "unknown keys, wrong types and impossible values are all told, in the order of their places", "[config]"
) {
    const auto* text = R"(data_dir = 5
[tracker]
ack = "sometimes"
[http]
treads = 2
head_timeout = 10
body_timeout = "10 s"
threads = 1000
max_body_bytes = "4Mb"
[admin]
listen = ["127.0.0.1:1", "example.org:80", 7]
[log]
level = true
[metrics]
x = 1
)";
    const variables environment{{"TRACKD_HTTP__LISTN", "x"}, {"TRACKD_HTTP__IDLE_TIMEOUT", "5"}};
    CHECK(
        errors(text, environment, {"log.colour=red", "shutdown.lame_duck=2d", "http.listen"}) ==
        strings{
            "FILE:1:12: data_dir: found 5, expected a path, as a string, 1 to 4095 bytes",
            "FILE:3:7: tracker.ack: found \"sometimes\", expected one of \"accepted\", \"journaled\", "
            "\"delivered\"",
            "FILE:5:1: unknown key \"http.treads\": did you mean threads?",
            "FILE:6:16: http.head_timeout: found 10, expected a duration with its unit such as \"5s\" (ms, "
            "s, m, h, d), 1ms to 1d",
            "FILE:7:16: http.body_timeout: found \"10 s\", expected a duration with its unit such as \"5s\" "
            "(ms, s, m, h, d), 1ms to 1d",
            "FILE:8:11: http.threads: found 1000, expected a whole number, 0 to 256",
            "FILE:9:18: http.max_body_bytes: found \"4Mb\", expected a size such as 65536 or \"64KiB\", 1 "
            "to 1GiB",
            "FILE:11:26: admin.listen: found \"example.org:80\", expected a numeric address and port such "
            "as \"127.0.0.1:8080\", \"[::1]:8080\", \"localhost:8080\" or \"*:8080\", or an array of them",
            "FILE:11:44: admin.listen: found 7, expected a numeric address and port such as "
            "\"127.0.0.1:8080\", \"[::1]:8080\", \"localhost:8080\" or \"*:8080\", or an array of them",
            "FILE:13:9: log.level: found true, expected one of \"trace\", \"debug\", \"info\", \"warn\", "
            "\"error\", \"off\"",
            "FILE:14:2: unknown key \"metrics\": expected one of data_dir, http, admin, tracker, backlog, "
            "shutdown, log, sinks",
            "TRACKD_HTTP__LISTN: unknown key \"http.listn\": did you mean listen?",
            "TRACKD_HTTP__IDLE_TIMEOUT: found \"5\", expected a duration with its unit such as \"5s\" (ms, "
            "s, m, h, d), 1ms to 1d",
            "--set http.listen: found no =, expected KEY=VALUE",
            "--set log.colour: unknown key \"log.colour\": expected one of level, format",
            "--set shutdown.lame_duck: found \"2d\", expected a duration with its unit such as \"5s\" (ms, "
            "s, m, h, d), 0s to 1d",
        }
    );
}

TEST_CASE("values of a wrong type are shown as what they are", "[config]") {
    const auto found = [](const std::string& literal) {
        return the_error("http.threads = " + literal) ==
               "FILE:1:16: http.threads: found " + literal + ", expected a whole number, 0 to 256";
    };
    CHECK(found("1.5"));
    CHECK(found("1.0"));
    CHECK(found("1979-05-27"));
    CHECK(found("-1"));
    CHECK(found("true"));
    CHECK(the_error("http.threads = []").find("found an array,") != std::string::npos);
    CHECK(the_error("http.threads = {}").find("found a table,") != std::string::npos);
    CHECK(the_error("http = 3") == "FILE:1:8: http: found 3, expected a table, [http]");
}

TEST_CASE("numbers that overflow are out of range", "[config]") {
    for (const std::string set :
         {"http.threads=9223372036854775807", "http.threads=18446744073709551617",
          "http.max_body_bytes=18446744073709551617", "http.max_body_bytes=16777216TiB",
          "http.head_timeout=9223372036854775807d", "http.head_timeout=0", "http.max_body_bytes=0",
          "http.max_body_bytes=-1"}) {
        CAPTURE(set);
        CHECK(errors("", {}, {set}).size() == 1);
    }
}

TEST_CASE("a long value is shortened and shown on one line", "[config]") {
    const auto line = the_error("", {}, {"log.level=a\nb" + std::string(1000, 'x')});
    CHECK(line.find('\n') == std::string::npos);
    CHECK(line.size() < 300);
}

TEST_CASE("strings that would break a line of the log are refused", "[config]") {
    CHECK(errors("tracker.source = \"a\\u0000b\"").size() == 1);
    CHECK(errors("tracker.source = \"a\\nb\"").size() == 1);
    CHECK(errors("data_dir = \"\"").size() == 1);
    CHECK(errors("tracker.source = \"\"").size() == 1);
    CHECK(errors("", {}, {"tracker.source=" + std::string(1025, 'x')}).size() == 1);
}

TEST_CASE("what is no UTF-8 is refused", "[config]") {
    CHECK(
        the_error("", {}, {"tracker.source=a\xff"}) == "--set tracker.source: found bytes that are no UTF-8"
    );
    CHECK(errors("log.level = \"\xff\"").size() == 1);
}

TEST_CASE("a reference that cannot be resolved is told once, and with the other problems", "[config]") {
    CHECK(
        errors("data_dir = \"${NONE}\"\nx = 1") ==
        strings{
            "FILE:1:12: the environment variable NONE is not set; set it, or give a default: ${NONE:-…}",
            "FILE:2:1: unknown key \"x\": expected one of data_dir, http, admin, tracker, backlog, "
            "shutdown, log, sinks",
        }
    );
    CHECK(errors("sinks = \"${NONE}\"").size() == 1);
}

TEST_CASE("a promise that the backlog cannot keep is an error", "[config]") {
    const std::string reason =
        "\"journaled\" cannot be promised with backlog.kind = \"memory\", which keeps nothing on disk; "
        "expected \"accepted\" or \"delivered\"";
    CHECK(the_error("[tracker]\nack = \"journaled\"") == "FILE:2:7: tracker.ack: " + reason);
    CHECK(the_error("", {}, {"tracker.ack=journaled"}) == "--set tracker.ack: " + reason);
}

TEST_CASE("a journal is an error as long as there is none", "[config]") {
    CHECK(
        the_error("[backlog]\nkind = \"journal\"") ==
        "FILE:2:8: backlog.kind: found \"journal\", expected \"memory\" (the journal on disk is not there "
        "yet in this version)"
    );
}

TEST_CASE("a first retry delay above the longest is an error at whichever was set", "[config]") {
    const std::string reason = "found \"2s\", expected at most tracker.retry.max, which is \"1s\"";
    CHECK(
        the_error("tracker.retry.min = \"2s\"", {}, {"tracker.retry.max=1s"}) ==
        "FILE:1:21: tracker.retry.min: " + reason
    );
    CHECK(
        the_error("", {}, {"tracker.retry.max=1ms"}) ==
        "--set tracker.retry.max: tracker.retry.min: found \"100ms\", expected at most tracker.retry.max, "
        "which is \"1ms\""
    );
}

TEST_CASE("an address that is listed twice is an error, unless its port is any", "[config]") {
    CHECK(
        the_error(R"(http.listen = ["127.0.0.1:1", "localhost:1"])") ==
        "FILE:1:31: http.listen: found \"localhost:1\" twice, expected each address once"
    );
    CHECK(errors(R"(http.listen = ["127.0.0.1:0", "127.0.0.1:0"])").empty());
    CHECK(the_error("http.listen = []") == "FILE:1:15: http.listen: found 0 addresses, expected 1 to 64");
}

TEST_CASE("a data directory that stands for itself is an error", "[config]") {
    CHECK(
        the_error("data_dir = \"{data_dir}/x\"") ==
        "FILE:1:12: data_dir: found {data_dir} in itself, expected a path"
    );
}

TEST_CASE("odd keys are unknown keys", "[config]") {
    for (const std::string set :
         {"=x", ".=x", "http.=1", "http..threads=1", "http.threads.x=1", "sinks..x=1"}) {
        CAPTURE(set);
        CHECK(errors("", {}, {set}).size() == 1);
    }
    CHECK(errors("", {{"TRACKD___", "x"}}).size() == 1);
}
