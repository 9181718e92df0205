#include "base/listen_address.hpp"
#include "support/catch.hpp"

using namespace trackd::base;

TEST_CASE("a numeric host is written in one way", "[base]") {
    CHECK(numeric_host("127.0.0.1") == "127.0.0.1");
    CHECK(numeric_host("[2001:DB8:0:0::1]") == "[2001:db8::1]");
    CHECK(numeric_host("localhost") == "127.0.0.1");
    CHECK(numeric_host("*") == "[::]");
}

TEST_CASE("a host that is not numeric is none", "[base]") {
    for (const std::string_view text :
         {"", "[]", "::1", "[::1", "[127.0.0.1]", "127.1", "256.0.0.1", "example.org", "[fe80::1%lo]"}) {
        CAPTURE(text);
        CHECK_FALSE(numeric_host(text));
    }
    CHECK_FALSE(numeric_host(std::string_view{"127.0.0.1\0", 10}));
}

TEST_CASE("a port has digits only, and 65535 is the last", "[base]") {
    CHECK(parse_port("0") == 0);
    CHECK(parse_port("65535") == 65535);
    for (const auto* text : {"", "65536", "-1", "+80", "80 ", "http"}) {
        CAPTURE(text);
        CHECK_FALSE(parse_port(text));
    }
}

TEST_CASE("a socket's path is absolute, and not longer than the system takes", "[base]") {
    CHECK(is_socket_path("/run/trackd.sock"));
    CHECK(is_socket_path('/' + std::string(longest_socket_path - 1, 'x')));
    CHECK_FALSE(is_socket_path('/' + std::string(longest_socket_path, 'x')));
    CHECK_FALSE(is_socket_path(""));
    CHECK_FALSE(is_socket_path("run/trackd.sock"));
    CHECK_FALSE(is_socket_path(std::string_view{"/a\0b", 4}));
}
