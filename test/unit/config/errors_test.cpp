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
            "as \"127.0.0.1:8080\", \"[::1]:8080\", \"localhost:8080\" or \"*:8080\", a socket file such as "
            "\"unix:/run/trackd.sock\" (an absolute path, up to 107 bytes), \"systemd\" or \"systemd:NAME\", "
            "or "
            "an array of them",
            "FILE:11:44: admin.listen: found 7, expected a numeric address and port such as "
            "\"127.0.0.1:8080\", \"[::1]:8080\", \"localhost:8080\" or \"*:8080\", a socket file such as "
            "\"unix:/run/trackd.sock\" (an absolute path, up to 107 bytes), \"systemd\" or \"systemd:NAME\", "
            "or "
            "an array of them",
            "FILE:13:9: log.level: found true, expected one of \"trace\", \"debug\", \"info\", \"warn\", "
            "\"error\", \"off\"",
            "FILE:14:2: unknown key \"metrics\": expected one of data_dir, http, admin, tracker, backlog, "
            "journal, dead_letters, readiness, shutdown, log, sinks, keys",
            "TRACKD_HTTP__LISTN: unknown key \"http.listn\": did you mean listen?",
            "TRACKD_HTTP__IDLE_TIMEOUT: found \"5\", expected a duration with its unit such as \"5s\" (ms, "
            "s, m, h, d), 1ms to 1d",
            "--set http.listen: found no =, expected KEY=VALUE",
            "--set log.colour: unknown key \"log.colour\": expected one of level, format, file",
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
          "http.max_body_bytes=-1", "journal.segment_bytes=65535", "journal.segment_bytes=4294967297",
          "journal.max_bytes=131071", "journal.min_free_bytes=-1", "journal.sync_interval=0"}) {
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
            "journal, dead_letters, readiness, shutdown, log, sinks, keys",
        }
    );
    CHECK(errors("sinks = \"${NONE}\"").size() == 1);
}

TEST_CASE("a promise that memory cannot keep is an error where it was made", "[config]") {
    const std::string reason =
        "\"journaled\" cannot be promised with backlog.kind = \"memory\", which keeps nothing on disk; "
        "expected \"accepted\" or \"delivered\", or backlog.kind = \"journal\"";
    CHECK(
        the_error("[tracker]\nack = \"journaled\"\n[backlog]\nkind = \"memory\"") ==
        "FILE:2:7: tracker.ack: " + reason
    );
    CHECK(
        the_error("backlog.kind = \"memory\"", {}, {"tracker.ack=journaled"}) ==
        "--set tracker.ack: " + reason
    );
}

TEST_CASE("memory without a word on what a 201 promises is an error that says what to set", "[config]") {
    const std::string reason =
        "\"memory\" keeps nothing on disk, which is what a 201 promises by default; set tracker.ack, too: to "
        "\"accepted\" (a 201 means: in memory) or \"delivered\" (a 201 means: every sink has it)";
    CHECK(the_error("[backlog]\nkind = \"memory\"") == "FILE:2:8: backlog.kind: " + reason);
    CHECK(the_error("", {}, {"backlog.kind=memory"}) == "--set backlog.kind: " + reason);
    CHECK(the_error("", {{"TRACKD_BACKLOG__KIND", "memory"}}) == "TRACKD_BACKLOG__KIND: " + reason);
}

TEST_CASE("memory goes with the promises that need no disk", "[config]") {
    for (const std::string ack : {"accepted", "delivered"}) {
        CAPTURE(ack);
        CHECK(errors("backlog.kind = \"memory\"", {}, {"tracker.ack=" + ack}).empty());
    }
}

TEST_CASE("an acknowledgement that was refused is not blamed again for the backlog or the sync", "[config]") {
    CHECK(errors("tracker.ack = \"sometimes\"\nbacklog.kind = \"memory\"").size() == 1);
    CHECK(errors("tracker.ack = \"sometimes\"\njournal.sync = \"never\"").size() == 1);
}

