// Identifiers for events whose client gave none: UUIDs of version 7 (RFC 9562 section 5.7).
#pragma once

#include <trackd/wall_time.hpp>

#include <array>
#include <cstdint>
#include <string_view>

namespace trackd::base {

/// Makes UUIDs that rise with time, also within a millisecond and when the wall clock steps back by at most a day (RFC
/// 9562 section 6.2, method 1: a counter). After a larger step back they follow the clock. One a thread: not safe to share. Seeded from the system's entropy.
class uuid7_generator {
public:
    uuid7_generator();

    /// For tests: random bits from this seed.
    explicit uuid7_generator(std::uint64_t seed) noexcept;

    /// @return 36 characters, lower case: `0190163d-8694-739b-aea5-966c26f8ad91`. Valid until the next call.
    [[nodiscard]] std::string_view next(wall_time now) noexcept;

private:
    [[nodiscard]] std::uint64_t random() noexcept;

    std::array<std::uint64_t, 4> state_;
    std::int64_t last_ms_ = 0;
    std::uint32_t counter_ = 0;
    std::uint64_t high_ = 0;    // of the identifier that stands in the text
    std::array<char, 36> text_; // of the last one
};

} // namespace trackd::base
