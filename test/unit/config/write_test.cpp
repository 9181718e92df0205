// The effective configuration as text.
#include "helpers.hpp"
#include "support/catch.hpp"

using namespace trackd::config;
using namespace trackd::config::test;

TEST_CASE("what is written reads back to the same", "[config]") {
    const auto all = load_text(R"(
        data_dir = "/a \"b\" \\ $${c}"
        http = { listen = ["*:1", "[::1]:0"], max_body_bytes = 1000, idle_timeout = "1500ms" }
        tracker = { ack = "accepted", source = "ä $${X:-y} $$${Z} $" }
        log = { level = "trace", format = "json" }
        backlog.kind = "memory"
        journal = { segment_bytes = "1MiB", max_bytes = 2097153, min_free_bytes = 0, sync = "never", sync_interval = "7ms" }
        [[sinks]]
        name = "a"
        kind = "sqlite"
        [[sinks]]
        name = "b"
        kind = "file"
        path = "{data_dir}/b"
        sync = false
        rotate_every = "0s"
        [[sinks]]
        name = "c"
        kind = "log"
        level = "debug"
        simulate_latency = "1ms"
        [[sinks]]
        name = "d"
        kind = "null"
        batch_events = 1
        start = "newest"
        [[sinks]]
        name = "e"
        kind = "kafka"
        brokers = ["a:1", "b:2"]
        topic = "events.{type}"
        key = "none"
        format = "structured"
        compression = "lz4"
        timeout = "1m"
        properties = { client.id = "a \"b\"", "linger.ms" = 7, log.connection.close = false }
        [[keys]]
        name = "shop"
        sha256 = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
        sources = ["/shop", "/shop/b"]
        origins = "https://shop.example"
        events_per_second = 7
        bytes_per_second = "64KiB"
        [[keys]]
        name = "plain"
        sha256 = "10112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
    )");
    CHECK(load_text(to_toml(all)) == all);
    CHECK(load_text(to_toml(load({}))) == load({}));
}

TEST_CASE("a secret is masked where it is written, and not shown where it is wrong", "[config]") {
    const auto with = [](const std::string& connection) {
        return "[[sinks]]\nname = \"a\"\nkind = \"postgres\"\nconnection = " + connection;
    };
    const auto written = to_toml(load_text(with("\"host=h password=hush\"")));
    CHECK(written.find("connection = \"********\"\n") != written.npos);
    CHECK(written.find("hush") == written.npos);
    CHECK(to_toml(load_text(with("\"\""))).find("connection = \"\"\n") != written.npos);
    CHECK(
        the_error(with("\"password=hush\\n\"")) == "FILE:4:14: sinks.a.connection: found a value that "
                                                   "is not shown, expected a string without control "
                                                   "characters, 0 to 4095 bytes"
    );
}

TEST_CASE("passwords among a sink's properties are masked where they are written", "[config]") {
    const auto text = to_toml(load_text(R"(
        [[sinks]]
        name = "a"
        kind = "kafka"
        [sinks.properties]
        sasl.username = "me"
        sasl.password = "hidden1"
        ssl.key.password = "hidden2"
        ssl.key.pem = "hidden3"
        ssl.keystore.passphrase = "hidden6"
        sasl.oauthbearer.client.secret = "hidden4"
        sasl.oauthbearer.config = "hidden5"
    )"));
    CHECK(text.find("hidden") == std::string::npos);
    CHECK(
        text.find(R"("sasl.password" = "********", "sasl.username" = "me", "ssl.key.password" = "********")"
        ) != std::string::npos
    );
}

TEST_CASE("secrets in a list are masked one by one, and not shown where they are wrong", "[config]") {
    const auto with = [](const std::string& headers) {
        return "[[sinks]]\nname = \"a\"\nkind = \"http\"\nheaders = " + headers;
    };
    const auto masked = [&](const std::string& headers) {
        const auto written = to_toml(load_text(with(headers)));
        CHECK(written.find("hush") == written.npos);
        return written;
    };
    CHECK(masked("[]").find("headers = []\n") != std::string::npos);
    CHECK(masked("\"A: hush\"").find("headers = \"********\"\n") != std::string::npos);
    CHECK(
        masked("[\"A: hush\", \"B: hush\"]").find("headers = [\"********\", \"********\"]\n") !=
        std::string::npos
    );
    CHECK(
        the_error(with("[\"A: hush\\r\\nB: x\"]")) ==
        "FILE:4:12: sinks.a.headers: found a value that is not shown, expected a string without control "
        "characters, 1 to 8192 bytes, or an array of 0 to 100 of them"
    );
    CHECK(
        the_error(with("[\"A: hush\", \"A: hush\"]")) ==
        "FILE:4:23: sinks.a.headers: found a value that is not shown twice, expected each string once"
    );
}

TEST_CASE("the defaults are written in the order of the documents", "[config]") {
    CHECK(to_toml(load({})) == R"(data_dir = "./data"

[http]
listen = "127.0.0.1:8080"
threads = 0
max_body_bytes = "4MiB"
max_decoded_bytes = "10MiB"
max_decoded_ratio = 200
max_bodies_bytes = "128MiB"
max_batch_events = 10000
max_event_bytes = "1MiB"
max_head_bytes = "16KiB"
max_connections = 0
max_connections_per_address = 0
trusted_proxies = []
proxy_protocol = false
record_client = "none"
head_timeout = "10s"
body_timeout = "30s"
min_body_rate = 500
idle_timeout = "75s"
write_timeout = "30s"
cors_origins = "*"
tls.certificate = ""
tls.key = ""

[admin]
listen = "127.0.0.1:8081"
token = ""
tls.certificate = ""
tls.key = ""

[tracker]
ack = "journaled"
max_pending_events = 1000000
max_pending_bytes = "256MiB"
ack_timeout = "30s"
source = "trackd"
retry.min = "100ms"
retry.max = "30s"
retry.max_age = "0s"

[backlog]
kind = "journal"

[journal]
segment_bytes = "64MiB"
max_bytes = "8GiB"
min_free_bytes = "256MiB"
sync = "always"
sync_interval = "1s"

[dead_letters]
max_bytes = "1GiB"

[readiness]
require_sinks = []
sink_grace = "10s"

[shutdown]
lame_duck = "0s"
request_timeout = "3s"
idle_timeout = "2s"
drain_timeout = "5s"

[log]
level = "info"
format = "text"
file = ""

[[sinks]]
name = "sqlite"
kind = "sqlite"
batch_events = 2000
batch_bytes = "4MiB"
linger = "20ms"
start = "oldest"
types = []
sources = []
required = true
on_full = "block"
path = "./data/events.db"
keep = "0s"
indexes = true
)");
}
