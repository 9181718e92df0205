// A file that grows by whole lines, and holds nothing else even after a crash: what the file sink and the dead letters
// are kept in.
#pragma once

#include "base/descriptor.hpp"

#include <trackd/wall_time.hpp>

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace trackd::sinks {

/// Used by one thread at a time.
class line_file {
public:
    /// @param path       absolute
    /// @param line_start what each of our lines begins with: a file that ends within a line of somebody else is refused
    line_file(std::filesystem::path path, std::string line_start)
        : path_{std::move(path)}, line_start_{std::move(line_start)} {}

    line_file(const line_file&) = delete;
    line_file& operator=(const line_file&) = delete;

    /// Finds out whether `open` can work, where missing directories are made before it; changes nothing.
    /// @throws as `open`
    void check() const;

    /// Opens what is at the path, or makes it (0600). A last line that is unfinished, and ours, is cut off: a crash can
    /// leave one. What was open before is let go.
    /// @throws std::system_error; std::runtime_error if it is no regular file, or ends within a line that is not ours
    void open();

    /// Opens it again if it is not open, or is no longer what stands at the path; and takes note of what somebody else
    /// has done to its size.
    /// @return whether it is the file that it was, and no shorter: its lines are still there then
    /// @throws as `open`
    bool follow_path();

    /// Appends all or nothing, and returns when the disk has it (`sync`), or the system.
    /// @param lines whole ones
    /// @throws std::system_error
    void append(std::string_view lines, bool sync);

    /// Returns when the disk has all of it.
    /// @throws std::system_error
    void sync();

    void close() noexcept { file_.reset(); }

    [[nodiscard]] bool is_open() const noexcept { return file_.has_value(); }

    [[nodiscard]] const std::filesystem::path& path() const noexcept { return path_; }

    /// Of what was appended.
    [[nodiscard]] std::uint64_t size() const noexcept { return size_; }

    /// When the file was made; where the file system does not keep that, when it was last written to before it was opened.
    [[nodiscard]] wall_time born() const noexcept { return born_; }

private:
    void cut_torn_line(int fd, std::uint64_t size);
    bool cut_back() noexcept;

    const std::filesystem::path path_;
    const std::string line_start_;
    std::optional<base::descriptor> file_;
    std::uint64_t size_ = 0;
    bool torn_ = false; // there may be more in the file than that
    wall_time born_{};
};

} // namespace trackd::sinks
