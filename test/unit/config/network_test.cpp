// The networks that proxies can be named by.
#include "config/network.hpp"
#include "helpers.hpp"
#include "support/catch.hpp"

#include <string>

using namespace trackd::config;
using namespace trackd::config::test;

namespace {

std::string network_in(std::string_view text) {
    const auto found = parse_network(text);
    if (!found) return "none";
    return found->text + (found->exact ? "" : " and more");
}

std::string about(const std::string& value) {
    return the_error("[http]\ntrusted_proxies = " + value);
}

} // namespace

TEST_CASE("addresses and networks are written in one way", "[config][proxy]") {
    CHECK(network_in("192.0.2.1") == "192.0.2.1");
    CHECK(network_in("192.0.2.1/32") == "192.0.2.1");
    CHECK(network_in("10.0.0.0/8") == "10.0.0.0/8");
    CHECK(network_in("0.0.0.0/0") == "0.0.0.0/0");
    CHECK(network_in("2001:DB8:0::/32") == "2001:db8::/32");
    CHECK(network_in("::1/128") == "::1");
    CHECK(network_in("::ffff:10.0.0.0/104") == "10.0.0.0/8");
    CHECK(network_in("::ffff:10.0.0.1") == "10.0.0.1");
    CHECK(network_in("::ffff:0:0/95") == "::fffe:0:0/95 and more");
}

TEST_CASE("an address within a network is told from the network", "[config][proxy]") {
    CHECK(network_in("10.0.0.1/8") == "10.0.0.0/8 and more");
    CHECK(network_in("192.0.2.129/25") == "192.0.2.128/25 and more");
    CHECK(network_in("2001:db8::1/64") == "2001:db8::/64 and more");
}

TEST_CASE("what is no network is not taken", "[config][proxy]") {
    for (const std::string_view wrong :
         {"", "10.0.0.0/33", "::/129", "10.0.0.0/", "10.0.0.0/-1", "10.0.0.0/8 ", "10.0.0.0/8/8", "10.0.0",
          "localhost", "[::1]", "10.0.0.1:80", "fe80::1%eth0", "10.0.0.010", "/8"})
        CHECK(network_in(wrong) == "none");
    CHECK(network_in({"10.0.0.1\0", 9}) == "none");
}

TEST_CASE("an error about a proxy names it, and what was expected", "[config][proxy]") {
    CHECK(
        about(R"(["10.0.0.0/8", "proxy.local"])") ==
        "FILE:2:34: http.trusted_proxies: found \"proxy.local\", expected an address or network such as "
        "\"192.0.2.1\", \"10.0.0.0/8\" or \"2001:db8::/32\", \"unix\", or an array of 0 to 1000 of them"
    );
    CHECK(
        about(R"("10.0.0.1/8")") == "FILE:2:19: http.trusted_proxies: found \"10.0.0.1/8\", which is an "
                                    "address within a network, expected the "
                                    "network \"10.0.0.0/8\", or the address alone"
    );
    CHECK(about("7").find("found 7, expected an address or network") != std::string::npos);
    CHECK(
        about(R"(["::1", "0::1/128"])").find("found \"0::1/128\" twice, expected each network once") !=
        std::string::npos
    );
}

TEST_CASE("proxies come from the file, the environment and the command line", "[config][proxy]") {
    using strings = trackd::config::strings;
    CHECK(load_text("[http]\ntrusted_proxies = \"unix\"").http.trusted_proxies == strings{"unix"});
    CHECK(
        load_text("", {{"TRACKD_HTTP__TRUSTED_PROXIES", R"(["::1", "10.0.0.0/8"])"}}).http.trusted_proxies ==
        strings{"::1", "10.0.0.0/8"}
    );
    CHECK(load_set({"http.trusted_proxies=10.0.0.0/8"}).http.trusted_proxies == strings{"10.0.0.0/8"});
    CHECK(load_set({"http.trusted_proxies=[]"}).http.trusted_proxies.empty());
}

TEST_CASE("the PROXY protocol needs somebody to believe", "[config][proxy]") {
    CHECK(
        the_error("[http]\nproxy_protocol = true") == "FILE:2:18: http.proxy_protocol: found true, but there "
                                                      "are no http.trusted_proxies whose headers could be "
                                                      "believed, expected the addresses of the proxies there"
    );
    CHECK(load_text("[http]\nproxy_protocol = true\ntrusted_proxies = \"::1\"").http.proxy_protocol);
    CHECK(errors("[http]\nproxy_protocol = true\ntrusted_proxies = \"x\"").size() == 1);
}
