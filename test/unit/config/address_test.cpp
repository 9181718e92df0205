// The addresses that a listener can be given.
#include "config/address.hpp"
#include "support/catch.hpp"

#include <string>

using trackd::config::normalised_address;
using trackd::config::takes_any_port;

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

TEST_CASE("a socket file and sockets of systemd stay as they are", "[config]") {
    const auto longest = "unix:/" + std::string(106, 'x');
    for (const auto& text :
         {std::string{"unix:/run/trackd.sock"}, longest, std::string{"systemd"},
          std::string{"systemd:ingest"}, std::string{"systemd:a.b/c"}}) {
        CAPTURE(text);
        CHECK(normalised_address(text) == text);
    }
}

TEST_CASE("only a free port can be had twice", "[config]") {
    CHECK(takes_any_port("127.0.0.1:0"));
    CHECK(takes_any_port("[::]:0"));
    for (const auto* text : {"127.0.0.1:80", "unix:/run/x:0", "systemd:0", "systemd"}) {
        CAPTURE(text);
        CHECK_FALSE(takes_any_port(text));
    }
}

TEST_CASE("what names no address or no port is refused", "[config]") {
    for (const auto* text :
         {"",
          ":",
          "8080",
          "127.0.0.1",
          "127.0.0.1:",
          "127.0.0.1:65536",
          "127.0.0.1:-1",
          "127.0.0.1:+80",
          "127.0.0.1:80 ",
          "127.0.0.1:http",
          "127.1:80",
          "256.0.0.1:80",
          "::1:80",
          "[::1]",
          "[]:80",
          "[127.0.0.1]:80",
          "[::1:80",
          "example.org:80",
          "[fe80::1%lo]:80",
          "unix:",
          "unix:trackd.sock",
          "unix:@abstract",
          "unix",
          "systemd:",
          "systemd:a:b",
          "systemd:a b",
          "systemd-x"}) {
        CAPTURE(text);
        CHECK_FALSE(normalised_address(text));
    }
    CHECK_FALSE(normalised_address("unix:/" + std::string(107, 'x')));
    CHECK_FALSE(normalised_address(std::string{"unix:/a\0b", 9}));
}

TEST_CASE("an address excludes another one that has its port", "[config]") {
    using trackd::config::exclude_each_other;
    CHECK(exclude_each_other("127.0.0.1:80", "127.0.0.1:80"));
    CHECK(exclude_each_other("127.0.0.1:80", "0.0.0.0:80"));
    CHECK(exclude_each_other("[::]:80", "127.0.0.1:80"));
    CHECK(exclude_each_other("[::1]:80", "[::]:80"));
    CHECK(exclude_each_other("unix:/a", "unix:/a"));
    CHECK(exclude_each_other("systemd", "systemd"));
    CHECK_FALSE(exclude_each_other("127.0.0.1:0", "127.0.0.1:0"));
    CHECK_FALSE(exclude_each_other("127.0.0.1:80", "127.0.0.1:81"));
    CHECK_FALSE(exclude_each_other("127.0.0.1:80", "127.0.0.2:80"));
    CHECK_FALSE(exclude_each_other("[::1]:80", "0.0.0.0:80"));
    CHECK_FALSE(exclude_each_other("[::]:80", "unix:/a:80"));
    CHECK_FALSE(exclude_each_other("systemd", "systemd:a"));
}
