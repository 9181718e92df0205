#include "sinks/file_calls.hpp"

#include <cerrno>
#include <fcntl.h>
#include <string>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>

namespace trackd::sinks {

namespace fs = std::filesystem;

void fail(std::string_view what, const fs::path& path) {
    throw std::system_error{
        errno, std::generic_category(), "cannot " + std::string{what} + ' ' + path.string()
    };
}

base::descriptor open_or_fail(const fs::path& path, int flags) {
    base::descriptor opened{::open(path.c_str(), flags | O_CLOEXEC, 0600)};
    if (!opened) fail("open", path);
    return opened;
}

std::size_t read_some(int fd, std::span<char> into, const fs::path& path) {
    for (;;) {
        const auto n = ::read(fd, into.data(), into.size());
        if (n >= 0) return static_cast<std::size_t>(n);
        if (errno != EINTR) fail("read", path);
    }
}

void write_out(int fd, std::string_view bytes, const fs::path& path) {
    while (!bytes.empty()) {
        const auto n = ::write(fd, bytes.data(), bytes.size());
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) fail("write to", path);
        bytes.remove_prefix(static_cast<std::size_t>(n));
    }
}

void sync_data(int fd, const fs::path& path) {
    if (::fdatasync(fd) != 0) fail("sync", path);
}

void sync_directory(const fs::path& directory) {
    const auto at = open_or_fail(directory, O_RDONLY | O_DIRECTORY);
    if (::fsync(at.get()) == 0) return;
    if (errno != EINVAL)
        fail("sync the directory", directory); // EINVAL: this file system knows no such thing
}

void make_directories(const fs::path& directory) {
    int made = ::mkdir(directory.c_str(), 0700);
    if (made != 0 && errno == ENOENT && directory.has_relative_path()) {
        make_directories(directory.parent_path());
        made = ::mkdir(directory.c_str(), 0700);
    }
    if (made == 0)
        sync_directory(directory.parent_path());
    else if (errno != EEXIST && errno != ENOTDIR) // of a path through a file, which cannot be opened either
        fail("make", directory);
}

} // namespace trackd::sinks
