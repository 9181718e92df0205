// What somebody may have meant.
#include "config/nearest.hpp"
#include "support/catch.hpp"

#include <array>

using trackd::config::nearest;

namespace {

constexpr std::array<std::string_view, 3> candidates{"listen", "threads", "idle_timeout"};

}

TEST_CASE("a slip of the finger finds its word", "[config]") {
    CHECK(nearest("lissten", candidates) == "listen");
    CHECK(nearest("lsiten", candidates) == "listen");
    CHECK(nearest("thread", candidates) == "threads");
    CHECK(nearest("idle-timeout", candidates) == "idle_timeout");
}

TEST_CASE("a word that is near to none finds none", "[config]") {
    CHECK(nearest("port", candidates).empty());
    CHECK(nearest("", candidates).empty());
    CHECK(nearest("x", candidates).empty());
}
