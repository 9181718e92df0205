#include "base/sha256.hpp"
#include "service/key_commands.hpp"
#include "support/catch.hpp"

#include <algorithm>
#include <set>

using namespace trackd::service;

TEST_CASE("a key is a prefix and 43 characters that need no escape anywhere", "[service][keys]") {
    const auto key = make_key();
    CHECK(key.size() == 47);
    CHECK(key.starts_with("trk_"));
    const auto is_safe = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
               c == '_';
    };
    CHECK(std::ranges::all_of(key, is_safe));
}

TEST_CASE("no two keys are the same, and each place of them varies", "[service][keys]") {
    std::set<std::string> keys;
    std::set<char> last;
    for (int i = 0; i < 200; ++i) {
        const auto key = make_key();
        keys.insert(key);
        last.insert(key.back());
    }
    CHECK(keys.size() == 200);
    CHECK(last.size() > 8); // the last one carries four bits
}

TEST_CASE("the block to paste has the hash of the key that is shown", "[service][keys]") {
    const auto text = new_key_text("my-web");
    const auto key = text.substr(text.find("trk_"), 47);
    CHECK(text.ends_with(
        "\n[[keys]]\nname = \"my-web\"\nsha256 = \"" + trackd::base::to_hex(trackd::base::sha256(key)) +
        "\"\n"
    ));
}
