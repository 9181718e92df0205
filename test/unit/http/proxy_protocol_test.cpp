// Every rule of the header that a proxy may begin a connection with.
#include "http/proxy_protocol.hpp"
#include "support/catch.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

using namespace trackd::http;
using enum proxy_header::outcome;
using source = proxy_header::source;

namespace {

const std::string mark{"\r\n\r\n\0\r\nQUIT\n", 12};

std::string v2(unsigned command, unsigned family, std::string_view block) {
    std::string header = mark;
    header.push_back(static_cast<char>(command));
    header.push_back(static_cast<char>(family));
    header.push_back(static_cast<char>(block.size() >> 8U));
    header.push_back(static_cast<char>(block.size() & 0xffU));
    return header.append(block);
}

const std::string v4_block{"\xc0\x00\x02\x01\x0a\x00\x00\x01\x10\x00\x00\x50", 12}; // 192.0.2.1 to 10.0.0.1
const std::string v6_block = std::string{"\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01", 16} +
                             std::string(16, '\0') + std::string(4, '\x01');

std::string address_of(const proxy_header& header) {
    return header.address ? header.address->to_string() : "none";
}

/// What a whole header says, which must say the same however much of it is there, and whatever follows.
proxy_header read_whole(const std::string& bytes) {
    const auto all = read_proxy_header(bytes);
    REQUIRE(all.what == complete);
    REQUIRE(all.bytes == bytes.size());
    for (std::size_t size = 0; size < bytes.size(); ++size)
        if (read_proxy_header(std::string_view{bytes}.substr(0, size)).what != need_more)
            FAIL_CHECK("not incomplete at " << size);
    for (const std::string_view more : {"\r", "\n", "GET / HTTP/1.1\r\n", "PROXY "}) {
        const auto with_more = read_proxy_header(bytes + std::string{more});
        CHECK(with_more.what == complete);
        CHECK(with_more.bytes == bytes.size());
    }
    return all;
}

} // namespace

TEST_CASE("version 1 names the client", "[http][proxy]") {
    const auto v4 = read_whole("PROXY TCP4 192.0.2.1 10.0.0.1 4096 80\r\n");
    CHECK(v4.whose == source::client);
    CHECK(address_of(v4) == "192.0.2.1");
    CHECK(address_of(read_whole("PROXY TCP6 2001:db8::1 ::1 0 65535\r\n")) == "2001:db8::1");
    CHECK(address_of(read_whole("PROXY TCP6 ::ffff:192.0.2.1 ::1 1 2\r\n")) == "192.0.2.1");
}

TEST_CASE("version 1 may know nothing, whatever it says then", "[http][proxy]") {
    for (const auto* line :
         {"PROXY UNKNOWN\r\n", "PROXY UNKNOWN 192.0.2.1 10.0.0.1 4096 80\r\n", "PROXY UNKNOWN  \x01\xff\r\n"
         }) {
        const auto header = read_whole(line);
        CHECK(header.whose == source::proxy);
        CHECK(address_of(header) == "none");
    }
}

TEST_CASE("version 1 has at most 107 bytes", "[http][proxy]") {
    const std::string begin = "PROXY UNKNOWN ";
    const auto longest = begin + std::string(107 - 2 - begin.size(), 'x') + "\r\n";
    CHECK(read_whole(longest).bytes == 107);
    const auto longer = begin + std::string(107 - 1 - begin.size(), 'x') + "\r\n";
    CHECK(read_proxy_header(longer).what == malformed);
    CHECK(read_proxy_header(longer.substr(0, 106)).what == need_more);
    CHECK(read_proxy_header(longer.substr(0, 107)).what == malformed);
}

