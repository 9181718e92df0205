#include "backlog/recovery.hpp"

#include "backlog/segment_walk.hpp"
#include "backlog/set_aside.hpp"
#include "base/log.hpp"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <stdexcept>
#include <string>
#include <utility>

namespace trackd::journal {

namespace {

// The head of a record, and what every event's encoding has.
constexpr std::uint64_t least_event_bytes = record_bytes(40);

constexpr std::string_view set_aside_suffix = ".damaged";

// The name before the suffix; nothing if it has another.
std::string_view without(std::string_view name, std::string_view suffix) noexcept {
    return name.ends_with(suffix) ? name.substr(0, name.size() - suffix.size()) : std::string_view{};
}

// What one reading of the newest segment has found. Damage before its end is found again, and dealt with, by whoever
// reads that part for a sink.
struct newest_segment {
    trackd::position end = 1; // of the events in it
    std::uint32_t chain = 0;
    segment_end tail;
};

newest_segment read_newest(file& open, const segment_file& segment) {
    newest_segment found{segment.header.first, segment.header.chain, {}};
    segment_walk walk{
        open, segment.header, {segment_header::encoded_bytes, segment.header.first}, segment.bytes
    };
    for (;;) {
        const auto step = walk.next();
        if (const auto* record = std::get_if<found_record>(&step)) {
            const bool is_event = record->head.kind == record_kind::event;
            found.end = record->head.position + (is_event ? 1 : 0);
            found.chain = extend_chain(found.chain, record->head_checksum);
        } else if (const auto* end = std::get_if<segment_end>(&step)) {
            found.tail = *end;
            return found;
        }
    }
}

class recovery {
public:
    recovery(file_system& files, const std::filesystem::path& directory, std::uint64_t segment_bytes)
        : files_{files}, directory_{directory}, segment_bytes_{segment_bytes} {}

    recovered run(const cursors& kept) {
        for (const auto& name : files_.list(directory_))
            look_at(name);
        std::sort(found_.segments.begin(), found_.segments.end(), [](const auto& a, const auto& b) {
            return a.header.first < b.header.first;
        });
        if (!found_.segments.empty()) mend(found_.segments.back());
        go_on_behind(kept);
        files_.sync_directory(directory_); // the names that we have seen are those that a power cut leaves
        return std::move(found_);
    }

private:
    void look_at(const std::string& name) {
        const auto path = directory_ / name;
        if (const auto lost = first_position(without(name, set_aside_suffix))) {
            lost_positions(*lost, files_.open(path, open_mode::read)->size(), false);
        } else if (name.ends_with(".new")) {
            files_.remove(path);
        } else if (const auto first = first_position(name)) {
            look_at_segment(path, *first);
        } else if (spare_number(name)) {
            look_at_spare(path);
        }
    }

    void look_at_spare(const std::filesystem::path& path) {
        if (files_.open(path, open_mode::read)->size() == segment_bytes_)
            found_.spares.push_back(path);
        else
            files_.remove(path);
    }

    void look_at_segment(const std::filesystem::path& path, trackd::position first) {
        const auto open = files_.open(path, open_mode::read);
        const auto [state, header] = read_header(*open);
        if (state == header_state::newer)
            throw std::runtime_error{fmt::format(
                "journal: {}: was written by a newer version of trackd (format {}; this one knows formats up "
                "to {}); run that version, or let it deliver what is pending first",
                path.string(), header.version, segment_header::newest_version
            )};
        if (state == header_state::sound && header.first == first)
            found_.segments.push_back({header, open->size(), path});
        else
            set_file_aside(path, first, open->size());
    }

    // Without its header a segment's records cannot be told from anything else.
    void set_file_aside(const std::filesystem::path& path, trackd::position first, std::uint64_t bytes) {
        const auto to = path.string() + std::string{set_aside_suffix};
        base::log().error(
            "journal: {}: its header cannot be read: {} bytes are set aside as {}", path.string(), bytes, to
        );
        files_.rename(path, to);
        files_.sync_directory(directory_);
        found_.damaged_bytes += bytes;
        lost_positions(first, bytes, true);
    }

    void lost_positions(trackd::position first, std::uint64_t bytes, bool by_this_run) {
        if (first >= lost_.first) lost_ = {first, first + bytes / least_event_bytes, by_this_run};
    }

    // The newest segment is the one that may end in a commit that never finished.
    void mend(segment_file& newest) {
        const auto open = files_.open(newest.path, open_mode::write);
        const auto seen = read_newest(*open, newest);
        if (seen.tail.torn_bytes > 0) cut(*open, newest, seen.tail);
        if (newest.bytes > seen.tail.offset) open->truncate(seen.tail.offset);
        // What the system still has in memory only must be on disk before something is built on it.
        open->sync();
        newest.bytes = seen.tail.offset;
        found_.goes_on = {seen.end, seen.chain};
    }

    void cut(file& open, const segment_file& newest, const segment_end& tail) {
        const auto to = fmt::format("{}.{}.torn", newest.path.string(), tail.offset);
        base::log().warn(
            "journal: {}: its last commit was interrupted: {} bytes after offset {} are cut off, and kept as "
            "{}",
            newest.path.string(), tail.torn_bytes, tail.offset, to
        );
        set_aside(files_, open, tail.offset, tail.torn_bytes, to);
        found_.torn_bytes += tail.torn_bytes;
    }

    // No position is given out twice.
    void go_on_behind(const cursors& kept) {
        auto& next = found_.goes_on.next;
        auto reached = next;
        if (found_.segments.empty() &&
            !lost_.by_this_run) // an earlier run has gone on behind what it set aside
            for (const auto& [sink, at] : kept)
                reached = std::max(reached, at.at);
        if (lost_.first >= reached) next = lost_.end;
        for (const auto& [sink, at] : kept) {
            if (at.at <= next) continue;
            if (!found_.segments.empty()) // else all were given up, and the cursors keep the next position
                base::log().warn(
                    "journal: sink {} has got as far as {}, the journal only to {}", sink, at.at, next
                );
            next = at.at;
        }
    }

    file_system& files_;
    const std::filesystem::path& directory_;
    const std::uint64_t segment_bytes_;

    // The positions that the last segment without a header can have had: if it was the newest, nothing else says how far
    // they went.
    struct {
        trackd::position first = 0;
        trackd::position end = 0;
        bool by_this_run = false;
    } lost_;

    recovered found_;
};

} // namespace

recovered recover(
    file_system& files, const std::filesystem::path& directory, const cursors& kept,
    std::uint64_t segment_bytes
) {
    return recovery{files, directory, segment_bytes}.run(kept);
}

} // namespace trackd::journal
