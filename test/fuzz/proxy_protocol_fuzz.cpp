// Fuzzes what reads the header of the PROXY protocol: however much of the bytes is there, it must come to the same end,
// within its bounds, and say the same of them.
#include "http/proxy_protocol.hpp"

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

namespace {

using namespace trackd::http;
using enum proxy_header::outcome;

void require(bool holds, const char* what) {
    if (holds) return;
    std::fprintf(stderr, "proxy_protocol_fuzz: does not hold: %s\n", what);
    std::abort();
}

void require_sound(const proxy_header& header, std::string_view received) {
    require(
        header.complaint.empty() == (header.what != malformed), "what is malformed is said, and nothing else"
    );
    if (header.what == need_more)
        require(received.size() < max_proxy_header_bytes, "it never wants more than it may");
    if (header.what != complete) return;
    require(header.bytes > 0 && header.bytes <= received.size(), "a header is within what has come");
    require(header.bytes <= max_proxy_header_bytes, "a header keeps its bound");
    require(
        header.address.has_value() == (header.whose == proxy_header::source::client),
        "a client has an address"
    );
    if (received.front() != 'P') return;
    require(header.bytes <= max_proxy_line_bytes, "a line keeps its bound");
    require(received.substr(0, header.bytes).ends_with("\r\n"), "a line ends");
}

bool same(const proxy_header& one, const proxy_header& other) {
    return one.what == other.what && one.whose == other.whose && one.address == other.address &&
           one.bytes == other.bytes;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string all{reinterpret_cast<const char*>(data), size}; // NOLINT: libFuzzer's bytes as ours
    const auto whole = read_proxy_header(all);
    bool over = false;
    for (std::size_t some = 0; some <= all.size(); ++some) {
        const std::string received{all.substr(0, some)}; // of its own, so that a read beyond it is seen
        const auto header = read_proxy_header(received);
        require_sound(header, received);
        if (header.what == complete && !over)
            require(header.bytes == some, "it is complete with its last byte");
        over = over || header.what != need_more;
        if (over) require(same(header, whole), "once it is over, nothing that follows changes it");
    }
    return 0;
}
