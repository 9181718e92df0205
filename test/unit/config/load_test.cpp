// Where settings come from, and which of them win.
#include "helpers.hpp"
#include "support/catch.hpp"

using namespace std::chrono_literals;
using namespace trackd::config;
using namespace trackd::config::test;

TEST_CASE("without any source the defaults hold, with one SQLite sink", "[config]") {
    const auto all = load({});
    CHECK(all.http == http_settings{});
    CHECK(all.admin == admin_settings{});
    CHECK(all.tracker == tracker_settings{});
    CHECK(all.backlog == backlog_settings{});
    CHECK(all.journal == journal_settings{});
    CHECK(all.shutdown == shutdown_settings{});
    CHECK(all.log == log_settings{});
    CHECK(all.data_dir == "./data");
    REQUIRE(all.sinks.size() == 1);
    CHECK(all.sinks[0].name == "sqlite");
    CHECK(all.sinks[0].kind == sink_kind::sqlite);
    CHECK(all.sinks[0].sqlite.path == "./data/events.db");
}

TEST_CASE("without any source a 201 promises the disk", "[config]") {
    const auto all = load({});
    CHECK(all.tracker.ack == ack_mode::journaled);
    CHECK(all.backlog.kind == backlog_kind::journal);
    CHECK(all.journal.sync == journal_sync::always);
}

TEST_CASE("the journal's bounds, and when it syncs, are set by their keys", "[config]") {
    const auto all = load_text(
        "[journal]\nsegment_bytes = \"64KiB\"\nmax_bytes = \"1TiB\"", {{"TRACKD_JOURNAL__SYNC", "interval"}},
        {"journal.min_free_bytes=0", "journal.sync_interval=250ms", "tracker.ack=accepted"}
    );
    CHECK(all.journal == journal_settings{65536, std::size_t{1} << 40U, 0, journal_sync::interval, 250ms});
}

TEST_CASE("an empty file changes nothing", "[config]") {
    CHECK(load_text("") == load({}));
    CHECK(load_text("[http]\n[tracker.retry]\n") == load({}));
}

TEST_CASE("the file sets options of every type", "[config]") {
    const auto all = load_text(R"(
        data_dir = "/var/lib/trackd"
        [http]
        listen = "0.0.0.0:80"
        threads = 4
        max_body_bytes = 1024
        max_head_bytes = "8KiB"
        idle_timeout = "2m"
        [admin]
        listen = ["[::1]:81", "127.0.0.1:81"]
        [tracker]
        ack = "delivered"
        source = "a \"b\""
        retry = { min = "1s", max = "1d" }
        [shutdown]
        lame_duck = 0
        [log]
        level = "off"
        format = "json"
    )");
    CHECK(all.data_dir == "/var/lib/trackd");
    CHECK(all.http.listen == addresses{"0.0.0.0:80"});
    CHECK(all.http.threads == 4);
    CHECK(all.http.max_body_bytes == 1024);
    CHECK(all.http.max_head_bytes == 8192);
    CHECK(all.http.idle_timeout == 2min);
    CHECK(all.admin.listen == addresses{"[::1]:81", "127.0.0.1:81"});
    CHECK(all.tracker.ack == ack_mode::delivered);
    CHECK(all.tracker.source == "a \"b\"");
    CHECK(all.tracker.retry.min == 1s);
    CHECK(all.tracker.retry.max == 24h);
    CHECK(all.shutdown.lame_duck == 0ms);
    CHECK(all.log.level == log_level::off);
    CHECK(all.log.format == log_format::json);
    CHECK(all.sinks[0].sqlite.path == "/var/lib/trackd/events.db");
}

TEST_CASE("what --set says beats a variable, which beats the file, which beats the default", "[config]") {
    const auto* file = "[http]\nthreads = 1";
    const variables environment{{"TRACKD_HTTP__THREADS", "2"}};
    CHECK(load_text(file).http.threads == 1);
    CHECK(load_text(file, environment).http.threads == 2);
    CHECK(load_text(file, environment, {"http.threads=3"}).http.threads == 3);
    CHECK(load_text(file, environment, {"http.threads=3", "http.threads=4"}).http.threads == 4);
}

