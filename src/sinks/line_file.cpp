#include "sinks/line_file.hpp"

#include "base/file_access.hpp"
#include "base/log.hpp"
#include "sinks/file_calls.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <fcntl.h>
#include <span>
#include <stdexcept>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>

namespace trackd::sinks {

namespace fs = std::filesystem;

namespace {

std::uint64_t size_of(const struct stat& file) {
    return static_cast<std::uint64_t>(file.st_size);
}

wall_time born_at(int fd, const fs::path& path) {
    struct statx info{};
    if (::statx(fd, "", AT_EMPTY_PATH, STATX_BTIME | STATX_MTIME, &info) != 0) fail("look at", path);
    const auto& time = (info.stx_mask & STATX_BTIME) != 0 ? info.stx_btime : info.stx_mtime;
    return wall_time{std::chrono::seconds{time.tv_sec} + std::chrono::microseconds{time.tv_nsec / 1000}};
}

// The bytes in front of `size`, at most as many as there is room for; fewer at the start of the file.
std::string_view read_before(int fd, std::uint64_t size, std::span<char> room, const fs::path& path) {
    const auto wanted = std::min<std::uint64_t>(size, room.size());
    std::size_t got = 0;
    while (got < wanted) {
        const auto n = ::pread(fd, room.data() + got, wanted - got, static_cast<off_t>(size - wanted + got));
        if (n < 0 && errno == EINTR) continue;
        if (n == 0) errno = EIO; // it shrank while we looked
        if (n <= 0) fail("read", path);
        got += static_cast<std::size_t>(n);
    }
    return {room.data(), got};
}

// Where the last whole line ends.
std::uint64_t end_of_lines(int fd, std::uint64_t size, const fs::path& path) {
    std::array<char, 65'536> room{};
    while (size > 0) {
        const auto bytes = read_before(fd, size, room, path);
        const auto newline = bytes.rfind('\n');
        if (newline != bytes.npos) return size - bytes.size() + newline + 1;
        size -= bytes.size();
    }
    return 0;
}

// Whether an unfinished line can be one of ours. A crash of the machine may have left zeros in place of
// bytes.
bool is_ours(std::string_view line, std::string_view line_start) {
    return std::equal(
        line.begin(), line.begin() + static_cast<std::ptrdiff_t>(std::min(line.size(), line_start.size())),
        line_start.begin(), [](char found, char expected) { return found == expected || found == '\0'; }
    );
}

std::uint64_t size_of_regular_file(int fd, const fs::path& path) {
    struct stat info{};
    if (::fstat(fd, &info) != 0) fail("look at", path);
    if (!S_ISREG(info.st_mode))
        throw std::runtime_error{"cannot use " + path.string() + ": it is not a regular file"};
    return size_of(info);
}

// Where the last whole line ends; what follows is empty, or an unfinished line that is ours.
std::uint64_t
end_of_our_lines(int fd, std::uint64_t size, const fs::path& path, std::string_view line_start) {
    const auto end = end_of_lines(fd, size, path);
    std::string room(std::min<std::uint64_t>(size - end, line_start.size()), '\0');
    if (!is_ours(read_before(fd, end + room.size(), room, path), line_start)) {
        throw std::runtime_error{
            "cannot use " + path.string() +
            ": it ends within a line that trackd did not write; expected "
            "JSON Lines, each ended by a line feed"
        };
    }
    return end;
}

} // namespace

void line_file::check() const {
    if (!base::exists_or_can_be_made(path_, base::missing_directories::made)) return;
    const auto file = open_or_fail(path_, O_RDWR | O_APPEND);
    static_cast<void>(
        end_of_our_lines(file.get(), size_of_regular_file(file.get(), path_), path_, line_start_)
    );
}

void line_file::open() {
    auto file = open_or_fail(path_, O_RDWR | O_CREAT | O_APPEND);
    cut_torn_line(file.get(), size_of_regular_file(file.get(), path_));
    sync_directory(path_.parent_path()); // or a crash could take the new file with it
    born_ = born_at(file.get(), path_);
    file_.emplace(std::move(file));
    torn_ = false;
}

// A crash can leave an unfinished line, whose event was never confirmed and will come again.
void line_file::cut_torn_line(int fd, std::uint64_t size) {
    const auto end = end_of_our_lines(fd, size, path_, line_start_);
    if (end < size) {
        if (::ftruncate(fd, static_cast<off_t>(end)) != 0) fail("cut back", path_);
        base::log().warn("{}: cut off an unfinished line of {} bytes", path_.string(), size - end);
    }
    size_ = end;
}

bool line_file::follow_path() {
    if (!file_) {
        open();
        return false;
    }
    if (torn_ && !cut_back()) fail("cut back", path_);
    torn_ = false;
    struct stat ours{};
    if (::fstat(file_->get(), &ours) != 0) fail("look at", path_);
    struct stat there{};
    const bool found = ::stat(path_.c_str(), &there) == 0;
    if (found && there.st_dev == ours.st_dev && there.st_ino == ours.st_ino) {
        return std::exchange(size_, size_of(ours)) <= size_of(ours);
    }
    base::log().info("{} was moved away or removed: making a new one", path_.string());
    open();
    return false;
}

void line_file::append(std::string_view lines, bool sync_it) {
    torn_ = true;
    try {
        write_out(file_->get(), lines, path_);
        if (sync_it) sync();
    } catch (...) {
        torn_ = !cut_back(); // else the next `follow_path` tries again
        throw;
    }
    torn_ = false;
    size_ += lines.size();
}

// Takes back what a failed write left, so that the same events can be written again. A failed sync is no
// other case: nothing of it was confirmed, and what is written again is synced again.
bool line_file::cut_back() noexcept {
    struct stat info{};
    if (::fstat(file_->get(), &info) != 0) return false;
    if (size_of(info) <= size_) return true; // somebody has emptied it meanwhile
    return ::ftruncate(file_->get(), static_cast<off_t>(size_)) == 0;
}

void line_file::sync() {
    sync_data(file_->get(), path_);
}

} // namespace trackd::sinks
