// The keys: objects with names, of which there may be none.
#include "config/key_rules.hpp"
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

std::string quoted(const std::string& text) {
    return '"' + text + '"';
}

std::string array(const std::vector<std::string>& texts) {
    std::string all;
    for (const auto& text : texts)
        all += (all.empty() ? "" : ", ") + quoted(text);
    return '[' + all + ']';
}

std::vector<std::string> many_hashes(std::size_t count) {
    std::vector<std::string> all;
    for (std::size_t i = 0; i < count; ++i)
        all.push_back(std::to_string(10 + i) + std::string(62, 'f'));
    return all;
}

} // namespace

TEST_CASE("without keys there are none", "[config][keys]") {
    CHECK(load({}).keys.empty());
    CHECK(load_text("keys = []").keys.empty());
}

TEST_CASE("a key needs a name and a hash, and is not limited by default", "[config][keys]") {
    const auto all = load_text(key("web", digits_a) + key("shop-2", digits_b));
    REQUIRE(all.keys.size() == 2);
    CHECK(all.keys[0] == key_settings{"web", {digits_a}, {}, {}, 0, 0});
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
        all.keys[0] ==
        key_settings{"web", {digits_a}, {"/a", "/b"}, {"https://shop.example:8443"}, 5, 1048576}
    );
}

