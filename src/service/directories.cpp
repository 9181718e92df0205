#include "service/directories.hpp"

#include <cerrno>
#include <filesystem>
#include <stdexcept>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>

namespace trackd::service {

void make_directory(const std::string& path, const std::string& kind) {
    const auto what = kind + ' ' + path;
    if (::mkdir(path.c_str(), 0700) != 0 && errno != EEXIST)
        throw std::runtime_error{what + ": cannot be made: " + std::generic_category().message(errno)};
    if (!std::filesystem::is_directory(path))
        throw std::runtime_error{what + ": is not a directory; a directory was expected"};
    if (::access(path.c_str(), W_OK | X_OK) != 0)
        throw std::runtime_error{what + ": cannot be written to: " + std::generic_category().message(errno)};
}

} // namespace trackd::service
