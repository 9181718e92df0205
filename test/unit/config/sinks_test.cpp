// The sinks: objects with names, of several kinds.
#include "helpers.hpp"
#include "support/catch.hpp"

using namespace std::chrono_literals;
using namespace trackd::config;
using namespace trackd::config::test;

namespace {

constexpr auto two_sinks = R"(
[[sinks]]
name = "main-db"
kind = "sqlite"
path = "/x/main.db"
[[sinks]]
name = "copy"
kind = "file"
rotate_bytes = "1MiB"
rotate_every = "1h"
keep_files = 7
sync = false
compress = "zstd"
batch_events = 10
)";

} // namespace

TEST_CASE("sinks have the options of their kind", "[config]") {
    const auto all = load_text(two_sinks);
    REQUIRE(all.sinks.size() == 2);
    CHECK(all.sinks[0].kind == sink_kind::sqlite);
    CHECK(all.sinks[0].sqlite.path == "/x/main.db");
    CHECK(all.sinks[0].batch_events == 2000);
    CHECK(all.sinks[1].kind == sink_kind::file);
    CHECK(
        all.sinks[1].file ==
        file_sink_settings{"./data/events.jsonl", 1048576, 1h, 7, false, file_compression::zstd}
    );
    CHECK(all.sinks[1].batch_events == 10);
}

TEST_CASE("a database keeps its rows for ever, and has an index, unless it is told otherwise", "[config]") {
    CHECK(load({}).sinks[0].sqlite == sqlite_sink_settings{"./data/events.db", 0ms, true});
    const auto set = load_set({"sinks.sqlite.keep=30d", "sinks.sqlite.indexes=false"}).sinks[0].sqlite;
    CHECK(set == sqlite_sink_settings{"./data/events.db", 30 * 24h, false});
    CHECK(
        the_error("", {}, {"sinks.sqlite.keep=30"}) == "--set sinks.sqlite.keep: found \"30\", expected a "
                                                       "duration with its unit such as \"5s\" (ms, s, m, h, "
                                                       "d), "
                                                       "0s to 3650d"
    );
}

TEST_CASE("sinks that store nothing need no more than a name and a kind", "[config]") {
    const auto all = load_text(R"(sinks = [{name = "a", kind = "null"}, {name = "b", kind = "log"}])");
    REQUIRE(all.sinks.size() == 2);
    CHECK(all.sinks[0].kind == sink_kind::null);
    CHECK(all.sinks[1].log == log_sink_settings{});
}

TEST_CASE("a sink that is new begins at the oldest event unless it is told otherwise", "[config]") {
    CHECK(load({}).sinks[0].start == sink_start::oldest);
    CHECK(load_set({"sinks.sqlite.start=newest"}).sinks[0].start == sink_start::newest);
    CHECK(
        the_error("", {}, {"sinks.sqlite.start=now"}) ==
        "--set sinks.sqlite.start: found \"now\", expected one of \"oldest\", \"newest\""
    );
}

TEST_CASE("the data directory is put into paths that ask for it", "[config]") {
    const auto* file =
        "data_dir = \"/d\"\n[[sinks]]\nname = \"a\"\nkind = \"file\"\npath = \"{data_dir}/a/{data_dir}\"";
    CHECK(load_text(file).sinks[0].file.path == "/d/a//d");
    CHECK(load_text(file, {}, {"data_dir=/e"}).sinks[0].file.path == "/e/a//e");
    CHECK(load_text(file, {}, {"sinks.a.path=relative"}).sinks[0].file.path == "relative");
}

TEST_CASE("a sink's option is set by the sink's name", "[config]") {
    CHECK(load_set({"sinks.sqlite.path=/x"}).sinks[0].sqlite.path == "/x");
    CHECK(load({{}, {{"TRACKD_SINKS__SQLITE__PATH", "/x"}}, {}}).sinks[0].sqlite.path == "/x");
    CHECK(load_text(two_sinks, {}, {"sinks.copy.sync=true"}).sinks[1].file.sync);
    CHECK(load_text(two_sinks, {}, {"sinks.copy.rotate_every=0"}).sinks[1].file.rotate_every == 0ms);
    CHECK(
        load_text(two_sinks, {{"TRACKD_SINKS__MAIN_DB__BATCH_BYTES", "1KiB"}}).sinks[0].batch_bytes == 1024
    );
}

TEST_CASE("all sinks are replaced by an array, whatever else sets one of them", "[config]") {
    const auto all = load_text(
        two_sinks, {{"TRACKD_SINKS__COPY__SYNC", "true"}},
        {"sinks.n.simulate_latency=2ms", R"(sinks=[{name="n",kind="log"}])"}
    );
    REQUIRE(all.sinks.size() == 1);
    CHECK(all.sinks[0].name == "n");
    CHECK(all.sinks[0].log.simulate_latency == 2ms);
    CHECK(load({{}, {{"TRACKD_SINKS", R"([{name="n",kind="null"}])"}}, {}}).sinks[0].kind == sink_kind::null);
}

