#include "intake/decode.hpp"
#include "support/catch.hpp"

#include <boost/json/parse.hpp>

#include <cstdio>
#include <random>

using namespace trackd::intake;

namespace {

std::string unescaped(std::string_view text) {
    std::string out(text.size(), '\0');
    out.resize(unescape_json(text, out.data()));
    return out;
}

std::optional<std::string> from_base64(std::string_view text) {
    std::string out(text.size(), '\0');
    const auto size = decode_base64(text, out.data());
    if (!size) return std::nullopt;
    out.resize(*size);
    return out;
}

} // namespace

TEST_CASE("each escape of JSON is undone", "[intake][decode]") {
    CHECK(unescaped("") == "");
    CHECK(unescaped("plain") == "plain");
    CHECK(unescaped(R"(\"\\\/\b\f\n\r\t)") == "\"\\/\b\f\n\r\t");
    CHECK(unescaped(R"(a\u0041b)") == "aAb");
    CHECK(unescaped(R"(\u00e9\u20AC\ud83D\uDe00)") == "é€😀");
    CHECK(unescaped(R"(\u0000)") == std::string(1, '\0'));
    CHECK(
        unescaped(R"(\u07ff\u0800\uffff\ud800\udc00\udbff\udfff)") == "\u07ff\u0800\uffff\U00010000\U0010ffff"
    );
}

TEST_CASE("escapes are undone as another parser undoes them", "[intake][decode]") {
    std::mt19937 random{1};
    std::uniform_int_distribution<unsigned> pick{0, 0xffff};
    for (int i = 0; i < 5000; ++i) {
        std::string text;
        for (int k = 0; k < 8; ++k) {
            const auto unit = pick(random);
            if (unit >= 0xd800 && unit <= 0xdfff) continue;
            char escape[8];
            std::snprintf(escape, sizeof escape, "\\u%04x", unit);
            text.append(escape).append(k % 2 == 0 ? "z" : "\\n");
        }
        REQUIRE(unescaped(text) == boost::json::parse('"' + text + '"').as_string());
    }
}

TEST_CASE("base64 is decoded", "[intake][decode]") {
    CHECK(from_base64("") == "");
    CHECK(from_base64("Zg==") == "f");
    CHECK(from_base64("Zm8=") == "fo");
    CHECK(from_base64("Zm9v") == "foo");
    CHECK(from_base64("Zm9vYmFy") == "foobar");
    CHECK(from_base64("AP+/") == std::string("\0\xff\xbf", 3));
}

TEST_CASE("what is no base64 is refused", "[intake][decode]") {
    for (const auto* text :
         {"Z", "Zg", "Zg=", "Zm9", "Zg===", "====", "=Zg=", "Zg==Zg==", "Zm9v\n", "Zm-_", "Zm 9",
          "Zh==", "Zm9="})
        CHECK_FALSE(from_base64(text));
}

TEST_CASE("percent-encoding is undone", "[intake][decode]") {
    CHECK(decode_percent("plain.type") == "plain.type");
    CHECK(decode_percent("a%20b%2Fc%2fd") == "a b/c/d");
    CHECK(decode_percent("a+b") == "a+b");
    CHECK(decode_percent("%E2%82%AC") == "€");
    CHECK(decode_percent("%00") == std::string(1, '\0'));
}

TEST_CASE("a percent sign without two digits is refused", "[intake][decode]") {
    for (const auto* text : {"%", "%2", "a%", "%zz", "%2g", "%%20"})
        CHECK_FALSE(decode_percent(text));
}
