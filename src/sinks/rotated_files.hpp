// How the file sink names the files that it has closed, and finds them again:
// `events.jsonl` becomes `events-20261121T081530.000000Z.jsonl`; that, packed, has `.zst` behind it.
#pragma once

#include <trackd/event.hpp>

#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace trackd::sinks {

/// The closed files beside one current file. Holds nothing but its path: every call looks at the directory.
class rotated_files {
public:
    explicit rotated_files(std::filesystem::path current);

    /// A name for the current file to be moved to: nothing has it, and it sorts behind those of all other
    /// closed files.
    /// @throws std::filesystem::filesystem_error if the directory cannot be read
    [[nodiscard]] std::filesystem::path next(wall_time now) const;

    /// Whether a name that `next` gave is ahead of the clock: it had to sort behind one from the future.
    [[nodiscard]] bool is_ahead(const std::filesystem::path& closed, wall_time now) const;

    /// All closed files, oldest first; of one that is there packed and as it was, the latter. Files whose names only
    /// look alike are not among them.
    /// @throws std::filesystem::filesystem_error if the directory cannot be read
    [[nodiscard]] std::vector<std::filesystem::path> list() const;

    /// What it is called when it is packed.
    [[nodiscard]] static std::filesystem::path packed(const std::filesystem::path& closed);

    /// Whether one of those that `list` gives is packed.
    [[nodiscard]] bool is_packed(const std::filesystem::path& closed) const;

    /// Removes the oldest, so that `keep` are left; 0 keeps all. What cannot be removed is logged, and stays.
    void prune(std::size_t keep) const;

private:
    [[nodiscard]] std::optional<wall_time> closed_at(const std::filesystem::path& file) const;
    [[nodiscard]] std::optional<wall_time> stamp_in(std::string_view name) const;
    [[nodiscard]] std::filesystem::path name(wall_time closed_at) const;

    std::filesystem::path directory_;
    std::string stem_;      // "events"
    std::string extension_; // ".jsonl"
};

} // namespace trackd::sinks