TEST_CASE("a sink without a name or a kind is an error", "[config]") {
    CHECK(
        the_error("[[sinks]]\nkind = \"null\"") ==
        "FILE:1:1: sinks[0]: found no name, expected one in every sink"
    );
    CHECK(
        the_error("[[sinks]]\nname = \"a\"") == "FILE:1:1: sinks.a: found no kind, expected one in every sink"
    );
}

TEST_CASE("a sink's name is made of few characters", "[config]") {
    CHECK(
        the_error("[[sinks]]\nname = \"a b\"\nkind = \"null\"") ==
        "FILE:2:8: sinks[0].name: found \"a b\", expected a string of letters, digits, - and _, 1 to 64 bytes"
    );
}

TEST_CASE("two sinks of one name are an error, also where only case differs", "[config]") {
    CHECK(
        the_error(R"(sinks = [{name = "a-b", kind = "null"}, {name = "A_b", kind = "null"}])") ==
        "FILE:1:49: sinks.A_b.name: another sink is named \"a-b\", expected names that differ in more than "
        "case, or - for _"
    );
}

TEST_CASE("two sinks that write to one file are an error", "[config]") {
    CHECK(
        the_error(
            "[[sinks]]\nname = \"a\"\nkind = \"file\"\n[[sinks]]\nname = \"b\"\nkind = \"file\"\npath = "
            "\"data/events.jsonl\"",
            {}, {"data_dir=data"}
        ) == "FILE:7:8: sinks.b.path: found \"data/events.jsonl\", which another sink writes to, expected a "
             "path of its own"
    );
}

TEST_CASE("a key of another kind is an error that names both kinds", "[config]") {
    CHECK(
        the_error("[[sinks]]\nname = \"a\"\nkind = \"sqlite\"\nrotate_bytes = 1") ==
        "FILE:4:1: sinks.a.rotate_bytes: a sink of kind \"sqlite\" has no such key, only those of kind "
        "\"file\" have"
    );
    CHECK(
        the_error("[[sinks]]\nname = \"a\"\nkind = \"null\"\npath = \"x\"") ==
        "FILE:4:1: sinks.a.path: a sink of kind \"null\" has no such key, only those of kind \"sqlite\" and "
        "\"file\" have"
    );
}

TEST_CASE("an unknown key of a sink is an error with advice", "[config]") {
    CHECK(
        the_error("[[sinks]]\nname = \"a\"\nkind = \"log\"\nlevle = \"info\"") ==
        "FILE:4:1: sinks.a.levle: a sink of kind \"log\" has no such key: did you mean level?"
    );
    CHECK(
        the_error("[[sinks]]\nname = \"a\"\nkind = \"null\"\nhost = \"x\"") ==
        "FILE:4:1: sinks.a.host: a sink of kind \"null\" has no such key: expected one of name, kind, "
        "batch_events, batch_bytes, linger, start, types, sources, required, on_full"
    );
}

TEST_CASE("of a sink of an unknown kind only keys that no kind has are errors", "[config]") {
    CHECK(
        errors("[[sinks]]\nname = \"a\"\nkind = \"redis\"\npath = \"x\"\nhost = \"y\"") ==
        strings{
            "FILE:3:8: sinks.a.kind: found \"redis\", expected one of \"sqlite\", \"file\", \"log\", "
            "\"null\", \"postgres\", \"kafka\", \"http\"",
            "FILE:5:1: sinks.a.host: no kind of sink has such a key",
        }
    );
}

TEST_CASE("an option of a sink that is not there is an error", "[config]") {
    CHECK(
        the_error(two_sinks, {}, {"sinks.sqlite.path=/x"}) ==
        "--set sinks.sqlite.path: no sink is named \"sqlite\"; there is \"main-db\", \"copy\""
    );
    CHECK(
        the_error("", {{"TRACKD_SINKS__SQLITE", "x"}}) ==
        "TRACKD_SINKS__SQLITE: expected sinks.sqlite.KEY, or all sinks as an array"
    );
}

TEST_CASE("an empty array of sinks is an error", "[config]") {
    CHECK(
        the_error("sinks = []") ==
        "FILE:1:9: sinks: found none, expected at least one; leave it out for the default"
    );
}

TEST_CASE("sinks that are no array of tables are an error", "[config]") {
    CHECK(
        the_error("[sinks]\nname = \"a\"") ==
        "FILE:1:1: sinks: found a table, expected an array of tables, [[sinks]]"
    );
    CHECK(the_error("sinks = [1]") == "FILE:1:10: sinks[0]: found 1, expected a table, [[sinks]]");
    CHECK(
        the_error("", {}, {"sinks=x"}) == "--set sinks: found \"x\", expected an array of tables, [[sinks]]"
    );
}

