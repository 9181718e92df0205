// All sinks' dead letters, in the hands of one process: the daemon, or a command while there is none.
#pragma once

#include "backlog/directory_lock.hpp"
#include "config/settings.hpp"
#include "sinks/dead_letter_file.hpp"

#include <filesystem>
#include <map>
#include <memory>
#include <string>

namespace trackd::service {

/// Below `data_dir`.
[[nodiscard]] std::filesystem::path dead_letter_directory(const config::settings& settings);

/// That of one sink.
[[nodiscard]] std::filesystem::path
dead_letter_path(const config::settings& settings, const std::string& sink);

/// Filled once; its files may then be used by any thread.
class dead_letter_box {
public:
    /// Makes the directories (0700) where there are none.
    /// @throws std::runtime_error if another process has it: names that; or if a file cannot be used
    explicit dead_letter_box(const config::settings& settings);

    /// @return null if there is no such sink
    [[nodiscard]] std::shared_ptr<sinks::dead_letter_file> of(const std::string& sink) const;

private:
    const journal::directory_lock lock_;
    std::map<std::string, std::shared_ptr<sinks::dead_letter_file>> files_;
};

} // namespace trackd::service
