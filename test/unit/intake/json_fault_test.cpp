#include "intake/json_document.hpp"
#include "intake/json_fault.hpp"
#include "reading.hpp"

#include <boost/json/parse.hpp>

#include <array>
#include <random>

using reading::body;
using trackd::intake::find_json_fault;
using trackd::intake::json_document;

namespace {

std::string fault_in(std::string_view text) {
    const auto fault = find_json_fault(text);
    return fault ? describe(*fault, text) : "none";
}

std::string
nested(std::size_t depth, std::string_view open, std::string_view inside, std::string_view close) {
    std::string text;
    for (std::size_t i = 0; i < depth; ++i)
        text += open;
    text += inside;
    for (std::size_t i = 0; i < depth; ++i)
        text += close;
    return text;
}

std::optional<bool> boost_accepts(const std::string& text) {
    boost::json::parse_options options;
    options.max_depth = trackd::intake::max_json_depth;
    boost::json::error_code error;
    (void)boost::json::parse(text, error, {}, options);
    if (error == boost::json::error::exponent_overflow)
        return std::nullopt; // it cannot say: for us it is a number
    return !error;
}

/// Replaces, drops, doubles or adds bytes, a few times.
std::string mutated(std::string text, std::mt19937& random) {
    static constexpr std::string_view likely =
        "{}[]\",:\\ud8fF0019.-+eE \n\ttrufalsn\x01\x7f\x80\xc3\xa9\xed\xa0\xf0";
    const auto below = [&](std::size_t end) {
        return std::uniform_int_distribution<std::size_t>{0, end - 1}(random);
    };
    for (auto times = below(3) + 1; times > 0 && !text.empty(); --times) {
        const auto at = below(text.size());
        switch (below(4)) {
        case 0: text[at] = likely[below(likely.size())]; break;
        case 1: text.erase(at, below(3) + 1); break;
        case 2: text.insert(at, 1, likely[below(likely.size())]); break;
        default: text.insert(at, text.substr(at, below(8))); break;
        }
    }
    return text;
}

} // namespace

TEST_CASE("valid JSON has no fault", "[intake][json]") {
    for (const auto* text :
         {"{}", "[]", " [ ] ", "1", "-0.0e-0", "\"\"", "null", "true", "false",
          R"({"a":{"b":[1,2,{"c":null}]}})", R"(["\"\\\/\b\f\n\r\t\u00e9\uD83D\uDE00"])",
          "[\"\xf0\x9f\x98\x80\xc3\xa9\x7f\"]", "\t\r\n {\"a\" : 1 } \n"})
        CHECK(fault_in(text) == "none");
}

