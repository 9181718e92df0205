#include "http/authorization.hpp"
#include "support/catch.hpp"

using namespace trackd::http;
using scheme = credentials::scheme;

namespace {

void check_read(std::string_view value, scheme by, std::string_view key) {
    INFO(value);
    std::string room;
    const auto shown = read_authorization(value, room);
    CHECK(shown.by == by);
    CHECK(shown.key == key);
}

} // namespace

TEST_CASE("the key is a bearer's token or the user name of Basic", "[http][authorization]") {
    check_read("Bearer trk_1", scheme::bearer, "trk_1");
    check_read("bearer  trk_1", scheme::bearer, "trk_1");
    check_read("Basic dHJrXzE6cHc6eA==", scheme::basic, "trk_1"); // trk_1:pw:x
    check_read("basic dHJrXzEw", scheme::basic, "trk_10");        // without a colon
}

TEST_CASE("what cannot be read has no key", "[http][authorization]") {
    for (const auto* value : {"Bearer", "Bearer "})
        check_read(value, scheme::bearer, "");
    for (const auto* value : {"Basic", "Basic !!!!", "Basic dHJ", "Basic OnB3"})
        check_read(value, scheme::basic, "");
    for (const auto* value : {"", "Digest x", "trk_1"})
        check_read(value, scheme::other, "");
}
