#include "backlog/directory_lock.hpp"

#include "backlog/file_system.hpp"
#include "base/log.hpp"

#include <array>
#include <cerrno>
#include <charconv>
#include <fcntl.h>
#include <fstream>
#include <optional>
#include <stdexcept>
#include <string>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>

namespace trackd::journal {

namespace fs = std::filesystem;

namespace {

base::descriptor open_lock(const fs::path& path) {
    base::descriptor opened{::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, S_IRUSR | S_IWUSR)};
    if (!opened) throw_error(path, "open", errno);
    return opened;
}

/// @return false if somebody else has it
bool take(const base::descriptor& file, const fs::path& path) {
    struct flock whole{};
    whole.l_type = F_WRLCK;
    whole.l_whence = SEEK_SET;
    if (::fcntl(file.get(), F_OFD_SETLK, &whole) == 0) return true;
    if (errno == EAGAIN || errno == EACCES) return false;
    throw_error(path, "lock", errno);
}

// Nothing where the holder has not written it yet, or could not.
std::optional<pid_t> holder(const base::descriptor& file) {
    std::array<char, 32> text{};
    const auto got = ::pread(file.get(), text.data(), text.size(), 0);
    pid_t process = 0;
    if (got <= 0 || std::from_chars(text.data(), text.data() + got, process).ec != std::errc{}) return {};
    return process > 0 ? std::optional{process} : std::nullopt;
}

// In parentheses behind a space, or nothing: the process may be another user's, or not of this container.
std::string name_of(pid_t process) {
    std::ifstream comm{"/proc/" + std::to_string(process) + "/comm"};
    std::string name;
    if (!std::getline(comm, name) || name.empty()) return {};
    for (auto& c : name)
        if (c < ' ' || c > '~') c = '?'; // a process may call itself anything, and this goes to a log
    return " (" + name + ')';
}

[[noreturn]] void refuse(const fs::path& directory, std::string_view what, const base::descriptor& file) {
    const auto process = holder(file);
    throw in_use_error{
        std::string{what} + ' ' + directory.string() + ": is in use by " +
        (process ? "process " + std::to_string(*process) + name_of(*process) : "another process") +
        "; stop it first, or give this one another data_dir"
    };
}

// Shortened only after the writing, so that a full disk, where the file already is, has room for it. A reader stops
// at the first newline, and does not see what an earlier, longer number left behind it.
void write_process(const base::descriptor& file, const fs::path& path) {
    const auto text = std::to_string(::getpid()) + '\n';
    const auto size = static_cast<off_t>(text.size());
    const auto written = ::pwrite(file.get(), text.data(), text.size(), 0);
    if (written == size && ::ftruncate(file.get(), size) == 0) return;
    const auto why = std::generic_category().message(written == -1 ? errno : ENOSPC);
    base::log().warn("{}: cannot write down which process holds it: {}", path.string(), why);
    // Better no number than that of an earlier process; where this fails too, there is nothing left to try.
    [[maybe_unused]] const auto emptied = ::ftruncate(file.get(), 0);
}

} // namespace

directory_lock::directory_lock(const fs::path& directory, std::string_view what)
    : file_{open_lock(directory / "lock")} {
    if (!take(file_, directory / "lock")) refuse(directory, what, file_);
    write_process(file_, directory / "lock");
}

} // namespace trackd::journal