TEST_CASE("strings may be given bare on the command line", "[config]") {
    CHECK(load_set({"http.listen=0.0.0.0:80"}).http.listen == addresses{"0.0.0.0:80"});
    CHECK(load_set({"http.listen=[::1]:80"}).http.listen == addresses{"[::1]:80"});
    CHECK(load_set({"tracker.source=123"}).tracker.source == "123");
    CHECK(load_set({"tracker.source=a=b"}).tracker.source == "a=b");
    CHECK(load_set({"tracker.source=true"}).tracker.source == "true");
    CHECK(load_set({"http.idle_timeout=5s"}).http.idle_timeout == 5s);
    CHECK(load_set({"shutdown.lame_duck=0"}).shutdown.lame_duck == 0ms);
    CHECK(load_set({"http.max_body_bytes=64KiB"}).http.max_body_bytes == 65536);
    CHECK(load_set({"http.max_body_bytes=65536"}).http.max_body_bytes == 65536);
    CHECK(load_set({"log.level=debug"}).log.level == log_level::debug);
}

TEST_CASE("strings and arrays may be given as TOML on the command line", "[config]") {
    CHECK(load_set({"tracker.source=\"a b\""}).tracker.source == "a b");
    CHECK(load_set({"tracker.source='a b'"}).tracker.source == "a b");
    CHECK(
        load_set({R"(http.listen=[ "127.0.0.1:1", '[::1]:2'])"}).http.listen ==
        addresses{"127.0.0.1:1", "[::1]:2"}
    );
}

TEST_CASE("a whole table may be given as TOML on the command line", "[config]") {
    CHECK(load_set({R"(tracker.retry={min="1s", max="2s"})"}).tracker.retry == retry_settings{1s, 2s});
    CHECK(load_set({"http.threads=3", "http={max_connections=5}"}).http.threads == 3);
}

TEST_CASE("a variable's name is its key in any case", "[config]") {
    CHECK(load({{}, {{"TRACKD_HTTP__MAX_BODY_BYTES", "5"}}, {}}).http.max_body_bytes == 5);
    CHECK(load({{}, {{"TRACKD_http__Threads", "5"}}, {}}).http.threads == 5);
    CHECK(load({{}, {{"TRACKD_TRACKER__RETRY__MIN", "5ms"}}, {}}).tracker.retry.min == 5ms);
    CHECK(load({{}, {{"TRACKD_DATA_DIR", "/x"}}, {}}).data_dir == "/x");
}

TEST_CASE("variables that name no key are not ours", "[config]") {
    const variables environment{
        {"TRACKD_CONFIG", "x"},       {"TRACKD_PORT", "tcp://10.0.0.1:80"},
        {"TRACKD_SERVICE_HOST", "x"}, {"TRACKD_", "x"},
        {"HTTP__THREADS", "x"},       {"trackd_http__threads", "x"},
    };
    CHECK(load({{}, environment, {}}) == load({}));
}

TEST_CASE("references are resolved in every source", "[config]") {
    const variables environment{{"DIR", "/x"}, {"TRACKD_TRACKER__SOURCE", "from ${DIR}"}};
    const auto all = load_text(
        "data_dir = \"${DIR}\"\nhttp.listen = [\"${HOST:-127.0.0.1}:1\"]", environment,
        {"log.level=${LEVEL:-warn}"}
    );
    CHECK(all.data_dir == "/x");
    CHECK(all.http.listen == addresses{"127.0.0.1:1"});
    CHECK(all.tracker.source == "from /x");
    CHECK(all.log.level == log_level::warn);
}

TEST_CASE("bounds are part of their range", "[config]") {
    CHECK(load_set({"http.threads=256"}).http.threads == 256);
    CHECK(load_set({"http.head_timeout=1ms"}).http.head_timeout == 1ms);
    CHECK(load_set({"http.head_timeout=24h"}).http.head_timeout == 24h);
    CHECK(load_set({"tracker.source=" + std::string(1024, 'x')}).tracker.source.size() == 1024);
}
