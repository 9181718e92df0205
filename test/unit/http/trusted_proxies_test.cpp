// Who is in which network.
#include "http/trusted_proxies.hpp"
#include "support/catch.hpp"

#include <stdexcept>
#include <string>
#include <vector>

using namespace trackd::http;

namespace {

bool trusts(const std::vector<std::string>& whom, std::string_view address) {
    const auto parsed = parse_address(address);
    REQUIRE(parsed);
    return trusted_proxies{whom}.trusts(*parsed);
}

} // namespace

TEST_CASE("an address alone is trusted alone", "[http][proxy]") {
    CHECK(trusts({"192.0.2.1"}, "192.0.2.1"));
    CHECK_FALSE(trusts({"192.0.2.1"}, "192.0.2.0"));
    CHECK(trusts({"2001:db8::1"}, "2001:db8::1"));
    CHECK_FALSE(trusts({"2001:db8::1"}, "2001:db8::2"));
    CHECK(trusts({"192.0.2.1"}, "::ffff:192.0.2.1"));
    CHECK_FALSE(trusts({}, "127.0.0.1"));
}

TEST_CASE("a network is trusted up to its last bit", "[http][proxy]") {
    CHECK(trusts({"192.0.2.128/25"}, "192.0.2.255"));
    CHECK_FALSE(trusts({"192.0.2.128/25"}, "192.0.2.127"));
    CHECK(trusts({"10.0.0.0/8"}, "10.255.255.255"));
    CHECK_FALSE(trusts({"10.0.0.0/8"}, "11.0.0.0"));
    CHECK(trusts({"2001:db8:8000::/33"}, "2001:db8:ffff::1"));
    CHECK_FALSE(trusts({"2001:db8:8000::/33"}, "2001:db8:7fff::1"));
    CHECK(trusts({"2001:db8::/127"}, "2001:db8::1"));
    CHECK_FALSE(trusts({"2001:db8::/127"}, "2001:db8::2"));
}

TEST_CASE("a network of no bits is all of its family, and of no other", "[http][proxy]") {
    CHECK(trusts({"0.0.0.0/0"}, "203.0.113.9"));
    CHECK_FALSE(trusts({"0.0.0.0/0"}, "::1"));
    CHECK(trusts({"::/0"}, "2001:db8::1"));
    CHECK_FALSE(trusts({"::/0"}, "127.0.0.1"));
}

TEST_CASE("whoever comes through a socket file is trusted by the word for it alone", "[http][proxy]") {
    const std::vector<std::string> everybody{"0.0.0.0/0", "::/0"};
    const std::vector<std::string> unix_only{"unix"};
    CHECK_FALSE(trusted_proxies{everybody}.trusts(std::optional<client_address>{}));
    CHECK(trusted_proxies{unix_only}.trusts(std::optional<client_address>{}));
    CHECK_FALSE(trusted_proxies{unix_only}.trusts(parse_address("127.0.0.1")));
}

TEST_CASE("what is no network is refused", "[http][proxy]") {
    for (const auto* wrong :
         {"", "10.0.0.0/33", "::/129", "10.0.0.0/", "10.0.0.0/x", "10.0.0.0/8/8", "localhost", "unix:/a"}) {
        const std::vector<std::string> one{wrong};
        CHECK_THROWS_AS(trusted_proxies{one}, std::invalid_argument);
    }
}
