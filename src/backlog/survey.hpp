// A journal as somebody sees it who only looks at it from outside, maybe while a daemon works on it: its segments in
// order, and a pass through one of them that knows which positions are missing.
#pragma once

#include "backlog/file_system.hpp"
#include "backlog/segment.hpp"
#include "backlog/segment_walk.hpp"

#include <trackd/event.hpp>

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace trackd::journal {

/// A segment as it was found.
struct surveyed_segment {
    std::string name;
    trackd::position first = 1; ///< as its name says
    std::uint64_t bytes = 0;
    decoded_header header; ///< damaged if there is an error
    std::string error;     ///< not empty: it cannot be read at all, and why

    [[nodiscard]] bool is_sound() const noexcept { return header.state == header_state::sound; }
};

/// All segments in order, but those that were given up meanwhile. Reads no more than their headers.
/// @throws std::runtime_error if there is no journal in the directory: no segment, and no cursors
[[nodiscard]] std::vector<surveyed_segment>
survey(file_system& files, const std::filesystem::path& directory);

/// Whether the segment is still there, and is the one that was surveyed: a daemon may have given it up, and its file
/// may serve again.
[[nodiscard]] bool
is_still_there(file_system& files, const std::filesystem::path& directory, const surveyed_segment& segment);

/// For people: why nothing can be done with a segment that a newer version wrote.
[[nodiscard]] std::string newer_version(const surveyed_segment& segment);

/// For people: `position 7 is`, `positions 7 to 9 are`.
/// @param end behind the last one, of which there is at least one
[[nodiscard]] std::string positions(trackd::position first, trackd::position end);

/// An event at its place. Its views live until the next step.
struct passed_event {
    trackd::position position = 0;
    event_view event;
};

/// Something that is not as it should be: bytes that cannot be read, positions that are not there, or both.
struct flaw {
    std::uint64_t offset = 0; ///< in the file
    std::uint64_t bytes = 0;
    trackd::position first = 0; ///< [first, end) are missing
    trackd::position end = 0;
};

using pass_step = std::variant<passed_event, flaw, segment_end>;

/// Reads a segment from its beginning to its end. What looks damaged is looked at twice, because a commit that is being
/// written looks so, too. Throws std::system_error where the disk cannot read.
class segment_pass {
public:
    /// @param segment a sound one
    segment_pass(file_system& files, const std::filesystem::path& directory, const surveyed_segment& segment);

    /// After `segment_end` it is over.
    [[nodiscard]] pass_step next();

    /// The position behind what was passed so far.
    [[nodiscard]] trackd::position position() const noexcept { return position_; }

    /// Over all records passed so far, and all before the segment. Means nothing if a flaw was found.
    [[nodiscard]] std::uint32_t chain() const noexcept { return chain_; }

private:
    [[nodiscard]] walk_step careful_step();
    [[nodiscard]] std::optional<flaw> flaw_before(const found_record& record);
    [[nodiscard]] std::optional<passed_event> pass(const found_record& record);

    const std::unique_ptr<file> file_;
    const segment_header header_;
    const std::uint64_t bytes_;
    std::optional<segment_walk> walk_;
    trackd::position position_;
    std::uint32_t chain_;
    std::optional<bad_range> bad_;       // met, not told yet
    std::optional<walk_step> held_back_; // what comes after a flaw that was told first
    std::uint64_t looked_twice_at_ = 0;
};

} // namespace trackd::journal