TEST_CASE("numbers may be of any size", "[intake][json]") {
    for (const auto* text :
         {"123456789012345678901234567890", "-1e400", "1e99999999999999999999", "0e-99999999999"})
        CHECK(fault_in(text) == "none");
    CHECK(fault_in(std::string(100'000, '7')) == "none");
}

TEST_CASE("a fault names the byte, what is there and what was expected", "[intake][json]") {
    CHECK(fault_in("") == "byte 0: the text ends, expected a JSON value");
    CHECK(fault_in("{\"a\":1") == "byte 6: the text ends, expected ',' or '}'");
    CHECK(fault_in("{\"a\" 1}") == "byte 5: found '1', expected ':'");
    CHECK(fault_in("{a:1}") == "byte 1: found 'a', expected a member's name in double quotes");
    CHECK(fault_in("{\"a\":1,}") == "byte 7: found '}', expected a member's name in double quotes");
    CHECK(fault_in("[1,]") == "byte 3: found ']', expected a JSON value");
    CHECK(fault_in("[1 2]") == "byte 3: found '2', expected ',' or ']'");
    CHECK(fault_in("[1]x") == "byte 3: found 'x', expected the end of the text");
    CHECK(fault_in("[tru]") == "byte 1: found 't', expected true, false or null");
    CHECK(fault_in("[NaN]") == "byte 1: found 'N', expected a JSON value");
    CHECK(fault_in("[01]") == "byte 2: found '1', expected ',' or ']'");
    CHECK(fault_in("[-]") == "byte 2: found ']', expected a digit");
    CHECK(fault_in("[1.]") == "byte 3: found ']', expected a digit");
    CHECK(fault_in("[1e+]") == "byte 4: found ']', expected a digit");
    CHECK(fault_in("[\"a]") == "byte 4: the text ends, expected the string's closing quote");
    CHECK(
        fault_in("[\"\\x\"]") == "byte 3: found 'x', expected one of \" \\ / b f n r t u after a backslash"
    );
    CHECK(fault_in("[\"\\u12g4\"]") == "byte 6: found 'g', expected four hexadecimal digits after \\u");
    CHECK(
        fault_in("[\"a\nb\"]") ==
        "byte 3: found the byte 0x0a, expected control characters in a string to be escaped"
    );
    CHECK(fault_in("\xef\xbb\xbf{}") == "byte 0: found the byte 0xef, expected a JSON value");
    CHECK(
        fault_in(std::string_view{"[1]\0", 4}) == "byte 3: found the byte 0x00, expected the end of the text"
    );
}

TEST_CASE("bytes that are no UTF-8 are a fault", "[intake][json]") {
    for (const auto* bytes :
         {"\x80", "\xc0\xa0", "\xc3", "\xe0\x80\x80", "\xed\xa0\x80", "\xf0\x80\x80\x80", "\xf4\x90\x80\x80",
          "\xff"})
        CHECK(fault_in(std::string{"[\"a"} + bytes + "\"]").starts_with("byte 3: found the byte 0x"));
}

TEST_CASE("a surrogate without its other half is a fault", "[intake][json]") {
    for (const auto* escapes :
         {"\\ud800", "\\udc00", "\\ud800x", "\\ud800\\n", "\\ud800\\u0041", "\\udc00\\ud800",
          "\\ud800\\ud800\\udc00"})
        CHECK(
            fault_in(std::string{"[\""} + escapes + "\"]") ==
            "byte 2: found '\\', expected a high surrogate followed by a low one"
        );
}

TEST_CASE("128 levels are valid and 129 are not, whatever they are made of", "[intake][json]") {
    json_document document;
    for (const auto& [open, inside, close] : std::array<std::array<std::string_view, 3>, 4>{
             {{"[", "", "]"}, {"[", "1", "]"}, {"{\"a\":", "1", "}"}, {"[[", "[]", "]]"}}
         }) {
        const std::size_t each = open == "[[" ? 2 : 1;
        const std::size_t extra = inside == "[]" ? 1 : 0;
        const auto good = nested((128 - extra) / each, open, inside, close);
        const auto bad = nested((128 - extra) / each + 1, open, inside, close);
        CHECK_FALSE(document.parse(body{good}.text()));
        REQUIRE(document.parse(body{bad}.text()));
        CHECK(fault_in(bad).find("128") != std::string::npos);
    }
}

TEST_CASE("a depth bomb is refused without an overflow of the stack", "[intake][json]") {
    json_document document;
    const auto bomb = nested(100'000, "[", "", "]");
    const auto fault = document.parse(body{bomb}.text());
    REQUIRE(fault);
    CHECK(fault->offset == 128);
}

TEST_CASE("two other parsers agree about what is JSON", "[intake][json]") {
    static constexpr std::array<std::string_view, 7> seeds{
        R"({"type":"a","data":{"x":[1,-2.5e3,true,null,"\u00e9\n"],"y":{}}})",
        R"([{"id":"1"},{"id":"2","data":"x"}])",
        R"(["\ud83d\ude00","\\","é€😀"])",
        R"([0,-0,10,1.5,1e5,1E+5,1e-5,0.1])",
        R"({"a":[[],[[]],{},{"b":{"c":[false]}}]})",
        R"({"a":1e400,"b":[-123456789012345678901234567890,1e-400]})",
        R"( { "a" : "b" , "c" : [ 1 , 2 ] } )",
    };
    std::mt19937 random{20261121};
    json_document document;
    int refused = 0;
    for (int i = 0; i < 60'000; ++i) {
        const auto text = mutated(std::string{seeds[static_cast<std::size_t>(i) % seeds.size()]}, random);
        INFO(text);
        const bool ours = !find_json_fault(text);
        REQUIRE(ours == boost_accepts(text).value_or(ours));
        REQUIRE(ours == !document.parse(body{text}.text()));
        refused += ours ? 0 : 1;
    }
    CHECK(refused > 10'000);
    CHECK(refused < 59'000);
}
