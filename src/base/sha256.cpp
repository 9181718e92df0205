// The hash itself is OpenSSL's.
#include "base/sha256.hpp"

#include "base/ascii.hpp"

#include <openssl/crypto.h>
#include <openssl/sha.h>

namespace trackd::base {

namespace {

constexpr std::string_view digits = "0123456789abcdef";

static_assert(std::tuple_size_v<sha256_digest> == SHA256_DIGEST_LENGTH);

} // namespace

sha256_digest sha256(std::string_view text) {
    sha256_digest digest;
    ::SHA256(reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest.data());
    return digest;
}

bool same_in_constant_time(const sha256_digest& one, const sha256_digest& other) noexcept {
    return ::CRYPTO_memcmp(one.data(), other.data(), one.size()) == 0;
}

bool same_in_constant_time(std::string_view one, std::string_view other) noexcept {
    return one.size() == other.size() && ::CRYPTO_memcmp(one.data(), other.data(), one.size()) == 0;
}

std::string to_hex(const sha256_digest& digest) {
    std::string text;
    for (const auto byte : digest) {
        text += digits[byte >> 4U];
        text += digits[byte & 0xfU];
    }
    return text;
}

std::optional<sha256_digest> sha256_from_hex(std::string_view hex) noexcept {
    sha256_digest digest;
    if (hex.size() != 2 * digest.size()) return std::nullopt;
    for (std::size_t i = 0; i < digest.size(); ++i) {
        const auto high = digits.find(to_lower(hex[2 * i]));
        const auto low = digits.find(to_lower(hex[2 * i + 1]));
        if (high == std::string_view::npos || low == std::string_view::npos) return std::nullopt;
        digest[i] = static_cast<unsigned char>(high << 4U | low);
    }
    return digest;
}

} // namespace trackd::base
