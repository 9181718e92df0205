#include "intake/media_type.hpp"
#include "support/catch.hpp"

using trackd::intake::media_type;

TEST_CASE("a media type is found whatever its case, blanks and parameters", "[intake][media_type]") {
    for (const auto* text :
         {"application/json", "Application/JSON", " application/json ", "application/json;charset=utf-8",
          "application/json ; x=1; charset=utf-8"}) {
        CHECK(media_type{text}.is("application/json"));
        CHECK(media_type{text}.well_formed());
    }
    CHECK_FALSE(media_type{"application/json5"}.is("application/json"));
    CHECK_FALSE(media_type{"text/plain; application/json"}.is("application/json"));
    CHECK_FALSE(media_type{""}.is("application/json"));
}

TEST_CASE("the charset is found among the parameters", "[intake][media_type]") {
    CHECK(media_type{"text/plain"}.charset().empty());
    CHECK(media_type{"text/plain;charset=latin1"}.charset() == "latin1");
    CHECK(media_type{"text/plain; a=b; Charset=\"UTF-8\" "}.charset() == "UTF-8");
    CHECK(media_type{"text/plain; charset"}.charset().empty());
}

TEST_CASE("only charsets that UTF-8 covers are UTF-8", "[intake][media_type]") {
    for (const auto* text : {"a/b", "a/b;charset=UTF-8", "a/b;charset=utf8", "a/b; charset=\"US-ASCII\""})
        CHECK(media_type{text}.is_utf8());
    for (const auto* text : {"a/b;charset=iso-8859-1", "a/b;charset=utf-16"})
        CHECK_FALSE(media_type{text}.is_utf8());
}

TEST_CASE("JSON is what ends in json", "[intake][media_type]") {
    for (const auto* text :
         {"application/json", "text/json", "application/vnd.acme+JSON; v=2", "application/ld+json"})
        CHECK(media_type{text}.is_json());
    for (const auto* text :
         {"application/x-ndjson", "text/plain", "json", "+json", "application/json-seq", ""})
        CHECK_FALSE(media_type{text}.is_json());
}

TEST_CASE("lines of JSON have several names", "[intake][media_type]") {
    for (const auto* text : {"application/x-ndjson", "APPLICATION/JSONL; a=b", "text/x-jsonlines"})
        CHECK(media_type{text}.is_json_lines());
    for (const auto* text :
         {"application/json", "application/x-", "image/ndjson", "ndjson", "application/x-x-ndjson",
          "application/json-seq"})
        CHECK_FALSE(media_type{text}.is_json_lines());
    CHECK(media_type{"application/x-msgpack"}.is_message_pack());
    CHECK_FALSE(media_type{"text/msgpack"}.is_message_pack());
}

TEST_CASE("a parameter is found by its name, without its quotes", "[intake][media_type]") {
    CHECK(media_type{"multipart/form-data; Boundary=\"a b\""}.parameter("boundary") == "a b");
    CHECK(media_type{"multipart/form-data; x=boundary"}.parameter("boundary").empty());
}

TEST_CASE("what has no type and subtype is not well formed", "[intake][media_type]") {
    for (const auto* text :
         {"", "json", "/", "a/", "/b", "a b/c", "a/b/c", "a/b;\x01", "a/b; c=\xc3\xa9", "a/(b)"})
        CHECK_FALSE(media_type{text}.well_formed());
}
