// The addresses that a listener can be given.
#include "config/address.hpp"
#include "support/catch.hpp"

using trackd::config::normalised_address;

TEST_CASE("numeric addresses are taken as they are", "[config]") {
    CHECK(normalised_address("127.0.0.1:8080") == "127.0.0.1:8080");
    CHECK(normalised_address("0.0.0.0:0") == "0.0.0.0:0");
    CHECK(normalised_address("[::1]:65535") == "[::1]:65535");
    CHECK(normalised_address("[2001:DB8:0:0::1]:80") == "[2001:db8::1]:80");
}

TEST_CASE("localhost is the IPv4 loopback address", "[config]") {
    CHECK(normalised_address("localhost:80") == "127.0.0.1:80");
}

TEST_CASE("no host or a star is all interfaces", "[config]") {
    CHECK(normalised_address(":8080") == "[::]:8080");
    CHECK(normalised_address("*:8080") == "[::]:8080");
}

TEST_CASE("what names no address or no port is refused", "[config]") {
    for (const auto* text :
         {"", ":", "8080", "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536", "127.0.0.1:-1", "127.0.0.1:+80",
          "127.0.0.1:80 ", "127.0.0.1:http", "127.1:80", "256.0.0.1:80", "::1:80", "[::1]", "[]:80",
          "[127.0.0.1]:80", "[::1:80", "example.org:80", "[fe80::1%lo]:80"}) {
        CAPTURE(text);
        CHECK_FALSE(normalised_address(text));
    }
}
