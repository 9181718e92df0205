#include "backlog/record.hpp"
#include "base/crc32c.hpp"
#include "support/catch.hpp"
#include "support/events.hpp"

#include <array>
#include <cstring>
#include <string>

using namespace trackd;
using namespace trackd::journal;

namespace {

constexpr std::uint32_t salt = 0x5EEDCAFE;

record_head a_head() {
    record_head head;
    head.body_bytes = 0x0102;
    head.position = 0x1122334455667788;
    head.body_checksum = 0xA1B2C3D4;
    head.begins_commit = true;
    return head;
}

std::string encoded(const record_head& head) {
    std::array<char, record_head::encoded_bytes> bytes{};
    encode(head, salt, bytes);
    return {bytes.data(), bytes.size()};
}

// The head with other bytes in it, and the checksum that they need.
template <typename Number>
std::string forged(std::size_t at, Number number) {
    auto bytes = encoded(a_head());
    std::memcpy(bytes.data() + at, &number, sizeof number);
    const auto checksum = base::crc32c(std::string_view{bytes}.substr(4), salt);
    std::memcpy(bytes.data(), &checksum, sizeof checksum);
    return bytes;
}

} // namespace

TEST_CASE("a head comes out as it went in", "[record]") {
    CHECK(decode_head(encoded(a_head()), salt) == a_head());
    record_head mark;
    mark.kind = record_kind::mark;
    mark.position = 1;
    CHECK(decode_head(encoded(mark), salt) == mark);
}

TEST_CASE("a head has the layout that docs/journal.md describes", "[record]") {
    const auto bytes = encoded(a_head());
    CHECK(bytes.substr(4, 4) == std::string("\x02\x01\0\0", 4));
    CHECK(bytes.substr(8, 8) == "\x88\x77\x66\x55\x44\x33\x22\x11");
    CHECK(bytes.substr(16, 4) == "\xD4\xC3\xB2\xA1");
    CHECK(bytes.substr(20, 4) == std::string("\x01\x01\0\0", 4));
    CHECK(head_checksum(bytes) == base::crc32c(bytes.substr(4), salt));
}

TEST_CASE("encoding a head returns the checksum that stands in it", "[record]") {
    std::array<char, record_head::encoded_bytes> bytes{};
    const auto checksum = encode(a_head(), salt, bytes);
    CHECK(checksum == head_checksum({bytes.data(), bytes.size()}));
}

TEST_CASE("a head with any bit wrong is none", "[record]") {
    const auto whole = encoded(a_head());
    for (std::size_t bit = 0; bit < whole.size() * 8; ++bit) {
        auto bytes = whole;
        bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ (1 << bit % 8));
        CAPTURE(bit);
        CHECK_FALSE(decode_head(bytes, salt));
    }
}

TEST_CASE("a head under any other salt is none", "[record]") {
    const auto bytes = encoded(a_head());
    for (unsigned bit = 0; bit < 32; ++bit) {
        CAPTURE(bit);
        CHECK_FALSE(decode_head(bytes, salt ^ 1U << bit));
    }
    CHECK_FALSE(decode_head(bytes, 0));
}

TEST_CASE("a piece of a head is none, and neither are zeros", "[record]") {
    const auto bytes = encoded(a_head());
    for (std::size_t length = 0; length < bytes.size(); ++length)
        CHECK_FALSE(decode_head(std::string_view{bytes}.substr(0, length), salt));
    CHECK(decode_head(bytes + "more", salt));
    CHECK_FALSE(decode_head(std::string(64, '\0'), salt));
    CHECK_FALSE(decode_head(std::string(64, '\0'), 0));
}

TEST_CASE(
    "a head that says what no head of this version says is none, though its checksum holds", "[record]"
) {
    CHECK(decode_head(forged(20, std::uint8_t{1}), salt)); // an event, as it was
    CHECK_FALSE(decode_head(forged(20, std::uint8_t{0}), salt));
    CHECK_FALSE(decode_head(forged(20, std::uint8_t{2}), salt)); // a mark has no body
    CHECK_FALSE(decode_head(forged(20, std::uint8_t{3}), salt));
    CHECK(decode_head(forged(21, std::uint8_t{0}), salt));
    CHECK_FALSE(decode_head(forged(21, std::uint8_t{2}), salt));
    CHECK_FALSE(decode_head(forged(21, std::uint8_t{0x81}), salt));
    CHECK_FALSE(decode_head(forged(22, std::uint16_t{1}), salt));
    CHECK_FALSE(decode_head(forged(22, std::uint16_t{0x8000}), salt));
    CHECK(decode_head(forged(8, std::uint64_t{1}), salt));
    CHECK_FALSE(decode_head(forged(8, std::uint64_t{0}), salt));
    CHECK_FALSE(decode_head(forged(8, ~std::uint64_t{0}), salt));
}

TEST_CASE("a body is sound if it is what was written", "[record]") {
    const std::string body{test::make_batch(1).encoded()};
    record_head head;
    head.position = 1;
    head.body_bytes = static_cast<std::uint32_t>(body.size());
    head.body_checksum = base::crc32c(body);
    CHECK(is_sound(head, body));
    CHECK_FALSE(is_sound(head, std::string_view{body}.substr(1)));
    auto changed = body;
    changed.back() ^= 1;
    CHECK_FALSE(is_sound(head, changed));
}

TEST_CASE("a body whose checksum holds is not sound if it is no event", "[record]") {
    const std::string body(64, 'x');
    record_head head;
    head.position = 1;
    head.body_bytes = static_cast<std::uint32_t>(body.size());
    head.body_checksum = base::crc32c(body);
    CHECK_FALSE(is_sound(head, body));
}

TEST_CASE("a record takes its head, its body, and what is missing to eight bytes", "[record]") {
    CHECK(record_bytes(0) == 24);
    CHECK(record_bytes(1) == 32);
    CHECK(record_bytes(8) == 32);
    CHECK(record_bytes(9) == 40);
    CHECK(record_bytes(0xFFFFFFFF) == 0x100000018);
}
