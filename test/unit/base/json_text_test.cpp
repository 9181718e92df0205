// What json_text writes is read back with Boost.JSON: a parser that shares nothing with it.
#include "base/json_text.hpp"
#include "support/catch.hpp"

#include <boost/json.hpp>

#include <chrono>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace json = boost::json;
using namespace trackd;
using namespace std::string_literals;
using namespace std::string_view_literals;

namespace {

std::string as_json_string(std::string_view text) {
    std::string out;
    base::append_json_string(out, text);
    return out;
}

std::string read_back(std::string_view text) {
    const auto value = json::parse(as_json_string(text));
    return {value.as_string().data(), value.as_string().size()};
}

std::string cloudevent(const event_view& event) {
    std::string out;
    base::append_cloudevent(out, event);
    return out;
}

json::object parsed(const event_view& event) {
    return json::parse(cloudevent(event)).as_object();
}

std::vector<std::string> names(const json::object& object) {
    std::vector<std::string> found;
    for (const auto& member : object)
        found.emplace_back(member.key().data(), member.key().size());
    return found;
}

event_view some_event() {
    event_view event;
    event.id = "1";
    event.source = "shop";
    event.type = "order";
    event.time =
        wall_time{std::chrono::sys_days{std::chrono::year{2026} / 11 / 21} + std::chrono::microseconds{250}};
    event.received_at = event.time + std::chrono::seconds{1};
    return event;
}

} // namespace

TEST_CASE("plain text is as_json_string as it is, whatever its length", "[base][json_text]") {
    std::string text;
    for (int i = 0; i < 100; ++i) {
        CHECK(as_json_string(text) == '"' + text + '"');
        text += static_cast<char>(' ' + 3 + i % 50); // no quote, no backslash
    }
}

TEST_CASE("quotes, backslashes and control characters are escaped at any place", "[base][json_text]") {
    for (std::size_t before = 0; before < 80; ++before) {
        for (const char special : "\"\\\b\f\n\r\t\x01\x1F\x7F"sv) {
            const auto text = std::string(before, 'a') + special + std::string(80 - before, 'b');
            CHECK(read_back(text) == text);
            for (const char c : as_json_string(text))
                CHECK((c >= ' ' && c <= '~'));
        }
    }
}

TEST_CASE("NUL is a character like any other", "[base][json_text]") {
    CHECK(as_json_string("a\0b"sv) == R"("a\u0000b")");
    CHECK(read_back("\0\0"sv) == "\0\0"s);
}

TEST_CASE("DEL and the C1 controls are escaped, for terminals that obey them", "[base][json_text]") {
    CHECK(as_json_string("\x7F") == R"("\u007f")");
    CHECK(
        as_json_string("a\xC2\x9B"
                       "31m") == R"("a\u009b31m")"
    );
    CHECK(as_json_string("\xC2\xA0") == "\"\xC2\xA0\""); // the first that is none
}

TEST_CASE("valid UTF-8 passes through", "[base][json_text]") {
    const auto text = GENERATE(
        "é"s, "日本語のテキスト、とても長い"s, "🎉🎉🎉"s, "a🎉b"s, "\xED\x9F\xBF"s, "\xEE\x80\x80"s,
        "\xEF\xBF\xBF"s, "\xF0\x90\x80\x80"s, "\xF4\x8F\xBF\xBF"s, "\xDF\xBF"s, "\xE0\xA0\x80"s
    );
    CHECK(as_json_string(text) == '"' + text + '"');
    CHECK(read_back(text) == text);
}

TEST_CASE(
    "bytes that are no UTF-8 become replacement characters, and what follows is kept", "[base][json_text]"
) {
    const auto replaced = std::string{"\xEF\xBF\xBD"};
    CHECK(as_json_string("a\xFFz") == "\"a" + replaced + "z\"");
    CHECK(as_json_string("\x80") == '"' + replaced + '"');                // a tail without a head
    CHECK(as_json_string("\xC0\xAF") == '"' + replaced + replaced + '"'); // overlong
    CHECK(as_json_string("\xE0\x9F\xBF") == '"' + replaced + replaced + replaced + '"');
    CHECK(as_json_string("\xED\xA0\x80") == '"' + replaced + replaced + replaced + '"'); // a surrogate
    CHECK(as_json_string("\xF4\x90\x80\x80") == '"' + replaced + replaced + replaced + replaced + '"');
    CHECK(as_json_string("\xF5") == '"' + replaced + '"');
    CHECK(as_json_string("\xE2\x82\"") == '"' + replaced + replaced + "\\\"\"");         // cut off by a quote
    CHECK(as_json_string("\xF0\x9F\x8E") == '"' + replaced + replaced + replaced + '"'); // cut off by the end
}

TEST_CASE("every pair of bytes gives valid JSON", "[base][json_text]") {
    for (int first = 0; first < 256; ++first) {
        std::string line = "[";
        for (int second = 0; second < 256; ++second) {
            const std::string text{static_cast<char>(first), static_cast<char>(second)};
            line += as_json_string(text) + ',';
        }
        line.back() = ']';
        json::error_code error;
        CHECK(json::parse(line, error).as_array().size() == 256);
        CHECK(!error);
    }
}

TEST_CASE("an event with nothing optional has only what it must have", "[base][json_text]") {
    CHECK(
        cloudevent(some_event()) ==
        R"({"specversion":"1.0","id":"1","source":"shop","type":"order","time":"2026-11-21T00:00:00.000250Z",)"
        R"("receivedat":"2026-11-21T00:00:01.000250Z"})"
    );
}

