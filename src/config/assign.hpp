// One value into one option: of the right type, and within its bounds, or a problem that says what was
// expected.
#pragma once

#include "config/options.hpp"
#include "config/problems.hpp"
#include "config/value.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace trackd::config {

/// What an error needs to know of an option.
struct expectation {
    form written;
    std::int64_t least;
    std::int64_t most;
    std::string_view note;
};

template <class Owner>
[[nodiscard]] expectation expectation_of(const option<Owner>& row) noexcept {
    return {row.written, row.least, row.most, row.note};
}

/// The range of what can be written, in its unit: `1ms to 1d`. Empty where there is none.
[[nodiscard]] std::string range(const expectation& expected);

/// The words that a choice is made from; empty for other options.
[[nodiscard]] std::span<const std::string_view> choices(const slot& option) noexcept;

/// Sets what `to` points to, or reports why not and leaves it.
/// @param key what an error calls the option
/// @return whether it was set
bool assign(
    const value& from, const slot& to, const expectation& expected, std::string_view key, problems& found
);

} // namespace trackd::config
