#include "base/utf8.hpp"
#include "support/catch.hpp"

#include <string>

using trackd::base::whole_characters;

TEST_CASE("a text that is short enough is not cut", "[utf8]") {
    CHECK(whole_characters("", 0) == "");
    CHECK(whole_characters("abc", 3) == "abc");
    CHECK(whole_characters("aé", 3) == "aé");
}

TEST_CASE("a character that does not fit is left out as a whole", "[utf8]") {
    CHECK(whole_characters("abcd", 3) == "abc");
    CHECK(whole_characters("aé", 2) == "a");
    CHECK(whole_characters("a€b", 3) == "a");
    CHECK(whole_characters("a€b", 4) == "a€");
    CHECK(whole_characters("a😀", 4) == "a");
    CHECK(whole_characters("😀", 3) == "");
    CHECK(whole_characters("😀", 0) == "");
}

TEST_CASE("of what is no UTF-8 at most four bytes more are left out", "[utf8]") {
    CHECK(whole_characters(std::string(100, '\x80'), 50).size() == 46);
}
