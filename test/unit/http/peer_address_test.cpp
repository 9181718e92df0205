// As whom a peer is counted, and how many connections it may have.
#include "http/connection_limit.hpp"
#include "http/peer_address.hpp"
#include "support/catch.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <cstring>
#include <string>
#include <sys/un.h>
#include <utility>
#include <vector>

using namespace trackd::http;

namespace {

client_address peer(const std::string& address) {
    const boost::asio::ip::tcp::endpoint at{boost::asio::ip::make_address(address), 80};
    sockaddr_storage from{};
    std::memcpy(&from, at.data(), at.size());
    return *address_of(from);
}

} // namespace

TEST_CASE("an IPv4 address is counted as itself, also where it comes as one of IPv6", "[http][limit]") {
    CHECK(peer_at(peer("192.0.2.1")) == peer_at(peer("::ffff:192.0.2.1")));
    CHECK(peer_at(peer("192.0.2.1")) != peer_at(peer("192.0.2.2")));
    CHECK(to_string(peer_at(peer("192.0.2.1"))) == "192.0.2.1");
    CHECK(to_string(peer_at(peer("::ffff:192.0.2.1"))) == "192.0.2.1");
}

TEST_CASE("an IPv6 address is counted as its /64", "[http][limit]") {
    CHECK(peer_at(peer("2001:db8:0:1::1")) == peer_at(peer("2001:db8:0:1:ffff:ffff:ffff:ffff")));
    CHECK(peer_at(peer("2001:db8:0:1::1")) != peer_at(peer("2001:db8:0:2::1")));
    CHECK(peer_at(peer("::1")) != peer_at(peer("0.0.0.1")));
    CHECK(to_string(peer_at(peer("2001:db8:0:1::1"))) == "2001:db8:0:1::/64");
}

TEST_CASE("a peer of a socket file has no address", "[http][limit]") {
    sockaddr_storage from{};
    from.ss_family = AF_UNIX;
    CHECK_FALSE(address_of(from));
}

TEST_CASE("a trusted proxy may have any number", "[http][limit]") {
    boost::asio::io_context context;
    const std::vector<std::string> proxies{"192.0.2.0/24"};
    connection_limit limit{context.get_executor(), 10, 1, trusted_proxies{proxies}};
    auto first = limit.take();
    auto second = limit.take();
    CHECK(limit.assign(first, peer("192.0.2.1")));
    CHECK(limit.assign(second, peer("192.0.2.1")));
    const auto held = limit.share_of(peer("198.51.100.1"));
    CHECK(held);
    CHECK_FALSE(limit.share_of(peer("198.51.100.1")));
    CHECK(limit.turned_away() == 1);
}

TEST_CASE("a share that takes the place of another gives that one back", "[http][limit]") {
    boost::asio::io_context context;
    connection_limit limit{context.get_executor(), 10, 1};
    auto share = limit.share_of(peer("192.0.2.1"));
    REQUIRE(share);
    share = limit.share_of(peer("192.0.2.2"));
    CHECK(share);
    CHECK(limit.share_of(peer("192.0.2.1")));
    CHECK_FALSE(limit.share_of(peer("192.0.2.2")));
}

TEST_CASE("each address has as many slots as it may have, and gets them back", "[http][limit]") {
    boost::asio::io_context context;
    connection_limit limit{context.get_executor(), 10, 2};
    const auto one = peer("192.0.2.1");
    const auto other = peer("192.0.2.2");
    {
        auto first = limit.take();
        auto second = limit.take();
        auto third = limit.take();
        CHECK(limit.assign(first, one));
        CHECK(limit.assign(second, one));
        CHECK_FALSE(limit.assign(third, one));
        CHECK(limit.turned_away() == 1);
        CHECK(limit.assign(third, other));
        const auto moved = std::move(first); // still counts, once
        auto fourth = limit.take();
        CHECK_FALSE(limit.assign(fourth, one));
    }
    CHECK(limit.in_use() == 0);
    auto later = limit.take();
    auto latest = limit.take();
    CHECK(limit.assign(later, one));
    CHECK(limit.assign(latest, one));
    CHECK(limit.turned_away() == 2);
}