TEST_CASE(
    "less room for bodies than the largest request needs is an error at whichever was set", "[config]"
) {
    CHECK(
        the_error("[http]\nmax_bodies_bytes = \"13MiB\"") ==
        "FILE:2:20: http.max_bodies_bytes: found \"13MiB\", expected at least http.max_body_bytes and "
        "http.max_decoded_bytes together, which is \"14MiB\""
    );
    CHECK(
        the_error("", {}, {"http.max_decoded_bytes=1GiB"}) ==
        "--set http.max_decoded_bytes: http.max_bodies_bytes: found \"128MiB\", expected at least "
        "http.max_body_bytes and http.max_decoded_bytes together, which is \"1028MiB\""
    );
    CHECK(errors("", {}, {"http.max_bodies_bytes=14MiB"}).empty());
    CHECK(errors("", {}, {"http.max_body_bytes=5GiB", "http.max_bodies_bytes=1MiB"}).size() == 1);
}

TEST_CASE("a journal with room for less than two segments is an error at whichever was set", "[config]") {
    CHECK(
        the_error("[journal]\nmax_bytes = \"100MiB\"") ==
        "FILE:2:13: journal.max_bytes: found \"100MiB\", expected at least two segments, which is "
        "\"128MiB\": "
        "journal.segment_bytes is \"64MiB\""
    );
    CHECK(
        the_error("", {}, {"journal.segment_bytes=4GiB", "journal.max_bytes=8589934591"}) ==
        "--set journal.max_bytes: found \"8589934591\", expected at least two segments, which is \"8GiB\": "
        "journal.segment_bytes is \"4GiB\""
    );
    CHECK(errors("", {}, {"journal.segment_bytes=4GiB", "journal.max_bytes=8GiB"}).empty());
    CHECK(errors("", {}, {"journal.segment_bytes=64KiB", "journal.max_bytes=128KiB"}).empty());
    CHECK(the_error("journal.max_bytes = \"1GiB\"", {}, {"journal.segment_bytes=1GiB"})
              .starts_with("FILE:1:21: journal.max_bytes: "));
    CHECK(errors("", {}, {"journal.segment_bytes=5GiB", "journal.max_bytes=1MiB"}).size() == 1);
}

TEST_CASE("a journal that leaves the sync to the system cannot promise the disk", "[config]") {
    CHECK(
        the_error("[journal]\nsync = \"never\"") == "FILE:2:8: journal.sync: found \"never\", with which an "
                                                    "event counts as stored before the disk has it, "
                                                    "but tracker.ack = \"journaled\" tells clients that it "
                                                    "is safe; expected \"always\", or tracker.ack = "
                                                    "\"accepted\""
    );
    CHECK(
        the_error("", {}, {"journal.sync=interval", "tracker.ack=delivered"}) ==
        "--set journal.sync: found \"interval\", with which an event counts as stored before the disk has "
        "it, "
        "but tracker.ack = \"delivered\" tells clients that it is safe; expected \"always\", or tracker.ack "
        "= "
        "\"accepted\""
    );
    for (const std::string sync : {"always", "interval", "never"}) {
        CAPTURE(sync);
        CHECK(errors("", {}, {"tracker.ack=accepted", "journal.sync=" + sync}).empty());
    }
    CHECK(errors("", {}, {"backlog.kind=memory", "tracker.ack=delivered", "journal.sync=never"}).empty());
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

TEST_CASE("both listeners cannot have the same file or the same passed sockets", "[config]") {
    CHECK(
        the_error("http.listen = \"unix:/a\"\nadmin.listen = \"unix:/a\"") ==
        "FILE:2:16: admin.listen: found \"unix:/a\", which http.listen has, too; expected a socket of its own"
    );
    CHECK(
        the_error("http.listen = \"systemd\"", {}, {"admin.listen=systemd"}) ==
        "--set admin.listen: found \"systemd\", which http.listen has, too; expected a socket of its own, "
        "such as "
        "\"systemd:NAME\""
    );
    CHECK(errors("http.listen = \"systemd\"\nadmin.listen = \"systemd:admin\"").empty());
}

TEST_CASE("a certificate and its key are set both or neither", "[config]") {
    CHECK(
        the_error("http.tls.key = \"/k\"") ==
        "FILE:1:16: http.tls.key: found it without http.tls.certificate, expected both or neither"
    );
    CHECK(
        the_error("", {}, {"admin.tls.certificate=/c"}) ==
        "--set admin.tls.certificate: found it without admin.tls.key, expected both or neither"
    );
    CHECK(errors("http.tls = {certificate = \"/c\", key = \"/k\"}").empty());
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
