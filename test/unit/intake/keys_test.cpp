#include "intake/keys.hpp"
#include "support/catch.hpp"
#include "support/manual_clock.hpp"

#include <algorithm>
#include <initializer_list>
#include <string>
#include <vector>

using namespace std::chrono_literals;
using namespace trackd::intake;
using trackd::base::sha256;
using lines = std::vector<std::string>;

namespace {

key_options options(std::string name, std::string_view text) {
    key_options one;
    one.name = std::move(name);
    one.hashes = {sha256(text)};
    return one;
}

struct fixture {
    lines replace(std::vector<key_options> keys) { return shared.replace(std::move(keys), time); }

    std::string name_of(std::string_view text) const {
        const auto ring = shared.get();
        const auto found = ring ? ring->find(text) : found_key{};
        return found ? found.owner->name() : "nobody";
    }

    trackd::test::manual_clock time;
    shared_key_ring shared;
};

} // namespace

TEST_CASE("a key is found by its text, wherever in the ring it stands", "[intake][keys]") {
    fixture f;
    f.replace({options("a", "key-a"), options("b", "key-b"), options("c", "key-c")});
    CHECK(f.name_of("key-a") == "a");
    CHECK(f.name_of("key-b") == "b");
    CHECK(f.name_of("key-c") == "c");
    for (const auto* wrong : {"", "key", "key-", "key-d", "key-a ", "KEY-A"})
        CHECK(f.name_of(wrong) == "nobody");
}

TEST_CASE("a key's name keeps its number, while others come and go", "[intake][keys]") {
    fixture f;
    f.replace({options("a", "key-a"), options("b", "key-b")});
    const auto number = f.shared.get()->find("key-b").owner->number();
    CHECK(number != f.shared.get()->find("key-a").owner->number());
    f.replace({options("c", "key-c")});
    CHECK(f.shared.get()->find("key-c").owner->number() != number);
    f.replace({options("b", "another"), options("c", "key-c")});
    CHECK(f.shared.get()->find("another").owner->number() == number);
    CHECK(f.shared.numbers().name(number) == "b");
    CHECK(f.shared.numbers().name(key_numbers::none) == "none");
}

TEST_CASE("only so many names have a number of their own", "[intake][keys]") {
    key_numbers numbers;
    for (std::size_t i = 1; i <= key_numbers::most; ++i)
        CHECK(numbers.of("k" + std::to_string(i)) == i);
    CHECK(numbers.of("one more") == key_numbers::others);
    CHECK(numbers.of("and another") == key_numbers::others);
    CHECK(numbers.of("k200") == 200);
    CHECK(numbers.name(200) == "k200");
    CHECK(numbers.name(key_numbers::others) == "other");
}

TEST_CASE("without keys there is no ring", "[intake][keys]") {
    fixture f;
    CHECK(f.shared.get() == nullptr);
    CHECK(f.shared.is(nullptr));
    f.replace({options("a", "key-a")});
    CHECK_FALSE(f.shared.is(nullptr));
    CHECK(f.shared.is(f.shared.get().get()));
    f.replace({});
    CHECK(f.shared.is(nullptr));
}

TEST_CASE("a replaced ring is another one, and a key that is gone is not found", "[intake][keys]") {
    fixture f;
    f.replace({options("a", "key-a"), options("b", "key-b")});
    const auto before = f.shared.get();
    f.replace({options("b", "key-b")});
    CHECK_FALSE(f.shared.is(before.get()));
    CHECK(f.name_of("key-a") == "nobody");
    CHECK(f.name_of("key-b") == "b");
    CHECK(before->find("key-a")); // for those who hold it still
}