TEST_CASE("an event's members come in one order", "[base][json_text]") {
    auto event = some_event();
    event.subject = "s";
    event.datacontenttype = "application/json";
    event.extensions = R"({"traceparent":"00-1","sampledrate":3})";
    event.data = "{}";
    event.kind = data_kind::json;
    CHECK(
        names(parsed(event)) ==
        std::vector<std::string>{
            "specversion", "id", "source", "type", "time", "subject", "datacontenttype", "traceparent",
            "sampledrate", "receivedat", "data"
        }
    );
}

TEST_CASE("attributes with anything in them are read back as they were", "[base][json_text]") {
    auto event = some_event();
    event.id = "quote\" backslash\\ line\nend";
    event.source = "https://example.com/ä?x=1&y=🎉";
    event.type = "\0nul"sv;
    event.subject = "\x1B[31mred";
    event.datacontenttype = "text/plain; charset=\"utf-8\"";
    const auto object = parsed(event);
    CHECK(object.at("id").as_string() == event.id);
    CHECK(object.at("source").as_string() == event.source);
    CHECK(object.at("type").as_string() == event.type);
    CHECK(object.at("subject").as_string() == event.subject);
    CHECK(object.at("datacontenttype").as_string() == event.datacontenttype);
}

TEST_CASE("JSON data is spliced in as it is, on one line", "[base][json_text]") {
    auto event = some_event();
    event.kind = data_kind::json;
    event.data = "{\r\n  \"a\": [1,\n2.50],\n  \"text\": \"line\\nbreak\"\n}\n";
    const auto line = cloudevent(event);
    CHECK(line.find_first_of("\r\n") == line.npos);
    CHECK(line.find("{    \"a\": [1, 2.50],   \"text\": \"line\\nbreak\" } }") != line.npos);
    CHECK(parsed(event).at("data") == json::parse(event.data));
}

TEST_CASE("JSON data keeps numbers that no parser could hold", "[base][json_text]") {
    auto event = some_event();
    event.kind = data_kind::json;
    event.data = "123456789012345678901234567890.10";
    CHECK(cloudevent(event).ends_with(",\"data\":123456789012345678901234567890.10}"));
}

TEST_CASE("controls of terminals within JSON data are escaped, and mean the same", "[base][json_text]") {
    auto event = some_event();
    event.kind = data_kind::json;
    event.data = "\"a\x7F\xC2\x9B"
                 "31m \xC2\xA9 é\"";
    CHECK(cloudevent(event).ends_with(",\"data\":\"a\\u007f\\u009b31m \xC2\xA9 é\"}"));
    CHECK(parsed(event).at("data") == json::parse(event.data));
}

TEST_CASE("text data becomes a string", "[base][json_text]") {
    auto event = some_event();
    event.kind = data_kind::text;
    event.data = "{\"not\": parsed}\n\tнет \0"sv;
    CHECK(parsed(event).at("data").as_string() == event.data);
}

TEST_CASE("empty text data is an empty string, no data is no member", "[base][json_text]") {
    auto event = some_event();
    event.kind = data_kind::text;
    CHECK(parsed(event).at("data").as_string().empty());
    event.kind = data_kind::none;
    CHECK(!parsed(event).contains("data"));
}

TEST_CASE("binary data becomes base64", "[base][json_text]") {
    const auto [bytes, expected] = GENERATE(table<std::string, std::string>({
        {"", ""},
        {"f", "Zg=="},
        {"fo", "Zm8="},
        {"foo", "Zm9v"},
        {"foob", "Zm9vYg=="},
        {"fooba", "Zm9vYmE="},
        {"foobar", "Zm9vYmFy"},
        {"\x00\xFF\xFE\x80"s, "AP/+gA=="},
        {"\xFB\xEF\xBE", "++++"},
    }));
    auto event = some_event();
    event.kind = data_kind::binary;
    event.data = bytes;
    const auto object = parsed(event);
    CHECK(object.at("data_base64").as_string() == expected);
    CHECK(!object.contains("data"));
}

TEST_CASE("extensions keep their types, white space and all", "[base][json_text]") {
    auto event = some_event();
    event.extensions = " { \"a\" : \"x\" ,\n \"n\" : -5 , \"b\" : true } ";
    const auto object = parsed(event);
    CHECK(object.at("a").as_string() == "x");
    CHECK(object.at("n").as_int64() == -5);
    CHECK(object.at("b").as_bool());
}

TEST_CASE("an empty object of extensions adds nothing", "[base][json_text]") {
    auto event = some_event();
    const auto without = cloudevent(event);
    for (const auto* empty : {"{}", "{ }", " {\n\t} "}) {
        event.extensions = empty;
        CHECK(cloudevent(event) == without);
    }
}

TEST_CASE("an event's own receivedat is kept", "[base][json_text]") {
    auto event = some_event();
    event.extensions = R"({"a":1,"receivedat" : "then"})";
    const auto line = cloudevent(event);
    CHECK(line.find("receivedat") == line.rfind("receivedat"));
    CHECK(parsed(event).at("receivedat").as_string() == "then");
}

TEST_CASE("receivedat as a value is no receivedat", "[base][json_text]") {
    auto event = some_event();
    event.extensions = R"({"a":"receivedat","b":"\"receivedat\":"})";
    CHECK(parsed(event).at("receivedat").as_string() == "2026-11-21T00:00:01.000250Z");
}
