#include "base/crc32c.hpp"
#include "support/catch.hpp"

#include <random>
#include <string>
#include <vector>

using namespace trackd;

namespace {

std::vector<base::crc32c_function> all() {
    std::vector<base::crc32c_function> functions{
        [](std::string_view bytes, std::uint32_t seed) noexcept { return base::crc32c(bytes, seed); },
        base::portable_crc32c,
    };
    if (const auto native = base::native_crc32c(); native != nullptr) functions.push_back(native);
    return functions;
}

std::string random_bytes(std::size_t count) {
    std::mt19937 random{7};
    std::string bytes;
    while (bytes.size() < count)
        bytes.push_back(static_cast<char>(random()));
    return bytes;
}

} // namespace

TEST_CASE("the checksum is CRC32C as others compute it", "[crc32c]") {
    std::string rising;
    for (int i = 0; i < 32; ++i)
        rising.push_back(static_cast<char>(i));
    for (const auto crc32c : all()) {
        CHECK(crc32c("123456789", 0) == 0xE3069283);
        CHECK(crc32c("", 0) == 0);
        CHECK(crc32c(std::string(32, '\0'), 0) == 0x8A9136AA); // these three are in RFC 3720
        CHECK(crc32c(std::string(32, '\xFF'), 0) == 0x62A8AB43);
        CHECK(crc32c(rising, 0) == 0x46DD794E);
    }
}

TEST_CASE("a checksum goes on from that of what stood before, wherever the two were parted", "[crc32c]") {
    const auto bytes = random_bytes(100);
    const std::string_view whole = bytes;
    for (const auto crc32c : all()) {
        const auto expected = crc32c(whole, 0);
        for (std::size_t at = 0; at <= whole.size(); ++at) {
            CAPTURE(at);
            CHECK(crc32c(whole.substr(at), crc32c(whole.substr(0, at), 0)) == expected);
        }
    }
}

TEST_CASE(
    "the processor's checksum and that of the tables are the same, for any length, place and seed", "[crc32c]"
) {
    const auto native = base::native_crc32c();
    if (native == nullptr) {
        WARN("this processor has no instruction for it: only the tables were tested");
        return;
    }
    const auto bytes = random_bytes(600);
    const std::string_view whole = bytes;
    for (std::size_t from = 0; from < 9; ++from) {
        for (std::size_t length = 0; length < 300; ++length) {
            const auto part = whole.substr(from, length);
            const auto seed = static_cast<std::uint32_t>(length * 2654435761U);
            if (native(part, seed) != base::portable_crc32c(part, seed)) {
                CAPTURE(from, length, seed);
                CHECK(native(part, seed) == base::portable_crc32c(part, seed));
            }
        }
    }
    CHECK(native(whole, 1) == base::portable_crc32c(whole, 1));
}
