// See connection_peer.hpp.
#include "http/connection_peer.hpp"

#include "http/forwarded_for.hpp"

#include <array>
#include <span>
#include <sys/socket.h>

namespace trackd::http {

connection_peer::connection_peer(const proxy_rules& rules, int descriptor) : rules_(rules) {
    sockaddr_storage peer{};
    socklen_t size = sizeof peer;
    if (::getpeername(descriptor, reinterpret_cast<sockaddr*>(&peer), &size) != 0) return; // it has gone
    address_ = address_of(peer);
    trusted_ = (address_ || peer.ss_family == AF_UNIX) && rules.trusted.trusts(address_);
}

// What follows the header may be TLS, which is read off the socket by others: so look first, then take what is ours.
transport::result connection_peer::read_header(int descriptor) {
    std::array<char, 512> bytes;
    for (;;) {
        const auto seen = transport::read_raw(descriptor, bytes, MSG_PEEK);
        if (seen.what != transport::outcome::done) return seen;
        const auto before = received_.size();
        received_.append(bytes.data(), seen.bytes);
        const auto header = read_proxy_header(received_);
        const auto end = header.what == proxy_header::outcome::complete ? header.bytes : received_.size();
        static_cast<void>(transport::read_raw(descriptor, std::span{bytes}.first(end - before)));
        switch (header.what) {
        case proxy_header::outcome::need_more: break;
        case proxy_header::outcome::complete: become(header); return {transport::outcome::done, end};
        case proxy_header::outcome::malformed:
            complaint_ = header.complaint;
            return {transport::outcome::failed};
        }
    }
}

void connection_peer::become(const proxy_header& named) {
    received_ = {};
    if (named.whose == proxy_header::source::proxy) return;
    address_ = named.address;
    trusted_ = address_ && rules_.trusted.trusts(*address_); // one proxy behind another
}

bool connection_peer::begin(request& req, connection_limit* limit) {
    req.client = address_ ? &*address_ : nullptr;
    if (!trusted_) return true; // the connection itself is counted
    forwarded_ = forwarded_client(req.headers, rules_.trusted);
    if (!forwarded_) return true;
    req.client = &*forwarded_;
    if (limit == nullptr) return true;
    share_ = limit->share_of(*forwarded_);
    return share_.has_value();
}

} // namespace trackd::http
