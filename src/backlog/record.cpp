#include "backlog/record.hpp"

#include "backlog/little_endian.hpp"
#include "base/crc32c.hpp"

#include <trackd/batch.hpp>

namespace trackd::journal {

namespace {

// Where the fields of a head stand.
constexpr std::size_t checksum_at = 0;
constexpr std::size_t body_bytes_at = 4;
constexpr std::size_t position_at = 8;
constexpr std::size_t body_checksum_at = 16;
constexpr std::size_t kind_at = 20;
constexpr std::size_t flags_at = 21;
constexpr std::size_t zero_at = 22;

constexpr std::uint8_t begins_commit_flag = 1;

// No journal gets there, and sums of positions cannot overflow.
constexpr trackd::position position_limit = trackd::position{1} << 63U;

std::uint32_t checksum_of(std::string_view head, std::uint32_t salt) noexcept {
    return base::crc32c(head.substr(body_bytes_at, record_head::encoded_bytes - body_bytes_at), salt);
}

// The last four bytes of a head say almost always that it is none, and at once.
bool is_known(std::uint8_t kind, std::uint8_t flags, std::uint16_t zero) noexcept {
    return (kind == static_cast<std::uint8_t>(record_kind::event) ||
            kind == static_cast<std::uint8_t>(record_kind::mark)) &&
           (flags & ~begins_commit_flag) == 0 && zero == 0;
}

} // namespace

std::uint32_t
encode(const record_head& head, std::uint32_t salt, std::span<char, record_head::encoded_bytes> to) noexcept {
    store(&to[body_bytes_at], head.body_bytes);
    store(&to[position_at], head.position);
    store(&to[body_checksum_at], head.body_checksum);
    store(&to[kind_at], static_cast<std::uint8_t>(head.kind));
    store(&to[flags_at], head.begins_commit ? begins_commit_flag : std::uint8_t{0});
    store(&to[zero_at], std::uint16_t{0});
    const auto checksum = checksum_of({to.data(), to.size()}, salt);
    store(&to[checksum_at], checksum);
    return checksum;
}

std::optional<record_head> decode_head(std::string_view bytes, std::uint32_t salt) noexcept {
    if (bytes.size() < record_head::encoded_bytes) return {};
    const auto* at = bytes.data();
    const auto kind = load<std::uint8_t>(at + kind_at);
    const auto flags = load<std::uint8_t>(at + flags_at);
    if (!is_known(kind, flags, load<std::uint16_t>(at + zero_at))) return {};
    if (checksum_of(bytes, salt) != head_checksum(bytes)) return {};

    record_head head;
    head.body_bytes = load<std::uint32_t>(at + body_bytes_at);
    head.position = load<trackd::position>(at + position_at);
    head.body_checksum = load<std::uint32_t>(at + body_checksum_at);
    head.kind = static_cast<record_kind>(kind);
    head.begins_commit = (flags & begins_commit_flag) != 0;
    if (head.position == 0 || head.position >= position_limit) return {};
    if (head.kind == record_kind::mark && head.body_bytes != 0) return {};
    return head;
}

std::uint32_t head_checksum(std::string_view bytes) noexcept {
    return load<std::uint32_t>(bytes.data() + checksum_at);
}

bool is_sound(const record_head& head, std::string_view body) noexcept {
    if (body.size() != head.body_bytes || base::crc32c(body) != head.body_checksum) return false;
    return head.kind == record_kind::mark || is_one_event(body);
}

} // namespace trackd::journal