TEST_CASE("what a replacement changes is told", "[intake][keys]") {
    fixture f;
    CHECK(f.replace({options("a", "key-a"), options("b", "key-b")}) == lines{"key a: added", "key b: added"});
    CHECK(f.replace({options("a", "key-a"), options("b", "key-b")}).empty());
    auto limited = options("b", "key-b");
    limited.events_per_second = 1;
    CHECK(
        f.replace({limited, options("c", "key-c")}) ==
        lines{"key a: removed", "key b: other limits", "key c: added"}
    );
    CHECK(
        f.replace({options("b", "new")}) ==
        lines{
            "key c: removed", "key b: hash " + fingerprint(sha256("new")) + " added",
            "key b: hash " + fingerprint(sha256("key-b")) + " removed", "key b: other limits"
        }
    );
    CHECK(f.replace({}) == lines{"key b: removed"});
}

TEST_CASE("the rates of a key that stays go on, even under another name and limit", "[intake][keys]") {
    fixture f;
    auto one = options("a", "key-a");
    one.events_per_second = 2;
    one.bytes_per_second = 100;
    f.replace({one});
    const auto before = f.shared.get()->find("key-a").owner;
    CHECK_FALSE(before->take_events(2));
    CHECK_FALSE(before->take_bytes(100));
    one.name = "renamed";
    one.events_per_second = 4;
    f.replace({one});
    const auto after = f.shared.get()->find("key-a").owner;
    CHECK(after->take_events(1) == 1s);
    CHECK(after->take_bytes(1) == 1s);
    f.time.advance(250ms);
    CHECK_FALSE(after->take_events(1));
    one.hashes = {sha256("another")};
    f.replace({one});
    CHECK(f.shared.get()->find("another").owner->take_events(4) == 1s); // it is the same key, by its name
}

TEST_CASE("the wait for a rate is told in whole seconds, rounded up", "[intake][keys]") {
    fixture f;
    auto one = options("a", "key-a");
    one.events_per_second = 10;
    f.replace({one});
    const auto key = f.shared.get()->find("key-a").owner;
    CHECK_FALSE(key->take_events(35)); // a debt of 2.5 s
    CHECK(key->take_events(1) == 3s);
    f.time.advance(1600ms);
    CHECK(key->take_events(1) == 1s);
    f.time.advance(1s);
    CHECK_FALSE(key->take_events(1));
    CHECK_FALSE(key->take_bytes(1U << 30U)); // not limited
}

TEST_CASE("a key without limits allows everything", "[intake][keys]") {
    fixture f;
    f.replace({options("a", "key-a")});
    const auto key = f.shared.get()->find("key-a").owner;
    CHECK(key->allows_source("/any"));
    CHECK(key->allows_origin("https://any.example"));
    CHECK_FALSE(key->take_events(1'000'000));
}

TEST_CASE("a key allows its sources, and its own name", "[intake][keys]") {
    fixture f;
    auto one = options("shop", "key");
    one.sources = {"/shop", "/shop/b"};
    f.replace({one});
    const auto key = f.shared.get()->find("key").owner;
    CHECK(key->allows_source("/shop/b"));
    CHECK(key->allows_source("shop"));
    CHECK_FALSE(key->allows_source("/sho"));
    CHECK_FALSE(key->allows_source("/SHOP"));
}

TEST_CASE("a key allows its origins, and whoever is no web page", "[intake][keys]") {
    fixture f;
    auto one = options("shop", "key");
    one.origins = {"https://shop.example"};
    f.replace({one});
    const auto key = f.shared.get()->find("key").owner;
    CHECK(key->allows_origin("https://shop.example"));
    CHECK(key->allows_origin(""));
    for (const auto* other :
         {"null", "http://shop.example", "https://shop.example.evil", "https://shop.example:444"})
        CHECK_FALSE(key->allows_origin(other));
}

namespace {

key_options with_hashes(std::string name, std::initializer_list<std::string_view> texts) {
    key_options one;
    one.name = std::move(name);
    for (const auto text : texts)
        one.hashes.push_back(sha256(text));
    return one;
}

} // namespace

