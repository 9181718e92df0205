// One record of the journal: an event or a mark, with what is needed to find it again among damage. docs/journal.md
// has the layout.
#pragma once

#include <trackd/event.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace trackd::journal {

/// Commits begin on such a boundary, so that no block with an acknowledged record is ever written again.
inline constexpr std::size_t block_bytes = 4096;

/// Records begin on such a boundary.
inline constexpr std::size_t record_alignment = 8;

[[nodiscard]] constexpr std::uint64_t round_up(std::uint64_t n, std::uint64_t to) noexcept {
    return (n + to - 1) / to * to;
}

enum class record_kind : std::uint8_t {
    event = 1, ///< its body is one event as `batch` encodes it
    mark = 2,  ///< no body: says that every position below its own was given out, and is on disk before it
};

/// What stands before a record's body; 24 bytes, little-endian.
struct record_head {
    std::uint32_t body_bytes = 0;
    trackd::position position = 0;
    std::uint32_t body_checksum = 0; ///< CRC32C
    record_kind kind = record_kind::event;
    bool begins_commit = false; ///< so everything before it was on disk when it was written

    static constexpr std::size_t encoded_bytes = 24;

    /// The whole record, with the padding behind it.
    [[nodiscard]] std::uint64_t record_bytes() const noexcept {
        return round_up(encoded_bytes + body_bytes, record_alignment);
    }

    bool operator==(const record_head&) const = default;
};

/// What a whole record takes whose body has so many bytes.
[[nodiscard]] constexpr std::uint64_t record_bytes(std::uint64_t body_bytes) noexcept {
    return round_up(record_head::encoded_bytes + body_bytes, record_alignment);
}

/// Writes the head. Its own checksum is seeded with the segment's salt, so that neither what an earlier use of the
/// file left behind nor a client's data passes for a record of this segment.
/// @return that checksum, for the segment's chain
std::uint32_t
encode(const record_head& head, std::uint32_t salt, std::span<char, record_head::encoded_bytes> to) noexcept;

/// Checks the head's own checksum, and that its fields make sense. Says nothing about the body.
/// @param bytes any number; fewer than a head are no head
[[nodiscard]] std::optional<record_head> decode_head(std::string_view bytes, std::uint32_t salt) noexcept;

/// The stored checksum of a head that was decoded from these bytes.
[[nodiscard]] std::uint32_t head_checksum(std::string_view bytes) noexcept;

/// Whether the body is what was written: its checksum, and for an event that its encoding is sound.
/// @param body exactly `head.body_bytes` bytes
[[nodiscard]] bool is_sound(const record_head& head, std::string_view body) noexcept;

} // namespace trackd::journal
