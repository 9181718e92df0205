#include "backlog/in_use.hpp"

#include "base/descriptor.hpp"

#include <fcntl.h>
#include <unistd.h>

namespace trackd::journal {

bool is_in_use(const std::filesystem::path& directory) noexcept {
    const base::descriptor opened{::open((directory / "lock").c_str(), O_RDONLY | O_CLOEXEC)};
    if (!opened) return false;
    struct flock whole{};
    whole.l_type = F_WRLCK;
    whole.l_whence = SEEK_SET;
    return ::fcntl(opened.get(), F_OFD_GETLK, &whole) == 0 && whole.l_type != F_UNLCK;
}

} // namespace trackd::journal
