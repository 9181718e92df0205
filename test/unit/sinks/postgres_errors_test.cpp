// What the server's and libpq's errors mean, and how they are shown.
#include "sinks/postgres_errors.hpp"
#include "support/catch.hpp"

using namespace trackd::sinks;

TEST_CASE("what a type or a constraint does not take is the rows' fault", "[sinks][postgres]") {
    for (const auto* code :
         {"22P02", "22P05", "22021", "23502", "23505", "23514", "44000", "54000", "P0001"}) {
        CAPTURE(code);
        CHECK(is_about_rows(code));
    }
}

TEST_CASE("what mends itself, or an operator mends, is not the rows' fault", "[sinks][postgres]") {
    for (const auto* code :
         {"08006", "25006", "28P01", "3D000", "40001", "40P01", "42501", "42P01", "42703", "53100", "53300",
          "55P03", "57014", "57P01", "58030", "P0002", "XX000", ""}) {
        CAPTURE(code);
        CHECK_FALSE(is_about_rows(code));
    }
}

TEST_CASE("a key that is there and a table with policies are left to INSERT", "[sinks][postgres]") {
    CHECK(is_about_copy("23505"));
    CHECK(is_about_copy("0A000"));
    CHECK_FALSE(is_about_copy("23514"));
    CHECK_FALSE(is_about_copy("42P01"));
}

TEST_CASE("a NULL in a column that the sink does not write is not the rows' fault", "[sinks][postgres]") {
    postgres_error error{"23502", "null value"};
    CHECK(is_about_rows(error));
    error.column = "subject";
    CHECK(is_about_rows(error));
    error.column = "tenant";
    CHECK_FALSE(is_about_rows(error));
    error.sqlstate = "23514";
    CHECK(is_about_rows(error));
}

TEST_CASE(
    "another session may help where the server, and not a statement, is in trouble", "[sinks][postgres]"
) {
    for (const auto* code : {"08006", "25006", "53300", "57P01", "58030", "XX000"}) {
        CAPTURE(code);
        CHECK(is_about_session(code));
    }
    for (const auto* code : {"22P02", "23514", "42P01", "57014", "TR001", "P0001", "40001", "55P03"}) {
        CAPTURE(code);
        CHECK_FALSE(is_about_session(code));
    }
}

TEST_CASE("errors that an operator has to mend say how", "[sinks][postgres]") {
    CHECK(postgres_advice("42P01") == "make the table, as docs/sinks.md shows, or set create_table = true");
    CHECK(postgres_advice("42501").starts_with("the user needs INSERT"));
    CHECK(postgres_advice("40001").empty());
}

TEST_CASE("a text of the server becomes one line without control characters", "[sinks][postgres]") {
    CHECK(on_one_line("") == "");
    CHECK(on_one_line("  two\n\tlines \r\n") == "two lines");
    CHECK(on_one_line("a\x1B[2Jb\x7F") == "a [2Jb");
    CHECK(
        on_one_line("a\xC2\x9B"
                    "2Jb") == "a 2Jb"
    );
    CHECK(on_one_line("a\xC2\xA0\xC3\xA4") == "a\xC2\xA0\xC3\xA4");
    CHECK(on_one_line("Zeile \xE4\xF6") == "Zeile ??");
}

TEST_CASE("what stands in quotes can be left out", "[sinks][postgres]") {
    CHECK(without_quoted("missing \"=\" after \"sec\nret\" in it\n") == "missing \"…\" after \"…\" in it");
    CHECK(without_quoted("after \"secret") == "after \"");
}
