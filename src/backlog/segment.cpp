#include "backlog/segment.hpp"

#include "backlog/little_endian.hpp"
#include "base/crc32c.hpp"

#include <algorithm>
#include <array>
#include <charconv>

namespace trackd::journal {

namespace {

// The header stands at the beginning of both halves of its block. The magic, the checksum and the version stay where
// they are for ever, so that any version of trackd can tell a newer one's segment from a damaged one.
constexpr std::size_t half_bytes = segment_header::encoded_bytes / 2;

constexpr std::string_view magic = "trkd-seg";
constexpr std::size_t checksum_at = 8; // over all of the half that follows it
constexpr std::size_t version_at = 12;
constexpr std::size_t first_at = 16;
constexpr std::size_t salt_at = 24;
constexpr std::size_t chain_at = 28;
constexpr std::size_t flags_at = 32;

constexpr std::uint32_t reused_flag = 1;

constexpr std::string_view name_suffix = ".segment";
constexpr std::size_t name_digits = 20; // so that names sort as positions do
constexpr std::string_view spare_prefix = "spare-";

std::uint32_t checksum_of(std::string_view half) noexcept {
    return base::crc32c(half.substr(version_at));
}

// The digits, and nothing else, between the two.
std::optional<std::uint64_t>
number_between(std::string_view prefix, std::string_view name, std::string_view suffix) noexcept {
    if (!name.starts_with(prefix) || !name.ends_with(suffix) || name.size() < prefix.size() + suffix.size())
        return {};
    name.remove_prefix(prefix.size());
    name.remove_suffix(suffix.size());
    std::uint64_t number = 0;
    const auto* end = name.data() + name.size();
    const auto [stopped, error] = std::from_chars(name.data(), end, number);
    if (error != std::errc{} || stopped != end) return {};
    return number;
}

decoded_header decode_half(std::string_view half) noexcept {
    if (half.size() < half_bytes || !half.starts_with(magic)) return {};
    const auto* at = half.data();
    if (checksum_of(half) != load<std::uint32_t>(at + checksum_at)) return {};
    decoded_header decoded;
    decoded.header.version = load<std::uint32_t>(at + version_at);
    if (decoded.header.version > segment_header::newest_version) {
        decoded.state = header_state::newer;
        return decoded;
    }
    const auto flags = load<std::uint32_t>(at + flags_at);
    decoded.header.first = load<trackd::position>(at + first_at);
    decoded.header.salt = load<std::uint32_t>(at + salt_at);
    decoded.header.chain = load<std::uint32_t>(at + chain_at);
    decoded.header.reused = (flags & reused_flag) != 0;
    const auto makes_sense =
        decoded.header.version != 0 && decoded.header.first != 0 && (flags & ~reused_flag) == 0;
    if (makes_sense) decoded.state = header_state::sound;
    return decoded;
}

} // namespace

void encode(const segment_header& header, std::span<char, segment_header::encoded_bytes> to) noexcept {
    std::fill(to.begin(), to.end(), '\0');
    std::copy(magic.begin(), magic.end(), to.begin());
    store(&to[version_at], header.version);
    store(&to[first_at], header.first);
    store(&to[salt_at], header.salt);
    store(&to[chain_at], header.chain);
    store(&to[flags_at], header.reused ? reused_flag : 0U);
    store(&to[checksum_at], checksum_of({to.data(), half_bytes}));
    std::copy_n(to.begin(), half_bytes, to.begin() + half_bytes);
}

decoded_header decode_header(std::string_view bytes) noexcept {
    const auto first = decode_half(bytes.substr(0, half_bytes));
    if (first.state != header_state::damaged || bytes.size() <= half_bytes) return first;
    return decode_half(bytes.substr(half_bytes, half_bytes));
}

std::uint32_t extend_chain(std::uint32_t chain, std::uint32_t head_checksum) noexcept {
    std::array<char, sizeof head_checksum> bytes{};
    store(bytes.data(), head_checksum);
    return base::crc32c({bytes.data(), bytes.size()}, chain);
}

std::string segment_name(trackd::position first) {
    const auto digits = std::to_string(first);
    return std::string(name_digits - digits.size(), '0').append(digits).append(name_suffix);
}

std::optional<trackd::position> first_position(std::string_view name) noexcept {
    if (name.size() != name_digits + name_suffix.size()) return {};
    const auto first = number_between({}, name, name_suffix);
    return first == trackd::position{0} ? std::nullopt : first;
}

std::string spare_name(std::uint64_t number) {
    return std::string{spare_prefix}.append(std::to_string(number)).append(name_suffix);
}

std::optional<std::uint64_t> spare_number(std::string_view name) noexcept {
    return number_between(spare_prefix, name, name_suffix);
}

} // namespace trackd::journal
