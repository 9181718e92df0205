// All sinks' dead letters, in the hands of one process: the daemon, or a command while there is none.
#pragma once

#include "backlog/directory_lock.hpp"
#include "config/settings.hpp"
#include "sinks/dead_letter_file.hpp"

#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace trackd::service {

/// Below `data_dir`.
[[nodiscard]] std::filesystem::path dead_letter_directory(const config::settings& settings);

/// That of one sink.
[[nodiscard]] std::filesystem::path
dead_letter_path(const config::settings& settings, const std::string& sink);

[[nodiscard]] bool is_configured(const config::settings& settings, const std::string& sink);

/// Those that have dead letters and are not configured any more: their names, in order. Beside a process that has them.
/// @throws std::system_error if the directory cannot be read; one that is not there has none
[[nodiscard]] std::vector<std::string> sinks_left_behind(const config::settings& settings);

/// Filled once; its files may then be used by any thread.
class dead_letter_box {
public:
    /// Makes the directories (0700) where there are none. What a sink that is not configured any more has left, and cannot be
    /// used, is left out, and said.
    /// @throws std::runtime_error if another process has it: names that; or if a file of a sink cannot be used
    explicit dead_letter_box(const config::settings& settings);

    /// @return null if there is no such sink, nor was one that has left any
    [[nodiscard]] std::shared_ptr<sinks::dead_letter_file> of(const std::string& sink) const;

private:
    void add(const std::string& sink, const config::settings& settings);

    const journal::directory_lock lock_;
    std::map<std::string, std::shared_ptr<sinks::dead_letter_file>> files_;
};

} // namespace trackd::service
