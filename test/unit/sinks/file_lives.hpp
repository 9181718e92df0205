// One file sink after the other on the same files, as if each had been killed: what is kept is the bookmark alone.
#pragma once

#include "lines.hpp"
#include "sinks/file.hpp"
#include "sinks/packed_file.hpp"
#include "sinks/rotated_files.hpp"

#include <trackd/backlog.hpp>

namespace trackd::test {

/// The lines of a file, packed or not.
inline std::string unpacked(const std::filesystem::path& file) {
    sinks::file_reader reader{file};
    std::string text;
    for (auto piece = reader.peek(); !piece.empty(); piece = reader.peek()) {
        text += piece;
        reader.consume(piece.size());
    }
    return text;
}

struct file_lives {
    temporary_directory directory;
    std::filesystem::path path = directory / "events.jsonl";
    sinks::file_options options{.sync = false};
    wall_time now = noon;

    /// @param bookmark that was kept; empty: none was, so it is the sink's own
    std::unique_ptr<sink> begin(const std::string& bookmark = {}) {
        options.path = path;
        auto made = sinks::make_file_sink(options, [this] { return now; });
        made->open();
        CHECK(is_bookmark(made->bookmark()));
        made->resume(bookmark.empty() ? made->bookmark() : bookmark);
        return made;
    }

    /// Writes the events in this life, and returns the bookmark that was kept then.
    std::string write(sink& to, std::span<const event_view> events) {
        write_all(to, events);
        CHECK(is_bookmark(to.bookmark()));
        return to.bookmark();
    }

    /// Oldest first, the current one last.
    [[nodiscard]] std::vector<std::filesystem::path> files() const {
        auto all = sinks::rotated_files{path}.list();
        if (std::filesystem::exists(path)) all.push_back(path);
        return all;
    }

    /// Of all lines in all files, in their order.
    [[nodiscard]] std::vector<std::string> ids() const {
        std::vector<std::string> all;
        for (const auto& file : files())
            for (const auto& line : lines_of(unpacked(file))) {
                const auto object = boost::json::parse(line).as_object();
                all.emplace_back(object.at("id").as_string());
            }
        return all;
    }
};

inline std::vector<std::string> ids_up_to(std::size_t last) {
    return numbered_events{last}.ids();
}

/// All lines of numbered_events with one digit are as long.
inline std::uint64_t line_bytes() {
    file_lives one;
    write_all(*one.begin(), numbered_events{1});
    return std::filesystem::file_size(one.path);
}

} // namespace trackd::test
