#include "base/sha256.hpp"
#include "service/key_commands.hpp"
#include "support/catch.hpp"

#include <algorithm>
#include <ostream>
#include <set>
#include <sstream>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

using namespace trackd::service;

namespace {

trackd::config::key_settings named(std::string name, std::vector<std::string> hashes) {
    trackd::config::key_settings key;
    key.name = std::move(name);
    key.sha256 = std::move(hashes);
    return key;
}

} // namespace

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

TEST_CASE(
    "a rotation has the hashes of the configuration, and then that of the key that is shown",
    "[service][keys]"
) {
    trackd::config::settings settings;
    settings.keys.push_back(named("my-web", {std::string(64, 'a'), std::string(64, 'b')}));
    const auto text = rotated_key_text("MY_web", settings);
    const auto key = text.substr(text.find("trk_"), 47);
    CHECK(text.find("For the key my-web in") != std::string::npos);
    CHECK(text.ends_with(
        "\nsha256 = [\"" + std::string(64, 'a') + "\", \"" + std::string(64, 'b') + "\", \"" +
        trackd::base::to_hex(trackd::base::sha256(key)) + "\"]\n"
    ));
}

TEST_CASE("a key that is not there, or is full of hashes, is not rotated", "[service][keys]") {
    trackd::config::settings settings;
    CHECK_THROWS_WITH(rotated_key_text("web", settings), "no key is named web; there is none");
    settings.keys.push_back(named("full", std::vector<std::string>(16, "a")));
    settings.keys.push_back(named("shop", {"b"}));
    CHECK_THROWS_WITH(rotated_key_text("web", settings), "no key is named web; there is full, shop");
    CHECK_THROWS_WITH(
        rotated_key_text("full", settings), "the key full has 16 hashes, expected room for one more: remove "
                                            "one that `trackd status` shows as unused"
    );
}

TEST_CASE("a key that cannot be written out is an error", "[service][keys]") {
    std::ostringstream out;
    CHECK(run_key_command({key_command::create, "web"}, {}, out) == 0);
    CHECK(out.str().find("[[keys]]") != std::string::npos);
    out.setstate(std::ios::badbit);
    CHECK_THROWS_AS(run_key_command({key_command::create, "web"}, {}, out), std::runtime_error);
}
