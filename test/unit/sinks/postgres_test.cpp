// The PostgreSQL sink as far as it needs no server; with one: test/e2e/sink_postgres.py.
#include "base/log.hpp"
#include "helpers.hpp"
#include "silent_port.hpp"
#include "sinks/postgres.hpp"

using namespace trackd;
using namespace std::chrono_literals;
using test::contains;
using test::error_of;

namespace {

sinks::postgres_options options_for(const test::silent_port& port) {
    sinks::postgres_options made;
    made.connection = "host=127.0.0.1 dbname=d user=u password=secret port=" + port.number();
    return made;
}

std::string opening(const std::string& connection, const std::string& table = "events") {
    sinks::postgres_options options;
    options.connection = connection;
    options.table = table;
    return error_of([&] { sinks::make_postgres_sink(options, base::log())->open(); });
}

} // namespace

TEST_CASE("what libpq can read opens without a server", "[sinks][postgres]") {
    for (const auto* connection :
         {"", "host=nowhere.invalid", "postgresql://u:p@nowhere.invalid/d?sslmode=verify-full", "service=none"
         }) {
        CHECK_NOTHROW(sinks::make_postgres_sink({.connection = connection}, base::log())->open());
    }
}

TEST_CASE("a connection string that libpq cannot read is refused, without showing it", "[sinks][postgres]") {
    CHECK(
        opening("password=my secret dbname=d") == "connection: missing \"…\" after \"…\" in connection info "
                                                  "string; expected libpq's \"host=… dbname=…\" or "
                                                  "\"postgresql://USER@HOST/DATABASE\""
    );
    CHECK(contains(opening("pasword=secret"), "invalid connection option \"…\""));
    CHECK_FALSE(contains(opening("pasword=secret"), "secret"));
}

TEST_CASE("a table may have a schema, and no more", "[sinks][postgres]") {
    for (const auto* table : {"events", "tracking.events", "Events \"7\"; DROP TABLE x --", "é"})
        CHECK_NOTHROW(sinks::make_postgres_sink({.table = table}, base::log())->open());
    for (const auto* table : {"", ".events", "tracking.", "a..b", "a.b.c"}) {
        CHECK(
            opening("", table) == "table: found \"" + std::string{table} +
                                      "\", expected TABLE or SCHEMA.TABLE, each 1 to 63 bytes long"
        );
    }
    CHECK(contains(opening("", std::string(64, 'x')), "each 1 to 63 bytes long"));
}

TEST_CASE("a server that is down fails the write, and is named without the password", "[sinks][postgres]") {
    const test::silent_port port{false};
    const auto sink = sinks::make_postgres_sink(options_for(port), base::log());
    sink->open();
    const auto error = error_of([&] { test::write_all(*sink, test::numbered_events{1}); });
    CHECK(contains(error, "cannot connect to PostgreSQL: connection to server at \"127.0.0.1\", port "));
    CHECK_FALSE(contains(error, "secret"));
    CHECK_FALSE(contains(error, "\n"));
}

TEST_CASE("a server that does not answer fails the write after connect_timeout", "[sinks][postgres]") {
    const test::silent_port port{true};
    auto options = options_for(port);
    options.connect_timeout = 10ms;
    const auto sink = sinks::make_postgres_sink(options, base::log());
    sink->open();
    const auto error = error_of([&] { test::write_all(*sink, test::numbered_events{1}); });
    CHECK(contains(error, "cannot connect to PostgreSQL, which does not answer in time: "));
}

TEST_CASE("a stop ends the wait for a server that does not answer", "[sinks][postgres]") {
    const test::silent_port port{true};
    auto options = options_for(port);
    options.connect_timeout = 1h;
    const auto sink = sinks::make_postgres_sink(options, base::log());
    sink->open();
    test::check_that_a_stop_ends_the_wait(*sink, port);
}

TEST_CASE("the PostgreSQL sink that was stopped does not even connect", "[sinks][postgres]") {
    const auto sink = sinks::make_postgres_sink({.connection = "host=nowhere.invalid"}, base::log());
    sink->open();
    test::check_that_it_does_not_connect_when_stopped(*sink);
}

TEST_CASE("an event beyond all that PostgreSQL takes is refused", "[sinks][postgres]") {
    const auto sink = sinks::make_postgres_sink({.connection = "host=nowhere.invalid"}, base::log());
    sink->open();
    auto event = test::make_event("large");
    event.data = std::string_view{event.id.data(), (std::size_t{256} << 20U) + 1}; // which nobody reads
    const auto result = sink->write({&event, 1}, {});
    CHECK(result.confirmed == 0);
    CHECK(result.refusal == "it has more than 256 MiB, which PostgreSQL does not take");
}
