// The keys: objects with names, of which there may be none.
#include "config/web_origin.hpp"
#include "helpers.hpp"
#include "support/catch.hpp"

using namespace trackd::config;
using namespace trackd::config::test;

namespace {

const std::string digits_a(64, 'a');
const std::string digits_b(64, 'b');

std::string key(const std::string& name, const std::string& sha256, const std::string& more = {}) {
    return "[[keys]]\nname = \"" + name + "\"\nsha256 = \"" + sha256 + "\"\n" + more;
}

} // namespace

TEST_CASE("without keys there are none", "[config][keys]") {
    CHECK(load({}).keys.empty());
    CHECK(load_text("keys = []").keys.empty());
}

TEST_CASE("a key needs a name and a hash, and is not limited by default", "[config][keys]") {
    const auto all = load_text(key("web", digits_a) + key("shop-2", digits_b));
    REQUIRE(all.keys.size() == 2);
    CHECK(all.keys[0] == key_settings{"web", digits_a, {}, {}, 0, 0});
    CHECK(all.keys[1].name == "shop-2");
    CHECK(
        the_error("[[keys]]\nsha256 = \"" + digits_a + "\"") ==
        "FILE:1:1: keys[0]: found no name, expected one in every key"
    );
    CHECK(
        the_error("[[keys]]\nname = \"web\"") ==
        "FILE:1:1: keys.web: found no sha256, expected one in every key"
    );
}

TEST_CASE("a key's limits are read", "[config][keys]") {
    const auto all = load_text(
        key("web", digits_a,
            "sources = [\"/a\", \"/b\"]\norigins = \"HTTPS://Shop.example:8443\"\nevents_per_second = "
            "5\nbytes_per_second = \"1MiB\"")
    );
    REQUIRE(all.keys.size() == 1);
    CHECK(
        all.keys[0] == key_settings{"web", digits_a, {"/a", "/b"}, {"https://shop.example:8443"}, 5, 1048576}
    );
}

TEST_CASE("a hash has 64 hexadecimal digits, in either case", "[config][keys]") {
    CHECK(load_text(key("web", std::string(64, 'A'))).keys[0].sha256 == digits_a);
    CHECK(
        the_error(key("web", "abc")) ==
        "FILE:3:10: keys.web.sha256: found \"abc\", expected a string of 64 hexadecimal digits"
    );
    CHECK(the_error(key("web", std::string(63, 'a') + "g")).starts_with("FILE:3:10: keys.web.sha256: found"));
    CHECK(the_error(key("web", digits_a + "a")).starts_with("FILE:3:10: keys.web.sha256: found"));
}

TEST_CASE("two keys of one name are an error, also where only case differs", "[config][keys]") {
    CHECK(
        the_error(key("a-b", digits_a) + key("A_b", digits_b)) ==
        "FILE:5:8: keys.A_b.name: another key is named \"a-b\", expected names that differ in more than "
        "case, "
        "or - for _"
    );
}

TEST_CASE("two keys of one hash are an error", "[config][keys]") {
    CHECK(
        the_error(key("a", digits_a) + key("b", std::string(64, 'A'))) ==
        "FILE:6:10: keys.b.sha256: the key \"a\" has the same hash, expected a key of its own"
    );
}

TEST_CASE("what a key does not have is an error with advice", "[config][keys]") {
    CHECK(
        the_error(key("web", digits_a, "event_per_second = 1")) ==
        "FILE:4:1: keys.web.event_per_second: a key has no such option: did you mean events_per_second?"
    );
}

TEST_CASE("an origin has no path", "[config][keys]") {
    CHECK(
        the_error(key("web", digits_a, "origins = [\"https://a.example\", \"https://a.example/\"]")) ==
        "FILE:4:33: keys.web.origins: found \"https://a.example/\", expected an origin such as "
        "\"https://shop.example\" or \"http://localhost:3000\", without a path, or an array of 0 to 1000 of "
        "them; \"*\" means any"
    );
}

TEST_CASE("origins are compared as browsers write them", "[config][keys]") {
    CHECK(normalised_web_origin("https://Shop.Example:444") == "https://shop.example:444");
    CHECK(normalised_web_origin("http://[::1]:80") == "http://[::1]:80");
    CHECK(normalised_web_origin("moz-extension://0a-1b") == "moz-extension://0a-1b");
    CHECK(normalised_web_origin("*") == "*");
    for (const auto* wrong :
         {"", "shop.example", "https://", "://a", "1s://a", "https://a/", "https://a?b", "https://a@b",
          "https://a b", "https://a:", "null", "https://*.a"}) {
        CAPTURE(wrong);
        CHECK_FALSE(normalised_web_origin(wrong));
    }
}

TEST_CASE("a source that is given twice, or is none, is an error", "[config][keys]") {
    CHECK(
        the_error(key("web", digits_a, "sources = [\"/a\", \"/a\"]")) ==
        "FILE:4:18: keys.web.sources: found \"/a\" twice, expected each string once"
    );
    CHECK(
        the_error(key("web", digits_a, "sources = \"\"")) ==
        "FILE:4:11: keys.web.sources: found \"\", expected a string without control characters, 1 to 1024 "
        "bytes, "
        "or an array of 0 to 1000 of them"
    );
}

TEST_CASE("a key's option is set by the key's name", "[config][keys]") {
    CHECK(
        load_text(key("web", digits_a), {}, {"keys.web.events_per_second=3"}).keys[0].events_per_second == 3
    );
    CHECK(
        load_text(key("my-web", digits_a), {{"TRACKD_KEYS__MY_WEB__SOURCES", R"(["/x", "/y"])"}})
            .keys[0]
            .sources == strings{"/x", "/y"}
    );
    CHECK(load_set({"keys=[{name=\"web\",sha256=\"" + digits_a + "\"}]"}).keys[0].name == "web");
    CHECK(
        the_error("", {}, {"keys.web.events_per_second=3"}) ==
        "--set keys.web.events_per_second: no key is named \"web\"; there is none"
    );
}

TEST_CASE("no key has a name that the metrics use for what has no key of its own", "[config][keys]") {
    for (const std::string name : {"none", "other"}) {
        CHECK(
            the_error(key(name, digits_a)) == "FILE:2:8: keys." + name + ".name: found \"" + name +
                                                  "\", expected a name other than \"none\" and \"other\", "
                                                  "which the metrics use for what has no key of "
                                                  "its own"
        );
    }
    CHECK(load_text(key("others", digits_a)).keys[0].name == "others");
}
