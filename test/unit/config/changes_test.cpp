// What is different between two configurations, and the words for it.
#include "config/changes.hpp"
#include "helpers.hpp"
#include "support/catch.hpp"

using namespace trackd::config;
using namespace trackd::config::test;

namespace {

const std::string digits_a(64, 'a');
const std::string digits_b(64, 'b');

std::string sink(const std::string& name, const std::string& more = {}) {
    return "[[sinks]]\nname = \"" + name + "\"\nkind = \"null\"\n" + more;
}

std::string key(const std::string& name, const std::string& sha256, const std::string& more = {}) {
    return "[[keys]]\nname = \"" + name + "\"\nsha256 = \"" + sha256 + "\"\n" + more;
}

std::vector<change> between(const std::string& before, const std::string& after) {
    return changes(load_text(before), load_text(after));
}

using found = std::vector<change>;
constexpr auto reload = changed_by::reload;
constexpr auto restart = changed_by::restart;

} // namespace

TEST_CASE("what is the same has no changes", "[config][changes]") {
    const auto text = sink("a") + sink("b") + key("web", digits_a) + key("shop", digits_b);
    CHECK(between(text, text).empty());
    CHECK(between("", "http.idle_timeout = \"75000ms\"").empty());
    CHECK(between(sink("a") + sink("b"), sink("b") + sink("a")).empty());
}

TEST_CASE("options of every type are compared, and say what they need", "[config][changes]") {
    CHECK(
        between("", R"(
            admin.token = "0123456789abcdef"
            tracker.ack = "accepted"
            log.level = "debug"
            [http]
            listen = "127.0.0.1:1"
            max_body_bytes = 7
            proxy_protocol = true
            trusted_proxies = "unix"
            idle_timeout = "1s"
            cors_origins = []
        )") ==
        found{
            {"http.listen", restart},
            {"http.max_body_bytes", reload},
            {"http.trusted_proxies", restart},
            {"http.proxy_protocol", restart},
            {"http.idle_timeout", reload},
            {"http.cors_origins", reload},
            {"admin.token", reload},
            {"tracker.ack", restart},
            {"log.level", reload},
        }
    );
}

TEST_CASE("no bound of the journal changes by a reload", "[config][changes]") {
    CHECK(
        between("", R"(
            [journal]
            segment_bytes = "1MiB"
            max_bytes = "32MiB"
            min_free_bytes = "1MiB"
        )") ==
        found{
            {"journal.segment_bytes", restart},
            {"journal.max_bytes", restart},
            {"journal.min_free_bytes", restart},
        }
    );
}

TEST_CASE("sinks are compared by their names, and none comes or goes while it runs", "[config][changes]") {
    CHECK(between(sink("a"), sink("a", "types = \"order.*\"")) == found{{"sinks.a.types", reload}});
    CHECK(between(sink("a"), sink("a", "linger = \"1s\"")) == found{{"sinks.a.linger", restart}});
    CHECK(between(sink("a"), sink("b")) == found{{"sinks.a", restart}, {"sinks.b", restart}});
    CHECK(
        between(sink("a"), sink("a", "[[sinks]]\nname = \"c\"\nkind = \"log\"")) ==
        found{{"sinks.c", restart}}
    );
    const auto log = [](const std::string& more) {
        return "[[sinks]]\nname = \"a\"\nkind = \"log\"\n" + more;
    };
    CHECK(between(sink("a"), log("level = \"warn\"")) == found{{"sinks.a.kind", restart}});
    CHECK(between(log(""), log("level = \"warn\"")) == found{{"sinks.a.level", restart}});
}

TEST_CASE("keys are compared by their names, and come and go", "[config][changes]") {
    const auto web = key("web", digits_a);
    CHECK(between(web, key("web", digits_b)) == found{{"keys.web.sha256", reload}});
    CHECK(
        between(web, key("web", digits_a, "events_per_second = 1")) ==
        found{{"keys.web.events_per_second", reload}}
    );
    CHECK(between(web, key("shop", digits_b)) == found{{"keys.web", reload}, {"keys.shop", reload}});
    CHECK(between(web, "") == found{{"keys.web", reload}});
}
