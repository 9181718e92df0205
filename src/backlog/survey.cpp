#include "backlog/survey.hpp"

#include <trackd/batch.hpp>

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <stdexcept>
#include <system_error>
#include <utility>

namespace trackd::journal {

namespace {

namespace fs = std::filesystem;

bool is_missing(const std::system_error& failure) {
    return failure.code() == std::errc::no_such_file_or_directory;
}

/// @return nothing if it has been given up meanwhile
std::optional<surveyed_segment>
look_at(file_system& files, const fs::path& directory, const std::string& name, trackd::position first) {
    surveyed_segment segment{name, first, 0, {}, {}};
    try {
        const auto open = files.open(directory / name, open_mode::read);
        segment.bytes = open->size();
        segment.header = read_header(*open);
    } catch (const std::system_error& failure) {
        if (is_missing(failure)) return {};
        segment.error = failure.what();
    }
    return segment;
}

std::vector<std::string> names_in(file_system& files, const fs::path& directory) {
    try {
        return files.list(directory);
    } catch (const std::system_error& failure) {
        if (!is_missing(failure)) throw;
        throw std::runtime_error{fmt::format(
            "there is no journal in {}: no such directory; expected the directory \"journal\" of a trackd's "
            "data_dir",
            directory.string()
        )};
    }
}

} // namespace

std::vector<surveyed_segment> survey(file_system& files, const fs::path& directory) {
    const auto names = names_in(files, directory);
    std::vector<surveyed_segment> segments;
    for (const auto& name : names) {
        const auto first = first_position(name);
        if (!first) continue;
        if (auto segment = look_at(files, directory, name, *first)) segments.push_back(std::move(*segment));
    }
    if (segments.empty() && std::find(names.begin(), names.end(), "cursors") == names.end())
        throw std::runtime_error{fmt::format(
            "there is no journal in {}: expected files such as {}, or cursors", directory.string(),
            segment_name(1)
        )};
    std::sort(segments.begin(), segments.end(), [](const auto& a, const auto& b) {
        return a.first < b.first;
    });
    return segments;
}

bool is_still_there(file_system& files, const fs::path& directory, const surveyed_segment& segment) {
    const auto now = look_at(files, directory, segment.name, segment.first);
    return now && now->header.state == segment.header.state && now->header.header == segment.header.header;
}

std::string newer_version(const surveyed_segment& segment) {
    return fmt::format(
        "{}: was written by a newer version of trackd (format {}; this one knows formats up to {}); use that "
        "version",
        segment.name, segment.header.header.version, segment_header::newest_version
    );
}

std::string positions(trackd::position first, trackd::position end) {
    if (end - first == 1) return fmt::format("position {} is", first);
    return fmt::format("positions {} to {} are", first, end - 1);
}

segment_pass::segment_pass(file_system& files, const fs::path& directory, const surveyed_segment& segment)
    : file_{files.open(directory / segment.name, open_mode::read)}, header_{segment.header.header},
      bytes_{file_->size()}, position_{header_.first}, chain_{header_.chain} {
    walk_.emplace(*file_, header_, segment_walk::place{segment_header::encoded_bytes, header_.first}, bytes_);
}

pass_step segment_pass::next() {
    for (;;) {
        const auto step = held_back_ ? *std::exchange(held_back_, {}) : careful_step();
        if (const auto* bad = std::get_if<bad_range>(&step)) {
            bad_ = *bad;
        } else if (const auto* record = std::get_if<found_record>(&step)) {
            if (const auto found = flaw_before(*record)) {
                held_back_ = step;
                return *found;
            }
            if (const auto event = pass(*record)) return *event;
        } else if (const auto bad_end = std::exchange(bad_, {})) {
            held_back_ = step;
            return flaw{bad_end->offset, bad_end->bytes, position_, position_};
        } else {
            return std::get<segment_end>(step);
        }
    }
}

walk_step segment_pass::careful_step() {
    const auto before = walk_->at();
    auto step = walk_->next();
    if (!std::holds_alternative<bad_range>(step) || looked_twice_at_ == before.offset) return step;
    looked_twice_at_ = before.offset;
    walk_.emplace(*file_, header_, before, bytes_); // which reads it from the file again
    return walk_->next();
}

std::optional<flaw> segment_pass::flaw_before(const found_record& record) {
    const auto bad = std::exchange(bad_, {});
    const auto expected = std::exchange(position_, std::max(position_, record.head.position));
    if (!bad && position_ == expected) return {};
    return flaw{bad ? bad->offset : record.offset, bad ? bad->bytes : 0, expected, position_};
}

std::optional<passed_event> segment_pass::pass(const found_record& record) {
    chain_ = extend_chain(chain_, record.head_checksum);
    if (record.head.kind == record_kind::mark) return {};
    position_ = record.head.position + 1;
    return passed_event{record.head.position, *batch::iterator{record.body.data()}};
}

} // namespace trackd::journal
