// The layout is that of RFC 9562 section 5.7. A counter of 26 bits stands behind the milliseconds (12 of them
// in `rand_a`, 14 at the head of `rand_b`); the remaining 48 bits are random for each identifier.
#include "base/uuid7.hpp"

#include <algorithm>
#include <bit>
#include <chrono>
#include <cstddef>
#include <random>
#include <string_view>

namespace trackd::base {

namespace {

// A clock that steps back by more was wrong before: identifiers would carry a time from the future until the clock gets
// there, and for a reading that was 400 days ahead that is longer than the process lives.
constexpr std::int64_t longest_ahead_ms = std::chrono::milliseconds{std::chrono::days{1}}.count();

constexpr unsigned counter_bits = 26;
constexpr std::uint32_t counter_end = 1U << counter_bits;

/// Spreads a seed over the whole state (SplitMix64, which is never zero four times in a row).
std::uint64_t spread(std::uint64_t& seed) noexcept {
    seed += 0x9e3779b97f4a7c15U;
    std::uint64_t mixed = seed;
    mixed = (mixed ^ (mixed >> 30U)) * 0xbf58476d1ce4e5b9U;
    mixed = (mixed ^ (mixed >> 27U)) * 0x94d049bb133111ebU;
    return mixed ^ (mixed >> 31U);
}

constexpr auto hex_of_byte = [] {
    constexpr std::string_view digits = "0123456789abcdef";
    std::array<std::array<char, 2>, 256> text{};
    for (std::size_t byte = 0; byte < text.size(); ++byte)
        text[byte] = {digits[byte >> 4U], digits[byte & 0xfU]};
    return text;
}();

/// Writes so many of the value's highest bytes.
char* put_hex(char* to, std::uint64_t value, unsigned bytes) noexcept {
    for (unsigned i = 0; i < bytes; ++i, value <<= 8U)
        to = std::copy_n(hex_of_byte[value >> 56U].data(), 2, to);
    return to;
}

constexpr std::size_t high_chars = 19; // its 16 digits, and the dashes within and behind them

void put_high(char* to, std::uint64_t high) noexcept {
    to = put_hex(to, high, 4);
    *to++ = '-';
    to = put_hex(to, high << 32U, 2);
    *to++ = '-';
    to = put_hex(to, high << 48U, 2);
    *to = '-';
}

void put_low(char* to, std::uint64_t low) noexcept {
    to = put_hex(to, low, 2);
    *to++ = '-';
    put_hex(to, low << 16U, 6);
}

} // namespace

uuid7_generator::uuid7_generator() {
    std::random_device entropy;
    for (auto& word : state_)
        word = (std::uint64_t{entropy()} << 32U) | entropy();
    state_[0] |= 1U; // the generator below needs a state that is not zero
}

uuid7_generator::uuid7_generator(std::uint64_t seed) noexcept {
    for (auto& word : state_)
        word = spread(seed);
}

std::string_view uuid7_generator::next(wall_time now) noexcept {
    const auto since_epoch = std::chrono::floor<std::chrono::milliseconds>(now).time_since_epoch();
    const std::int64_t now_ms = std::max<std::int64_t>(since_epoch.count(), 0);

    if (now_ms > last_ms_ || last_ms_ - now_ms > longest_ahead_ms) {
        last_ms_ = now_ms;
        counter_ = static_cast<std::uint32_t>(random() >> 39U); // 25 bits: leaves room to count at least 2^25
    } else if (++counter_ == counter_end) {
        ++last_ms_; // ahead of the clock, rather than out of order
        counter_ = 0;
    }

    constexpr std::uint64_t version = 7U << 12U;
    constexpr std::uint64_t variant = std::uint64_t{0b10} << 62U;
    const std::uint64_t high = (static_cast<std::uint64_t>(last_ms_) << 16U) | version | (counter_ >> 14U);
    const std::uint64_t low = variant | (std::uint64_t{counter_ & 0x3fffU} << 48U) | (random() >> 16U);
    if (high != high_) { // it is the same for thousands in a row
        high_ = high;
        put_high(text_.data(), high);
    }
    put_low(text_.data() + high_chars, low);
    return {text_.data(), text_.size()};
}

/// xoshiro256**: not for secrets, which identifiers are not.
std::uint64_t uuid7_generator::random() noexcept {
    const std::uint64_t result = std::rotl(state_[1] * 5U, 7) * 9U;
    const std::uint64_t shifted = state_[1] << 17U;
    state_[2] ^= state_[0];
    state_[3] ^= state_[1];
    state_[1] ^= state_[2];
    state_[0] ^= state_[3];
    state_[2] ^= shifted;
    state_[3] = std::rotl(state_[3], 45);
    return result;
}

} // namespace trackd::base
