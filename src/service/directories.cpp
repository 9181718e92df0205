#include "service/directories.hpp"

#include "base/file_access.hpp"

#include <cerrno>
#include <fcntl.h>
#include <filesystem>
#include <stdexcept>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>

namespace trackd::service {

namespace {

[[noreturn]] void fail(const std::string& path, const std::string& kind, const std::string& why) {
    throw std::runtime_error{kind + ' ' + path + ": " + why};
}

void check_usable(const std::string& path, const std::string& kind) {
    if (!std::filesystem::is_directory(path))
        fail(path, kind, "is not a directory; a directory was expected");
    if (::faccessat(AT_FDCWD, path.c_str(), W_OK | X_OK, AT_EACCESS) != 0)
        fail(path, kind, "cannot be written to: " + std::generic_category().message(errno));
}

// mkdir(2) makes nothing where a link leads to nothing.
bool is_there(const std::string& path) {
    struct stat info{};
    return ::lstat(path.c_str(), &info) == 0;
}

// What is made like a file is a name without a slash behind it.
std::filesystem::path without_slash(const std::string& path) {
    const std::filesystem::path whole{path};
    return whole.has_filename() ? whole : whole.parent_path();
}

} // namespace

void make_directory(const std::string& path, const std::string& kind) {
    if (::mkdir(path.c_str(), 0700) != 0 && errno != EEXIST)
        fail(path, kind, "cannot be made: " + std::generic_category().message(errno));
    check_usable(path, kind);
}

void check_directory(const std::string& path, const std::string& kind) {
    if (is_there(path)) return check_usable(path, kind);
    try {
        static_cast<void>(base::exists_or_can_be_made(without_slash(path), base::missing_directories::refused)
        );
    } catch (const std::system_error& why) {
        fail(path, kind, "cannot be made: " + why.code().message());
    }
}

} // namespace trackd::service