TEST_CASE("a line that breaks a rule of version 1 is malformed, and says why", "[http][proxy]") {
    for (const auto* line :
         {"PROXY TCP4 192.0.2.1 10.0.0.1 4096 80\n",
          "PROXY TCP4 192.0.2.1 10.0.0.1 4096 80\rx",
          "PROXY TCP4 192.0.2.1 10.0.0.1 4096 80 \r\n",
          "PROXY TCP4 192.0.2.1 10.0.0.1 4096 80 1\r\n",
          "PROXY TCP4 192.0.2.1 10.0.0.1 4096\r\n",
          "PROXY TCP4 192.0.2.1 10.0.0.1 4096 \r\n",
          "PROXY TCP4 192.0.2.1 10.0.0.1 4096 65536\r\n",
          "PROXY TCP4 192.0.2.1 10.0.0.1 4096 080\r\n",
          "PROXY TCP4 192.0.2.1 10.0.0.1 4096 -1\r\n",
          "PROXY TCP4 192.0.2.1 10.0.0.1 4096 100000\r\n",
          "PROXY TCP4  192.0.2.1 10.0.0.1 4096 80\r\n",
          "PROXY TCP4 192.0.2.1  10.0.0.1 4096 80\r\n",
          "PROXY TCP4 192.0.2 10.0.0.1 4096 80\r\n",
          "PROXY TCP4 192.0.2.01 10.0.0.1 4096 80\r\n",
          "PROXY TCP4 192.0.2.256 10.0.0.1 4096 80\r\n",
          "PROXY TCP4 192.0.2.1 localhost 4096 80\r\n",
          "PROXY TCP4 2001:db8::1 10.0.0.1 4096 80\r\n",
          "PROXY TCP6 192.0.2.1 ::1 4096 80\r\n",
          "PROXY TCP6 ::1 10.0.0.1 4096 80\r\n",
          "PROXY TCP6 fe80::1%1 ::1 4096 80\r\n",
          "PROXY TCP6 [::1] ::1 4096 80\r\n",
          "PROXY TCP4\r\n",
          "PROXY \r\n",
          "PROXY UNKNOWNS\r\n",
          "PROXY unknown\r\n",
          "PROXY TCP5 192.0.2.1 10.0.0.1 4096 80\r\n",
          "PROXY UNIX /a /b\r\n",
          "PROXY UNKNOWN a\nb\r\n"}) {
        INFO(line);
        const auto header = read_proxy_header(line);
        CHECK(header.what == malformed);
        CHECK_FALSE(header.complaint.empty());
    }
    CHECK(
        read_proxy_header(std::string_view{"PROXY TCP4 192.0.2.1\0 10.0.0.1 1 2\r\n", 36}).what == malformed
    );
}

TEST_CASE("what is neither version is told by its first wrong byte", "[http][proxy]") {
    for (const std::string_view bytes : {"G", "proxy ", "PROXI", "P\n", "\r\n\r\r", "\n", " PROXY"})
        CHECK(read_proxy_header(bytes).what == malformed);
    CHECK(read_proxy_header("").what == need_more);
    CHECK(read_proxy_header("PROXY").what == need_more);
    auto spoilt = mark;
    spoilt.back() = 'x';
    CHECK(read_proxy_header(spoilt).what == malformed);
}

TEST_CASE("version 2 names the client", "[http][proxy]") {
    const auto v4 = read_whole(v2(0x21, 0x11, v4_block));
    CHECK(v4.whose == source::client);
    CHECK(address_of(v4) == "192.0.2.1");
    const auto v6 = read_whole(v2(0x21, 0x21, v6_block));
    CHECK(v6.whose == source::client);
    CHECK(address_of(v6) == "2001:db8::1");
}

TEST_CASE("version 2 may name a client of a socket file", "[http][proxy]") {
    const auto header = read_whole(v2(0x21, 0x31, std::string(216, '/')));
    CHECK(header.whose == source::local);
    CHECK(address_of(header) == "none");
}

TEST_CASE("what a proxy adds to version 2 is passed over", "[http][proxy]") {
    const auto header = read_whole(
        v2(0x21, 0x11,
           v4_block +
               std::string{
                   "\x02\x00\x03"
                   "abc",
                   6
               })
    );
    CHECK(address_of(header) == "192.0.2.1");
}

TEST_CASE("a LOCAL connection is the proxy's own, whatever it says of addresses", "[http][proxy]") {
    for (const auto& bytes :
         {v2(0x20, 0x00, ""), v2(0x20, 0x11, v4_block), v2(0x20, 0x11, "short"), v2(0x20, 0xff, "x")})
        CHECK(read_whole(bytes).whose == source::proxy);
}

TEST_CASE("version 2 of no family, or of datagrams, says nothing of the client", "[http][proxy]") {
    for (const unsigned family : {0x00U, 0x12U, 0x22U, 0x32U})
        CHECK(read_whole(v2(0x21, family, v6_block)).whose == source::proxy);
}

TEST_CASE("a header that breaks a rule of version 2 is malformed, and says why", "[http][proxy]") {
    for (const auto& bytes :
         {v2(0x11, 0x11, v4_block), v2(0x31, 0x11, v4_block), v2(0x22, 0x11, v4_block),
          v2(0x2f, 0x11, v4_block), v2(0x21, 0x10, v4_block), v2(0x21, 0x13, v4_block),
          v2(0x21, 0x41, v6_block), v2(0x21, 0x01, v4_block), v2(0x21, 0x11, v4_block.substr(1)),
          v2(0x21, 0x21, v6_block.substr(1)), v2(0x21, 0x31, std::string(215, '/')), v2(0x21, 0x11, "")}) {
        const auto header = read_proxy_header(bytes);
        CHECK(header.what == malformed);
        CHECK_FALSE(header.complaint.empty());
    }
}

TEST_CASE("version 2 has at most 4096 bytes", "[http][proxy]") {
    CHECK(read_whole(v2(0x20, 0x00, std::string(4096 - 16, 'x'))).bytes == 4096);
    const auto longer = v2(0x20, 0x00, std::string(4096 - 15, 'x'));
    CHECK(read_proxy_header(longer.substr(0, 15)).what == need_more);
    CHECK(read_proxy_header(longer.substr(0, 16)).what == malformed); // without waiting for the rest
}
