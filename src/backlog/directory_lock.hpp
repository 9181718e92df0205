// Sees to it that a journal's directory belongs to one process: two that append to the same segment would destroy it.
#pragma once

#include "base/descriptor.hpp"

#include <filesystem>
#include <stdexcept>
#include <string_view>

namespace trackd::journal {

/// Another process has it.
class in_use_error : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

/// Holds `<directory>/lock` locked as long as it lives. The kernel gives the lock back when the process ends, however
/// it ends, so the file stays and there is nothing to clean up; what stands in it (the process's number) is for people.
///
/// The lock belongs to the open file, so a second one in the same process is refused too.
class directory_lock {
public:
    /// @param what the directory is, for the error
    /// @throws in_use_error if another one holds it: names the process; std::system_error if the file cannot be
    ///         opened, or the file system has no locks
    explicit directory_lock(const std::filesystem::path& directory, std::string_view what = "journal");

    directory_lock(const directory_lock&) = delete;
    directory_lock& operator=(const directory_lock&) = delete;

private:
    base::descriptor file_;
};

} // namespace trackd::journal