TEST_CASE("only a sink that is not required may be passed over", "[config]") {
    const std::string sink = "[[sinks]]\nname = \"a\"\nkind = \"null\"\non_full = \"skip\"\n";
    CHECK(
        the_error(sink) == "FILE:4:11: sinks.a.on_full: found \"skip\" for a sink that is required, expected "
                           "\"block\", or required = false"
    );
    CHECK(load_text(sink + "required = false").sinks[0].on_full == when_full::skip);
}

TEST_CASE("an acknowledgement that waits for the sinks needs one to wait for", "[config]") {
    const std::string sink = "[[sinks]]\nname = \"a\"\nkind = \"null\"\nrequired = false\n";
    CHECK(
        the_error("tracker.ack = \"delivered\"\n" + sink) ==
        "FILE:1:15: tracker.ack: \"delivered\" waits for the sinks that are required, and there is none; "
        "expected another value, or a sink without required = false"
    );
    CHECK_NOTHROW(
        load_text("tracker.ack = \"delivered\"\n" + sink + "[[sinks]]\nname = \"b\"\nkind = \"null\"")
    );
}

TEST_CASE("a pattern that leaves out nothing is a mistake", "[config]") {
    CHECK(
        the_error("[[sinks]]\nname = \"a\"\nkind = \"null\"\ntypes = [\"order.*\", \"!\"]") ==
        "FILE:4:9: sinks.a.types: found \"!\", expected a pattern behind it, such as \"!order.debug\""
    );
}

TEST_CASE("what a server's answers mean can be chosen by status and by class", "[config]") {
    const std::string sink = "[[sinks]]\nname = \"a\"\nkind = \"http\"\n";
    const auto all = load_text(
        sink + "delivered_statuses = [\"2xx\", \"409\"]", {{"TRACKD_SINKS__A__RETRIED_STATUSES", "4xx"}},
        {"sinks.a.refused_statuses=[\"400\", \"413\"]"}
    );
    CHECK(all.sinks[0].http.delivered_statuses == strings{"2xx", "409"});
    CHECK(all.sinks[0].http.retried_statuses == strings{"4xx"});
    CHECK(all.sinks[0].http.refused_statuses == strings{"400", "413"});
}

TEST_CASE("a status that is given to one list leaves the defaults of the others", "[config]") {
    const std::string sink = "[[sinks]]\nname = \"a\"\nkind = \"http\"\n";
    const auto http = load_text(
                          sink + "delivered_statuses = [\"2xx\", \"409\"]\n"
                                 "refused_statuses = [\"4xx\", \"429\"]"
    )
                          .sinks[0]
                          .http;
    CHECK(http.delivered_statuses == strings{"2xx", "409"});
    CHECK(http.retried_statuses == strings{"408", "425"});
    CHECK(http.refused_statuses == strings{"4xx", "429"});
    CHECK(
        load_text(sink + "retried_statuses = \"409\"").sinks[0].http.refused_statuses ==
        strings{"400", "413", "422"}
    );
}

TEST_CASE("a status that cannot mean what it is to mean is an error", "[config]") {
    const auto error = [](const std::string& lists) {
        return the_error("[[sinks]]\nname = \"a\"\nkind = \"http\"\n" + lists);
    };
    const auto expected = [](const std::string& what) {
        return "found " + what +
               ", expected a status such as \"404\", \"200\" to \"599\", a class such as \"4xx\", or "
               "an array of 0 to 100 of them";
    };
    for (const auto* text :
         {"", "x", "1xx", "100", "199", "600", "6xx", "4x", "40x", "4XX", "0404", " 404", "4xxx", "+40"})
        CHECK(
            error("refused_statuses = [\"400\", \"" + std::string{text} + "\"]") ==
            "FILE:4:28: sinks.a.refused_statuses: " + expected('"' + std::string{text} + '"')
        );
    CHECK(error("retried_statuses = [404]") == "FILE:4:21: sinks.a.retried_statuses: " + expected("404"));
    CHECK(
        error("retried_statuses = [\"404\", \"404\"]") ==
        "FILE:4:28: sinks.a.retried_statuses: found \"404\" twice, expected each status once"
    );
    CHECK(
        error("delivered_statuses = []") ==
        "FILE:4:22: sinks.a.delivered_statuses: found 0 statuses, expected 1 to 100"
    );
    CHECK(
        error("refused_statuses = [\"302\"]") == "FILE:4:20: sinks.a.refused_statuses: found \"302\", a "
                                                 "redirect, which is not followed and says nothing of "
                                                 "the events, expected it in retried_statuses or nowhere"
    );
    CHECK(error("delivered_statuses = [\"2xx\", \"3xx\"]")
              .starts_with("FILE:4:22: sinks.a.delivered_statuses: found \"3xx\", a redirect"));
}

