// Whose a request is, by what proxies say in X-Forwarded-For.
#include "http/forwarded_for.hpp"
#include "support/catch.hpp"

#include <string>
#include <string_view>
#include <vector>

using namespace trackd::http;

namespace {

const std::vector<std::string> whom{"10.0.0.0/8", "2001:db8::/32"};
const trusted_proxies ours{whom};

std::string client(const std::vector<std::string_view>& values) {
    std::vector<request::header_field> fields{{field::host, "Host", "a"}};
    for (const auto value : values)
        fields.push_back({field::unknown, "x-forwarded-FOR", value});
    fields.push_back({field::unknown, "X-Forwarded-Host", "203.0.113.9"});
    const auto found = forwarded_client(fields, ours);
    return found ? found->to_string() : "nobody";
}

} // namespace

TEST_CASE("the last address that is no trusted proxy's is the client's", "[http][proxy]") {
    CHECK(client({"192.0.2.1"}) == "192.0.2.1");
    CHECK(client({"192.0.2.1, 10.0.0.1, 10.0.0.2"}) == "192.0.2.1");
    CHECK(client({"6.6.6.6, 192.0.2.1, 10.0.0.1"}) == "192.0.2.1"); // whoever invented the first one
    CHECK(client({"2001:db9::1, 2001:db8::1"}) == "2001:db9::1");
}

TEST_CASE("where all are trusted the first one is the client", "[http][proxy]") {
    CHECK(client({"10.0.0.3, 10.0.0.2, 10.0.0.1"}) == "10.0.0.3");
    CHECK(client({"10.0.0.3"}) == "10.0.0.3");
}

TEST_CASE("several fields are one list, in their order", "[http][proxy]") {
    CHECK(client({"6.6.6.6", "192.0.2.1, 10.0.0.2", "10.0.0.1"}) == "192.0.2.1");
    CHECK(client({"192.0.2.1", "10.0.0.1"}) == "192.0.2.1");
    CHECK(client({"192.0.2.1", "unknown", "10.0.0.1"}) == "10.0.0.1");
}

TEST_CASE("what is no address ends the list, and the last address before it counts", "[http][proxy]") {
    CHECK(client({"192.0.2.1, unknown, 10.0.0.1"}) == "10.0.0.1");
    CHECK(client({"192.0.2.1, unknown"}) == "nobody");
    for (const std::string_view wrong :
         {"192.0.2", "192.0.2.1:", "192.0.2.1:x", "192.0.2.1:123456", "[192.0.2.1]", "[::1", "[::1]80",
          "[::1]:", "[]", "::1]", "fe80::1%eth0", "_hidden", "\"192.0.2.1\"", "192.0.2.1 10.0.0.1",
          "for=192.0.2.1", "192.0.2.01"})
        CHECK(client({wrong}) == "nobody");
}

TEST_CASE("ports and brackets are passed over", "[http][proxy]") {
    CHECK(client({"192.0.2.1:5678"}) == "192.0.2.1");
    CHECK(client({"[2001:db9::1]:80"}) == "2001:db9::1");
    CHECK(client({"[2001:db9::1]"}) == "2001:db9::1");
    CHECK(client({"192.0.2.1:5678,10.0.0.1:443"}) == "192.0.2.1");
}

TEST_CASE("blanks and empty elements mean nothing", "[http][proxy]") {
    CHECK(client({" \t192.0.2.1 ,, 10.0.0.1\t, "}) == "192.0.2.1");
    CHECK(client({""}) == "nobody");
    CHECK(client({" , ,"}) == "nobody");
    CHECK(client({}) == "nobody");
}

TEST_CASE("an IPv6 address that stands for one of IPv4 is that one", "[http][proxy]") {
    CHECK(client({"192.0.2.1, ::ffff:10.0.0.1"}) == "192.0.2.1");
    CHECK(client({"::ffff:192.0.2.1"}) == "192.0.2.1");
}
