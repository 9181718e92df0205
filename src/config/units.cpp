// Reading and writing durations and sizes, both as a number and a unit out of a list.
#include "config/units.hpp"

#include <array>
#include <charconv>
#include <cstdint>
#include <limits>
#include <span>

namespace trackd::config {
namespace {

struct unit {
    std::string_view name;
    std::uint64_t worth;
};

constexpr std::array<unit, 5> times{
    {{"ms", 1}, {"s", 1'000}, {"m", 60'000}, {"h", 3'600'000}, {"d", 86'400'000}}
};

constexpr std::array<unit, 10> sizes{{
    {"", 1},
    {"B", 1},
    {"KB", 1'000},
    {"MB", 1'000'000},
    {"GB", 1'000'000'000},
    {"TB", 1'000'000'000'000},
    {"KiB", 1ULL << 10},
    {"MiB", 1ULL << 20},
    {"GiB", 1ULL << 30},
    {"TiB", 1ULL << 40},
}};

/// What sizes are written in.
constexpr std::array<unit, 5> binary_sizes{
    {{"", 1}, {"KiB", 1ULL << 10}, {"MiB", 1ULL << 20}, {"GiB", 1ULL << 30}, {"TiB", 1ULL << 40}}
};

std::optional<std::uint64_t>
parse(std::string_view text, std::span<const unit> units, std::uint64_t largest) noexcept {
    std::uint64_t number = 0;
    const auto [rest, failure] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (failure == std::errc::invalid_argument) return std::nullopt;
    const auto name = text.substr(static_cast<std::size_t>(rest - text.data()));
    for (const auto& unit : units) {
        if (unit.name != name) continue;
        const bool too_large = failure == std::errc::result_out_of_range || number > largest / unit.worth;
        return too_large ? largest : number * unit.worth;
    }
    return std::nullopt;
}

std::string in_largest(std::uint64_t amount, std::span<const unit> units) {
    auto best = units.front();
    for (const auto& unit : units) {
        if (amount != 0 && amount % unit.worth == 0) best = unit;
    }
    return std::to_string(amount / best.worth).append(best.name);
}

} // namespace

std::optional<std::chrono::milliseconds> parse_duration(std::string_view text) noexcept {
    using std::chrono::milliseconds;
    if (text == "0") return milliseconds{0};
    const auto count = parse(text, times, static_cast<std::uint64_t>(milliseconds::max().count()));
    if (!count) return std::nullopt;
    return milliseconds{static_cast<milliseconds::rep>(*count)};
}

std::optional<std::size_t> parse_size(std::string_view text) noexcept {
    return parse(text, sizes, std::numeric_limits<std::size_t>::max());
}

std::string format(std::chrono::milliseconds duration) {
    if (duration.count() == 0) return "0s";
    return in_largest(static_cast<std::uint64_t>(duration.count()), times);
}

std::string format_size(std::size_t bytes) {
    return in_largest(bytes, binary_sizes);
}

} // namespace trackd::config