TEST_CASE("a key is found by each of its hashes, and each has a use of its own", "[intake][keys]") {
    fixture f;
    f.replace(
        {with_hashes("a", {"a-1", "a-2", "a-3"}), with_hashes("b", {"b-1"}), with_hashes("c", {"c-1", "c-2"})}
    );
    std::vector<key_use*> uses;
    for (const std::string text : {"a-1", "a-2", "a-3", "b-1", "c-1", "c-2"}) {
        CAPTURE(text);
        CHECK(f.name_of(text) == text.substr(0, 1));
        const auto found = f.shared.get()->find(text);
        const auto hash = static_cast<std::size_t>(text.back() - '1');
        CHECK(found.use == found.owner->hash_uses().at(hash).get());
        CHECK(std::ranges::find(uses, found.use) == uses.end());
        uses.push_back(found.use);
    }
    CHECK_FALSE(f.shared.get()->find("a-4"));
    CHECK(f.shared.get()->find("a-4").use == nullptr);
}

TEST_CASE("a rotation changes hashes, and nothing else of the key", "[intake][keys]") {
    fixture f;
    const auto limited = [](std::initializer_list<std::string_view> texts) {
        auto one = with_hashes("web", texts);
        one.events_per_second = 1;
        return one;
    };
    f.replace({limited({"old"})});
    const auto number = f.shared.get()->find("old").owner->number();
    CHECK_FALSE(f.shared.get()->find("old").owner->take_events(10));
    const auto hash = [](std::string_view text) { return "key web: hash " + fingerprint(sha256(text)); };

    CHECK(f.replace({limited({"old", "new"})}) == lines{hash("new") + " added"});
    CHECK(f.shared.get()->find("new").owner == f.shared.get()->find("old").owner);
    CHECK(f.shared.get()->find("new").owner->take_events(1) == 10s); // the rate is that of the key
    CHECK(f.replace({limited({"new", "old"})}).empty());

    CHECK(f.replace({limited({"new"})}) == lines{hash("old") + " removed"});
    CHECK(f.name_of("old") == "nobody");
    CHECK(f.shared.get()->find("new").owner->number() == number);
    CHECK(f.shared.get()->find("new").owner->take_events(1) == 10s);
}

TEST_CASE("no two keys share a rate, however names and hashes are dealt out", "[intake][keys]") {
    const auto limited = [](std::string name, std::initializer_list<std::string_view> texts) {
        auto one = with_hashes(std::move(name), texts);
        one.events_per_second = 1;
        return one;
    };
    fixture f;
    f.replace({limited("a", {"1", "2", "3"})});
    CHECK_FALSE(f.shared.get()->find("1").owner->take_events(10));
    SECTION("one name stays") {
        f.replace({limited("b", {"1"}), limited("a", {"2"}), limited("c", {"3"})});
        CHECK_FALSE(f.shared.get()->find("1").owner->take_events(1));
        CHECK(f.shared.get()->find("2").owner->take_events(1) == 10s);
        CHECK_FALSE(f.shared.get()->find("3").owner->take_events(1));
    }
    SECTION("no name stays") {
        f.replace({limited("b", {"1"}), limited("c", {"2", "3"})});
        CHECK(f.shared.get()->find("1").owner->take_events(1) == 10s);
        CHECK_FALSE(f.shared.get()->find("2").owner->take_events(1));
    }
}

TEST_CASE(
    "the use of a hash goes on by the hash, through names, other keys and its absence", "[intake][keys]"
) {
    using namespace std::chrono;
    fixture f;
    const trackd::wall_time noon = sys_days{2026y / 11 / 21} + 12h;
    const auto use = [&](std::string_view text) { return f.shared.get()->find(text).use; };
    f.replace({with_hashes("web", {"one", "two"})});
    use("one")->record(noon);
    f.replace({with_hashes("site", {"one"}), with_hashes("web", {"two"})});
    CHECK(use("one")->first() == noon);
    CHECK_FALSE(use("two")->first());
    f.replace({with_hashes("web", {"two"})});
    f.replace({});
    f.replace({with_hashes("web", {"two", "one"})});
    CHECK(use("one")->last() == noon);
    CHECK_FALSE(use("two")->last());
}
