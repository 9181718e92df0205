// Events in PostgreSQL's binary formats.
#include "helpers.hpp"
#include "sinks/postgres_rows.hpp"

#include <optional>

using namespace trackd;
using namespace trackd::sinks;
using std::string_view_literals::operator""sv;

namespace {

using field = std::optional<std::string>; // nothing: NULL

std::int64_t take_number(std::string_view& from, std::size_t bytes) {
    REQUIRE(from.size() >= bytes);
    std::uint64_t number = 0;
    for (const char c : from.substr(0, bytes))
        number = number << 8U | static_cast<unsigned char>(c);
    from.remove_prefix(bytes);
    return bytes == 4 ? static_cast<std::int32_t>(number) : static_cast<std::int64_t>(number);
}

field take_field(std::string_view& from) {
    const auto size = take_number(from, 4);
    if (size < 0) return std::nullopt;
    REQUIRE(from.size() >= static_cast<std::size_t>(size));
    std::string bytes{from.substr(0, static_cast<std::size_t>(size))};
    from.remove_prefix(bytes.size());
    return bytes;
}

std::vector<std::vector<field>> rows_of(std::string_view stream) {
    const auto header = "PGCOPY\n\xFF\r\n\0\0\0\0\0\0\0\0\0"sv;
    REQUIRE(stream.starts_with(header));
    stream.remove_prefix(header.size());
    std::vector<std::vector<field>> rows;
    while (take_number(stream, 2) == static_cast<std::int64_t>(postgres_columns.size())) {
        auto& row = rows.emplace_back();
        for (std::size_t i = 0; i < postgres_columns.size(); ++i)
            row.push_back(take_field(stream));
    }
    CHECK(stream.empty());
    return rows;
}

std::vector<field> row_of(const event_view& event) {
    return rows_of(copy_stream({&event, 1})).at(0);
}

/// The column that has the event's data, and its bytes.
std::pair<std::string, std::string> data_of(std::string_view data, data_kind kind) {
    const auto row = row_of(test::make_event("id", data, kind));
    std::pair<std::string, std::string> found;
    for (std::size_t i = 7; i < 10; ++i) {
        if (!row[i]) continue;
        CHECK(found.first.empty());
        found = {std::string{postgres_columns[i].name}, *row[i]};
    }
    return found;
}

using column_and_bytes = std::pair<std::string, std::string>;

} // namespace

TEST_CASE("a row has all of the event", "[sinks][postgres]") {
    auto event = test::make_event("7", "[1]");
    event.subject = "subject";
    event.datacontenttype = "application/json";
    event.extensions = R"({"a":1})";
    event.time = std::chrono::sys_days{std::chrono::year{2000} / 1 / 1} + std::chrono::microseconds{258};
    event.received_at = std::chrono::sys_days{std::chrono::year{1999} / 12 / 31};
    const auto day = "\xFF\xFF\xFF\xEB\xE2\x28\xA0\x00"sv; // 86,400,000,000 before the epoch
    CHECK(
        row_of(event) ==
        std::vector<field>{
            "7", "shop", "order", std::string{"\0\0\0\0\0\0\1\2", 8}, std::string{day}, "subject",
            "application/json", "\1[1]", std::nullopt, std::nullopt, "\1{\"a\":1}"
        }
    );
}

TEST_CASE("what an event does not have is NULL", "[sinks][postgres]") {
    const auto row = row_of(test::make_event("7", "", data_kind::none));
    for (std::size_t i = 5; i < row.size(); ++i)
        CHECK_FALSE(row[i]);
}

TEST_CASE("the data's kind chooses the one column that has them", "[sinks][postgres]") {
    CHECK(data_of("{\"n\": 1}", data_kind::json) == column_and_bytes{"data", "\1{\"n\": 1}"});
    CHECK(data_of("text", data_kind::text) == column_and_bytes{"data_text", "text"});
    CHECK(data_of("", data_kind::text) == column_and_bytes{"data_text", ""});
    CHECK(data_of("\xFF", data_kind::binary) == column_and_bytes{"data_bytes", "\xFF"});
    CHECK(data_of("text", data_kind::binary) == column_and_bytes{"data_text", "text"});
    CHECK(data_of("a\0b"sv, data_kind::text) == column_and_bytes{"data_bytes", std::string{"a\0b", 3}});
    CHECK(data_of("\xFF", data_kind::text) == column_and_bytes{"data_bytes", "\xFF"});
    CHECK(data_of("\"\\u0000\"", data_kind::json) == column_and_bytes{"data_text", "\"\\u0000\""});
}

TEST_CASE("an array has the column's values of all events", "[sinks][postgres]") {
    const std::vector<event_view> events{
        test::make_event("a", "text", data_kind::text), test::make_event("b", "1", data_kind::json)
    };
    const auto arrays = column_arrays(events);
    CHECK(arrays[0] == "\0\0\0\1\0\0\0\1\0\0\0\x19\0\0\0\2\0\0\0\1\0\0\0\1a\0\0\0\1b"sv);
    CHECK(
        arrays[7] == "\0\0\0\1\0\0\0\1\0\0\x0E\xDA\0\0\0\2\0\0\0\1\xFF\xFF\xFF\xFF\0\0\0\2\1"
                     "1"sv
    );
}

TEST_CASE("JSON that jsonb takes stays JSON", "[sinks][postgres]") {
    for (const auto* json :
         {"null", "\"\"", R"({"a":[1,-2.5e10,true,null,"b"]})", R"("\\u0000")", R"("\\\\u0000 \" \n")",
          R"("\ud83c\udf89 \u00e4 \uFFFF")", "1e5000", "1E-5000", "0.1e+5", R"("1e9999")", " [ 1 , 2 ] ",
          R"({"\"1e9999":1})"}) {
        CAPTURE(json);
        CHECK(fits_jsonb(json));
    }
    CHECK(fits_jsonb(std::string(5000, '1')));
    CHECK(fits_jsonb('"' + std::string(6000, '1') + '"'));
}

TEST_CASE("JSON that jsonb refuses is known beforehand", "[sinks][postgres]") {
    for (const auto* json :
         {R"("\u0000")", R"("\\\u0000")", R"({"\u0000":1})", R"("\ud83c")", R"("\ud83cx\udf89")",
          R"("\udf89\ud83c")", R"("\ud83c\n")", R"("\uD83C\uD83C")", "1e5001", "[1E+99999999999999999999]",
          "-1e-5001", "[0,1e131072]"}) {
        CAPTURE(json);
        CHECK_FALSE(fits_jsonb(json));
    }
    CHECK_FALSE(fits_jsonb(std::string(5001, '1')));
    CHECK_FALSE(fits_jsonb('"' + std::string(std::size_t{16} << 20U, 'x') + '"'));
}

TEST_CASE("text that is cut off within JSON is left to the server", "[sinks][postgres]") {
    for (const auto* json : {"\"", "\"\\", "\"\\u", "\"\\u00", "\"a\\u0041", "1e", "-", "[1,"}) {
        CAPTURE(json);
        CHECK_NOTHROW(fits_jsonb(json));
    }
}