TEST_CASE("a hash has 64 hexadecimal digits, in either case", "[config][keys]") {
    CHECK(load_text(key("web", std::string(64, 'A'))).keys[0].sha256 == strings{digits_a});
    CHECK(
        the_error(key("web", "abc")) ==
        "FILE:3:10: keys.web.sha256: found a string of 3 bytes that is not shown, expected the SHA-256 of a "
        "key, a string of 64 hexadecimal digits such as `trackd key new` prints, or an array of 1 to 16 of "
        "them"
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
        "FILE:6:10: keys.b.sha256: the key \"a\" has the same hash, expected a key of its own: aaaaaaaa… in "
        "one of them only"
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

TEST_CASE("a key has one hash or several", "[config][keys]") {
    const auto with = [](const std::string& hashes) {
        return load_text("[[keys]]\nname = \"web\"\nsha256 = " + hashes).keys.at(0).sha256;
    };
    CHECK(with(quoted(digits_a)) == strings{digits_a});
    CHECK(with(array({digits_a})) == strings{digits_a});
    CHECK(with(array({digits_b, std::string(64, 'A')})) == strings{digits_b, digits_a});
    CHECK(with(array(many_hashes(16))) == many_hashes(16));
}

TEST_CASE("a list of hashes that no key can have is an error", "[config][keys]") {
    const auto error_of = [](const std::string& hashes) {
        return the_error("[[keys]]\nname = \"web\"\nsha256 = " + hashes);
    };
    CHECK(error_of("[]") == "FILE:3:10: keys.web.sha256: found 0 hashes, expected 1 to 16");
    CHECK(
        error_of(array(many_hashes(17))) == "FILE:3:10: keys.web.sha256: found 17 hashes, expected 1 to 16"
    );
    CHECK(
        error_of(array({digits_a, digits_b, std::string(64, 'A')})) ==
        "FILE:3:147: keys.web.sha256: found the hash aaaaaaaa… twice, expected each hash once"
    );
    CHECK(error_of(array({digits_a, "abc"})).starts_with("FILE:3:79: keys.web.sha256: found a string of 3"));
    CHECK(error_of("[1]").starts_with("FILE:3:11: keys.web.sha256: found 1, expected the SHA-256 of a key"));
    CHECK(error_of("1").starts_with("FILE:3:10: keys.web.sha256: found 1, expected the SHA-256 of a key"));
    CHECK(error_of("{}").starts_with("FILE:3:10: keys.web.sha256: found a table, expected the SHA-256"));
    CHECK(error_of(quoted("")).starts_with("FILE:3:10: keys.web.sha256: found a string of 0 bytes"));
}

TEST_CASE("no two keys share one of their hashes", "[config][keys]") {
    const auto lists = [](const std::vector<strings>& of_keys) {
        std::string text;
        for (std::size_t i = 0; i < of_keys.size(); ++i) {
            const std::string name{static_cast<char>('a' + i)};
            text += "[[keys]]\nname = \"" + name + "\"\nsha256 = " + array(of_keys[i]) + '\n';
        }
        return text;
    };
    const auto hashes = many_hashes(4);
    CHECK(load_text(lists({{hashes[0], hashes[1]}, {hashes[2], hashes[3]}})).keys.size() == 2);
    CHECK(
        the_error(lists({{hashes[0], hashes[1]}, {hashes[2]}, {hashes[3], hashes[1]}})) ==
        "FILE:9:10: keys.c.sha256: the key \"a\" has the same hash, expected a key of its own: " +
            hashes[1].substr(0, 8) + "… in one of them only"
    );
}

TEST_CASE("a list of hashes is set from the outside, and written so that it reads back", "[config][keys]") {
    const auto of = [](const settings& all) { return all.keys.at(0).sha256; };
    const strings both{digits_a, digits_b};
    CHECK(of(load_text(key("web", digits_b), {}, {"keys.web.sha256=" + digits_a})) == strings{digits_a});
    CHECK(of(load_text(key("web", digits_b), {}, {"keys.web.sha256=" + array(both)})) == both);
    CHECK(of(load_text(key("web", digits_b), {{"TRACKD_KEYS__WEB__SHA256", array(both)}}, {})) == both);
    CHECK(of(load_set({"keys=[{name=\"web\",sha256=" + array(both) + "}]"})) == both);

    const auto all = load_text(key("web", digits_a), {}, {"keys.web.sha256=" + array(both)});
    CHECK(to_toml(all).find("sha256 = " + array(both) + '\n') != std::string::npos);
    CHECK(load_text(to_toml(all)) == all);
    const auto masked = to_toml(all, key_hashes::masked);
    CHECK(masked.find("sha256 = [\"********\", \"********\"]\n") != std::string::npos);
    CHECK(masked.find(digits_a) == std::string::npos);
}

TEST_CASE("no error shows a key that was written where it does not belong", "[config][keys]") {
    const std::string secret = "Yk3v_0-9abcdefghijklmnopqrstuvwxyzABCDEFGHI";
    const std::string whole = "trk_" + secret;
    const auto lists = "[[keys]]\nname = \"web\"\nsha256 = ";
    const std::vector<strings> wrong{
        errors(key("web", whole)),
        errors(key("web", ' ' + whole)),
        errors(key("web", "Bearer " + whole)),
        errors(lists + array({digits_a, whole})),
        errors(lists + array({whole, whole})),
        errors(lists + whole),
        errors("[[keys]]\nname = \"web\"\nsha256 = \"" + whole),
        errors(key(whole, digits_a)),
        errors(key(whole, "abc") + key(whole, "abc")),
        errors(key("web", digits_a, whole + " = 1")),
        errors(key("web", digits_a, "sources = [\"" + whole + "\", \"" + whole + "\"]")),
        errors(key("web", digits_a, "origins = \"" + whole + "\"")),
        errors(key("web", digits_a, "events_per_second = \"" + whole + "\"")),
        errors(whole + " = 1"),
        errors(key("web", digits_a), {}, {"keys.web.sha256=" + whole}),
        errors(key("web", digits_a), {}, {"keys.web.sha256:" + whole}),
        errors(key("web", digits_a), {}, {"keys." + whole + ".sha256=" + digits_b}),
        errors(key("web", digits_a), {{"TRACKD_KEYS__WEB__SHA256", whole}}, {}),
    };
    for (std::size_t i = 0; i < wrong.size(); ++i) {
        CAPTURE(i);
        CHECK_FALSE(wrong[i].empty());
        for (const auto& line : wrong[i]) {
            CAPTURE(line);
            CHECK(line.find(secret.substr(0, 8)) == std::string::npos);
        }
    }
    CHECK(
        wrong[0] ==
        strings{"FILE:3:10: keys.web.sha256: found a key, which is a secret and is not shown, expected "
                "the SHA-256 of a key, a string of 64 hexadecimal digits such as `trackd key new` prints, "
                "or an array of 1 to 16 of them"}
    );
}

TEST_CASE("a key within a text is found, and nothing else is taken for one", "[config][keys]") {
    CHECK(without_keys("a trk_0123456789abcdef, trk_abcdefghijklmn-_.") == "a trk_…, trk_….");
    for (const std::string text :
         {"", "trk_", "trk_web", "a trk_ b", "trackd", "TRK_0123456789abcdef", "trk_production"}) {
        CAPTURE(text);
        CHECK(without_keys(text) == text);
        CHECK_FALSE(contains_key(text));
    }
    CHECK(without_keys("trk_trk_0123456789abcdef") == "trk_…");
    CHECK(without_keys("xtrk_0123456789abcdef") == "xtrk_…");
}

TEST_CASE("what no key can be named is the same to the configuration and to its commands", "[config][keys]") {
    for (const std::string name : {"none", "other", "trk_0123456789abcdef"}) {
        CAPTURE(name);
        CHECK_FALSE(key_name_error(name).empty());
        CHECK_FALSE(errors(key(name, digits_a)).empty());
    }
    for (const std::string name : {"web", "None", "others", "trk_web"}) {
        CAPTURE(name);
        CHECK(key_name_error(name).empty());
        CHECK(errors(key(name, digits_a)).empty());
    }
}
