// What a row of files has behind a place: which of the events that come again are there already.
#pragma once

#include "sinks/file_place.hpp"
#include "sinks/packed_file.hpp"

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

namespace trackd::sinks {

/// Goes through the lines behind a place, once and forward, and reads each file as it comes to it. An exception leaves it
/// of no more use: begin again, at the last place.
class file_replay {
public:
    /// @param files oldest first
    /// @param from  in the newest file that it can be in
    /// @return nothing, if it is in none of them; the log says which of those that it has looked into cannot be read
    /// @throws std::system_error where trying again helps; std::runtime_error if it is asked to stop
    [[nodiscard]] static std::optional<file_replay>
    begin(std::vector<std::filesystem::path> files, const file_place& from, const std::stop_token& stop);

    /// Whether nothing is left.
    [[nodiscard]] bool at_end();

    /// Looks for a line, and goes behind it. Those that it goes over belong to nothing that comes: they are dead letters
    /// that were delivered, or lines of events that are not given to the sink any more, since what comes is in order.
    /// @param line with its end
    /// @return false if it is not there: then nothing is left
    /// @throws as `begin`
    [[nodiscard]] bool find(std::string_view line, const std::stop_token& stop);

    /// Behind the line that was found last.
    [[nodiscard]] const file_place& place() const noexcept { return place_; }

    [[nodiscard]] std::uint64_t found() const noexcept { return found_; }

    /// The lines that it has gone over, and the file with the first of them; and why a file could not be read to its end.
    [[nodiscard]] std::uint64_t others() const noexcept { return others_; }

    [[nodiscard]] const std::filesystem::path& first_of_others() const noexcept { return first_of_others_; }

    [[nodiscard]] const std::string& damage() const noexcept { return damage_; }

    /// The disk has all that is left.
    /// @throws std::system_error
    void sync() const;

private:
    file_replay(
        std::vector<std::filesystem::path> files, std::size_t next, std::unique_ptr<file_reader> reader,
        file_place from
    );

    [[nodiscard]] bool more();
    [[nodiscard]] std::string_view ahead();
    void end_at(const damaged_file& why);
    [[nodiscard]] bool next_is(std::string_view line, const std::stop_token& stop);

    std::vector<std::filesystem::path> files_;
    std::size_t next_;                    // of them, to be read
    std::unique_ptr<file_reader> reader_; // of the one before
    file_place here_;
    file_place place_;
    std::uint64_t found_ = 0;
    std::uint64_t others_ = 0;
    std::filesystem::path first_of_others_;
    std::string damage_;
};

} // namespace trackd::sinks
