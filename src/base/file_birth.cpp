#include "base/file_birth.hpp"

#include <fcntl.h>
#include <sys/stat.h>

namespace trackd::base {

std::optional<file_birth> find_birth(const std::filesystem::path& file) noexcept {
    struct ::statx found{};
    if (::statx(AT_FDCWD, file.c_str(), 0, STATX_INO | STATX_BTIME, &found) != 0) return {};
    file_birth born{found.stx_ino, 0};
    if ((found.stx_mask & STATX_BTIME) != 0)
        born.nanoseconds = found.stx_btime.tv_sec * 1'000'000'000 + found.stx_btime.tv_nsec;
    return born;
}

} // namespace trackd::base
