#include "backlog/segment.hpp"
#include "base/crc32c.hpp"
#include "support/catch.hpp"

#include <algorithm>
#include <cstring>
#include <string>
#include <vector>

using namespace trackd;
using namespace trackd::journal;

namespace {

segment_header a_header() {
    segment_header header;
    header.first = 1'234'567'890'123;
    header.salt = 0xDEADBEEF;
    header.chain = 0x01020304;
    header.reused = true;
    return header;
}

std::string encoded(const segment_header& header) {
    std::string bytes(segment_header::encoded_bytes, '?');
    encode(header, std::span<char, segment_header::encoded_bytes>{bytes});
    return bytes;
}

// A header with other bytes in both its copies, and the checksum that they need.
std::string forged(std::size_t at, std::uint32_t number) {
    auto bytes = encoded(a_header());
    for (const std::size_t half : {0U, 2048U}) {
        std::memcpy(bytes.data() + half + at, &number, sizeof number);
        const auto checksum = base::crc32c(std::string_view{bytes}.substr(half + 12, 2048 - 12));
        std::memcpy(bytes.data() + half + 8, &checksum, sizeof checksum);
    }
    return bytes;
}

} // namespace

TEST_CASE("a segment's header comes out as it went in", "[segment]") {
    for (const auto reused : {true, false}) {
        auto header = a_header();
        header.reused = reused;
        const auto decoded = decode_header(encoded(header));
        CHECK(decoded.state == header_state::sound);
        CHECK(decoded.header == header);
    }
    CHECK(decode_header(encoded({})).header == segment_header{});
}

TEST_CASE("a header has the layout that docs/journal.md describes", "[segment]") {
    const auto bytes = encoded(a_header());
    CHECK(bytes.substr(0, 8) == "trkd-seg");
    CHECK(bytes.substr(12, 4) == std::string("\x01\0\0\0", 4));
    CHECK(bytes.substr(16, 8) == std::string("\xCB\x04\xFB\x71\x1F\x01\0\0", 8));
    CHECK(bytes.substr(24, 4) == "\xEF\xBE\xAD\xDE");
    CHECK(bytes.substr(28, 4) == "\x04\x03\x02\x01");
    CHECK(bytes.substr(32, 4) == std::string("\x01\0\0\0", 4));
    CHECK(bytes.substr(36, 2048 - 36) == std::string(2048 - 36, '\0'));
    CHECK(bytes.substr(0, 2048) == bytes.substr(2048));
}

TEST_CASE("a header survives any damage to one of its copies", "[segment]") {
    const auto whole = encoded(a_header());
    for (std::size_t half = 0; half < 2; ++half) {
        auto bytes = whole;
        std::fill_n(bytes.begin() + static_cast<std::ptrdiff_t>(half) * 2048, 2048, '\0');
        CHECK(decode_header(bytes).state == header_state::sound);
        CHECK(decode_header(bytes).header == a_header());
    }
    for (std::size_t at = 0; at < whole.size(); ++at) {
        auto bytes = whole;
        bytes[at] = static_cast<char>(bytes[at] ^ (1 << at % 8));
        if (decode_header(bytes).state != header_state::sound || decode_header(bytes).header != a_header()) {
            CAPTURE(at);
            FAIL_CHECK("a flipped bit took the header");
        }
    }
}

TEST_CASE("a header whose copies are both damaged is damaged", "[segment]") {
    const auto whole = encoded(a_header());
    for (std::size_t at = 0; at < 2048; at += 5) {
        auto bytes = whole;
        bytes[at] = static_cast<char>(bytes[at] ^ 4);
        bytes[4095 - at] = static_cast<char>(bytes[4095 - at] ^ 4);
        CAPTURE(at);
        CHECK(decode_header(bytes).state == header_state::damaged);
    }
    CHECK(decode_header("").state == header_state::damaged);
    CHECK(decode_header(std::string(4096, '\0')).state == header_state::damaged);
}

TEST_CASE("half a block is enough of a header, and less is not", "[segment]") {
    const auto whole = encoded(a_header());
    CHECK(decode_header(std::string_view{whole}.substr(0, 2048)).state == header_state::sound);
    CHECK(decode_header(std::string_view{whole}.substr(0, 2047)).state == header_state::damaged);
    auto bytes = whole;
    bytes[0] = '?';
    CHECK(decode_header(bytes).state == header_state::sound);
    CHECK(decode_header(std::string_view{bytes}.substr(0, 4095)).state == header_state::damaged);
}

TEST_CASE("a newer version is told from damage", "[segment]") {
    const auto newer = decode_header(forged(12, 7));
    CHECK(newer.state == header_state::newer);
    CHECK(newer.header.version == 7);
    auto one_copy = forged(12, 7);
    one_copy[100] = 'x';
    CHECK(decode_header(one_copy).state == header_state::newer);
    auto damaged = one_copy;
    damaged[3000] = 'x';
    CHECK(decode_header(damaged).state == header_state::damaged);
}

TEST_CASE("a header that makes no sense is damaged, though its checksum holds", "[segment]") {
    CHECK(decode_header(forged(12, 1)).state == header_state::sound);
    CHECK(decode_header(forged(12, 0)).state == header_state::damaged);
    CHECK(decode_header(forged(32, 2)).state == header_state::damaged);
    auto header = a_header();
    header.first = 0;
    CHECK(decode_header(encoded(header)).state == header_state::damaged);
}

TEST_CASE("the chain is the checksum of all heads' checksums, one after the other", "[segment]") {
    const auto expected = base::crc32c(std::string_view{"\x04\x03\x02\x01\xDD\xCC\xBB\xAA", 8});
    CHECK(extend_chain(extend_chain(0, 0x01020304), 0xAABBCCDD) == expected);
    CHECK(extend_chain(extend_chain(0, 0xAABBCCDD), 0x01020304) != expected);
}

TEST_CASE("a segment's name tells its first position, and sorts by it", "[segment]") {
    CHECK(segment_name(1) == "00000000000000000001.segment");
    std::vector<std::string> names;
    for (const position first : {1ULL, 9ULL, 10ULL, 123'456ULL, 18'446'744'073'709'551'615ULL}) {
        names.push_back(segment_name(first));
        CHECK(first_position(names.back()) == first);
    }
    CHECK(std::is_sorted(names.begin(), names.end()));
}

TEST_CASE("other names are no segment's", "[segment]") {
    for (const auto* name :
         {"", ".segment", "1.segment", "00000000000000000000.segment", "00000000000000000001.segment.new",
          "00000000000000000001.Segment", "0000000000000000000x.segment", "-0000000000000000001.segment",
          "000000000000000000001.segment", "99999999999999999999.segment", "spare-1.segment", "cursors",
          "00000000000000000001_segment", " 0000000000000000001.segment"}) {
        CAPTURE(name);
        CHECK_FALSE(first_position(name));
    }
}