TEST_CASE("one status cannot mean two things", "[config]") {
    const auto error = [](const std::string& lists) {
        return the_error("[[sinks]]\nname = \"a\"\nkind = \"http\"\n" + lists);
    };
    CHECK(
        error("retried_statuses = [\"404\"]\nrefused_statuses = [\"400\", \"404\"]") ==
        "FILE:5:20: sinks.a.refused_statuses: found \"404\", which sinks.a.retried_statuses has, too, "
        "expected it in "
        "one of them"
    );
    CHECK(
        error("refused_statuses = [\"4xx\"]\ndelivered_statuses = [\"2xx\", \"4xx\"]") ==
        "FILE:4:20: sinks.a.refused_statuses: found \"4xx\", which sinks.a.delivered_statuses has, too, "
        "expected it "
        "in one of them"
    );
    CHECK(
        error("retried_statuses = [\"2xx\"]") == "FILE:4:20: sinks.a.retried_statuses: found \"2xx\", which "
                                                 "sinks.a.delivered_statuses has by default, "
                                                 "expected it in one of them"
    );
}

TEST_CASE("a list of secrets can be set as an array from outside of the file", "[config]") {
    const auto* file = "[[sinks]]\nname = \"a\"\nkind = \"http\"";
    CHECK(
        load_text(file, {}, {R"(sinks.a.headers=["A: b", "C: d"])"}).sinks[0].http.headers ==
        strings{"A: b", "C: d"}
    );
    CHECK(load_text(file, {{"TRACKD_SINKS__A__HEADERS", "A: b"}}).sinks[0].http.headers == strings{"A: b"});
}

TEST_CASE("a sink's properties are taken by their names, dots and all", "[config]") {
    const auto all = load_text(R"(
        [[sinks]]
        name = "a"
        kind = "kafka"
        [sinks.properties]
        sasl.username = "me"
        "sasl.password" = "p"
        linger.ms = 7
        log.connection.close = false
    )");
    CHECK(
        all.sinks[0].kafka.properties ==
        named_strings{
            {"linger.ms", "7"},
            {"log.connection.close", "false"},
            {"sasl.password", "p"},
            {"sasl.username", "me"}
        }
    );
}

TEST_CASE("one of a sink's properties is set by its name, and the others stay", "[config]") {
    const auto* file = "[[sinks]]\nname = \"a\"\nkind = \"kafka\"\nproperties = { b = \"1\", c.d = \"2\" }";
    CHECK(
        load_text(file, {{"TRACKD_SINKS__A__PROPERTIES__C__D", "true"}}, {"sinks.a.properties.e.f=0123"})
            .sinks[0]
            .kafka.properties == named_strings{{"b", "1"}, {"c.d", "true"}, {"e.f", "0123"}}
    );
    CHECK(
        load_text(file, {}, {R"(sinks.a.properties={g = "h"})"}).sinks[0].kafka.properties ==
        named_strings{{"g", "h"}}
    );
}

TEST_CASE("a sink's property that is no text, number or flag is an error", "[config]") {
    const std::string sink = "[[sinks]]\nname = \"a\"\nkind = \"kafka\"\n";
    CHECK(
        the_error(sink + "[sinks.properties]\nlinger.ms = 0.5") ==
        "FILE:5:13: sinks.a.properties.linger.ms: found 0.5, expected a string, a whole number, true or false"
    );
    CHECK(
        the_error(sink + "properties = \"x\"") == "FILE:4:14: sinks.a.properties: found \"x\", expected a "
                                                  "table of strings, whole numbers, true or false"
    );
    CHECK(the_error("[[sinks]]\nname = \"a\"\nkind = \"null\"", {}, {"sinks.a.properties.b=c"})
              .starts_with("--set sinks.a.properties.b: a sink of kind \"null\" has no such key"));
}

TEST_CASE("the sinks that readiness asks for are looked up by their names", "[config]") {
    CHECK(load({}).readiness.require_sinks.empty());
    CHECK(load({}).readiness.sink_grace == 10s);
    CHECK(load_set({"readiness.require_sinks=sqlite"}).readiness.require_sinks == strings{"sqlite"});
    const auto both =
        load_text("readiness.require_sinks = [\"copy\", \"main-db\"]\n" + std::string{two_sinks});
    CHECK(both.readiness.require_sinks == strings{"copy", "main-db"});
    CHECK(
        the_error("readiness.require_sinks = [\"copy\", \"main\"]\n" + std::string{two_sinks}) ==
        "FILE:1:27: readiness.require_sinks: found \"main\", which no sink is named, expected names out of "
        "\"main-db\", \"copy\""
    );
}
