// A segment: one file of the journal. Its name, its header, and the checksum that chains it to the one before.
#pragma once

#include "backlog/record.hpp"

#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace trackd::journal {

/// The first block of every segment. It is written and synced before the file gets its name.
struct segment_header {
    static constexpr std::size_t encoded_bytes = block_bytes;
    static constexpr std::uint32_t newest_version = 1;

    std::uint32_t version = newest_version;
    trackd::position first = 1; ///< of the first event in it
    std::uint32_t salt = 0;     ///< seeds the checksums of its records' heads
    std::uint32_t chain = 0;    ///< checksum of all that came before: see `extend_chain`
    bool reused =
        false; ///< the file served before: what lies behind the last record may be old, and means nothing

    bool operator==(const segment_header&) const = default;
};

/// Fills the whole block; the header stands in it twice, so that one bad sector does not take the salt away.
void encode(const segment_header& header, std::span<char, segment_header::encoded_bytes> to) noexcept;

enum class header_state {
    sound,
    newer,   ///< written by a version of trackd whose format we do not know: `header.version` says which
    damaged, ///< neither copy is sound
};

struct decoded_header {
    header_state state = header_state::damaged;
    segment_header
        header; ///< only `version` means something where it is newer, and nothing where it is damaged
};

/// @param bytes the file's beginning; may be shorter than a block
[[nodiscard]] decoded_header decode_header(std::string_view bytes) noexcept;

/// The running checksum over the heads of all records from the journal's beginning, in order.
[[nodiscard]] std::uint32_t extend_chain(std::uint32_t chain, std::uint32_t head_checksum) noexcept;

/// `00000000000000000001.segment`
[[nodiscard]] std::string segment_name(trackd::position first);

/// @return nothing if the name is no segment's
[[nodiscard]] std::optional<trackd::position> first_position(std::string_view name) noexcept;

/// `spare-3.segment`: a file that waits to become a segment.
[[nodiscard]] std::string spare_name(std::uint64_t number);

/// @return nothing if the name is no spare's
[[nodiscard]] std::optional<std::uint64_t> spare_number(std::string_view name) noexcept;

} // namespace trackd::journal
