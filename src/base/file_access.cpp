#include "base/file_access.hpp"

#include <climits>

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <system_error>
#include <unistd.h>

namespace trackd::base {

namespace fs = std::filesystem;

namespace {

constexpr int max_links = 40; // as in Linux

bool is_link(const fs::path& path) {
    struct stat info{};
    return ::lstat(path.c_str(), &info) == 0 && S_ISLNK(info.st_mode);
}

// Whether the kernel alone makes files there, whatever the permissions say.
bool belongs_to_kernel(const fs::path& directory) {
    struct statfs info{};
    if (::statfs(directory.c_str(), &info) != 0) return false;
    return info.f_type == PROC_SUPER_MAGIC || info.f_type == SYSFS_MAGIC ||
           info.f_type == CGROUP2_SUPER_MAGIC;
}

/// @return 0 if a file can be made in the directory, else the error number
int check_directory(const fs::path& directory) {
    struct stat info{};
    if (::stat(directory.c_str(), &info) != 0) return errno;
    if (!S_ISDIR(info.st_mode)) return ENOTDIR;
    if (belongs_to_kernel(directory)) return EACCES;
    return ::faccessat(AT_FDCWD, directory.c_str(), W_OK | X_OK, AT_EACCESS) == 0 ? 0 : errno;
}

/// @return 0 if the file can be made, else the error number
int check_new_file(const fs::path& file, missing_directories parents) {
    if (!file.has_filename()) return EISDIR;
    if (std::ranges::any_of(file, [](const auto& name) { return name.native().size() > NAME_MAX; }))
        return ENAMETOOLONG;
    auto directory = file.parent_path();
    int error = check_directory(directory);
    while (error == ENOENT && parents == missing_directories::made && !is_link(directory)) {
        directory = directory.parent_path();
        error = check_directory(directory);
    }
    return error;
}

} // namespace

bool exists_or_can_be_made(const fs::path& path, missing_directories parents) {
    struct stat info{};
    if (::stat(path.c_str(), &info) == 0) return true;
    const int error = errno == ENOENT ? check_new_file(resolve_links(path), parents) : errno;
    if (error != 0) throw std::system_error{error, std::generic_category(), "cannot open " + path.string()};
    return false;
}

fs::path resolve_links(fs::path path) {
    std::error_code error;
    path = fs::absolute(path);
    for (int links = 0; links < max_links; ++links) {
        auto resolved = fs::weakly_canonical(path, error);
        if (error) break;
        path = std::move(resolved);
        if (!is_link(path)) break; // else it leads to what does not exist
        path = path.parent_path() / fs::read_symlink(path, error);
        if (error) break;
    }
    return path;
}

} // namespace trackd::base
