#include "sinks/file.hpp"

#include "base/json_text.hpp"
#include "base/log.hpp"
#include "sinks/rotated_files.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <fcntl.h>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>
#include <utility>

namespace trackd::sinks {

namespace fs = std::filesystem;

namespace {

// What every line begins with that append_cloudevent writes.
constexpr std::string_view line_start = R"({"specversion":"1.0","id":")";

[[noreturn]] void fail(const char* what, const fs::path& path) {
    throw std::system_error{
        errno, std::generic_category(), "cannot " + std::string{what} + ' ' + path.string()
    };
}

class descriptor {
public:
    descriptor() = default;

    descriptor(const fs::path& path, int flags) : fd_{::open(path.c_str(), flags | O_CLOEXEC, 0600)} {
        if (fd_ < 0) fail("open", path);
    }

    descriptor(descriptor&& other) noexcept : fd_{std::exchange(other.fd_, -1)} {}

    descriptor& operator=(descriptor&& other) noexcept {
        std::swap(fd_, other.fd_);
        return *this;
    }

    ~descriptor() {
        if (fd_ >= 0) ::close(fd_);
    }

    explicit operator bool() const noexcept { return fd_ >= 0; }

    [[nodiscard]] int get() const noexcept { return fd_; }

private:
    int fd_ = -1;
};

std::uint64_t size_of(const struct stat& file) {
    return static_cast<std::uint64_t>(file.st_size);
}

// When the file was made; where the file system does not keep that, when it was last written to.
wall_time born_at(const descriptor& file, const fs::path& path) {
    struct statx info{};
    if (::statx(file.get(), "", AT_EMPTY_PATH, STATX_BTIME | STATX_MTIME, &info) != 0) fail("look at", path);
    const auto& time = (info.stx_mask & STATX_BTIME) != 0 ? info.stx_btime : info.stx_mtime;
    return wall_time{std::chrono::seconds{time.tv_sec} + std::chrono::microseconds{time.tv_nsec / 1000}};
}

// The bytes in front of `size`, at most as many as there is room for; fewer at the start of the file.
std::string_view
read_before(const descriptor& file, std::uint64_t size, std::span<char> room, const fs::path& path) {
    const auto wanted = std::min<std::uint64_t>(size, room.size());
    std::size_t got = 0;
    while (got < wanted) {
        const auto n =
            ::pread(file.get(), room.data() + got, wanted - got, static_cast<off_t>(size - wanted + got));
        if (n < 0 && errno == EINTR) continue;
        if (n == 0) errno = EIO; // it shrank while we looked
        if (n <= 0) fail("read", path);
        got += static_cast<std::size_t>(n);
    }
    return {room.data(), got};
}

// Where the last whole line ends.
std::uint64_t end_of_lines(const descriptor& file, std::uint64_t size, const fs::path& path) {
    std::array<char, 65'536> room{};
    while (size > 0) {
        const auto bytes = read_before(file, size, room, path);
        const auto newline = bytes.rfind('\n');
        if (newline != bytes.npos) return size - bytes.size() + newline + 1;
        size -= bytes.size();
    }
    return 0;
}

// Whether an unfinished line can be one of ours. A crash of the machine may have left zeros in place of
// bytes.
bool is_ours(std::string_view line) {
    return std::equal(
        line.begin(), line.begin() + static_cast<std::ptrdiff_t>(std::min(line.size(), line_start.size())),
        line_start.begin(), [](char found, char expected) { return found == expected || found == '\0'; }
    );
}

void sync_directory(const fs::path& directory) {
    const descriptor opened{directory, O_RDONLY | O_DIRECTORY};
    if (::fsync(opened.get()) == 0) return;
    if (errno != EINVAL)
        fail("sync the directory", directory); // EINVAL: this file system knows no such thing
}

class file_sink final : public sink {
public:
    file_sink(file_options options, std::function<wall_time()> now)
        : options_{std::move(options)}, now_{std::move(now)}, path_{fs::absolute(options_.path)},
          rotated_{path_} {}

    void open() override { open_file(); }

    write_result write(std::span<const event_view> events, std::stop_token stop) override {
        if (stop.stop_requested()) return {};
        follow_path();
        if (is_due()) rotate();
        auto taken = take_what_fits(events);
        if (taken == 0) {
            rotate();
            taken = take_what_fits(events);
        }
        append_taken();
        // What did not fit belongs into the next file, and comes again at once.
        return {.confirmed = taken, .duplicates = 0};
    }

    void close() override {
        if (file_ && ::fdatasync(file_.get()) != 0) fail("sync", path_);
        file_ = {};
    }

private:
    // Makes the path's file the current one, new or as it was left.
    void open_file() {
        descriptor file{path_, O_RDWR | O_CREAT | O_APPEND};
        struct stat info{};
        if (::fstat(file.get(), &info) != 0) fail("look at", path_);
        if (!S_ISREG(info.st_mode)) {
            throw std::runtime_error{"cannot use " + path_.string() + ": it is not a regular file"};
        }
        const auto size = cut_torn_line(file, size_of(info));
        sync_directory(path_.parent_path()); // or a crash could take the new file with it
        began_ = born_at(file, path_);
        file_ = std::move(file);
        size_ = size;
        torn_ = false;
    }

    // A crash can leave an unfinished line, whose event was never confirmed and will come again.
    std::uint64_t cut_torn_line(const descriptor& file, std::uint64_t size) const {
        const auto end = end_of_lines(file, size, path_);
        if (end == size) return size;
        std::array<char, line_start.size()> room{};
        const auto line_bytes = std::min<std::uint64_t>(size - end, room.size());
        if (!is_ours(read_before(file, end + line_bytes, std::span{room}.first(line_bytes), path_))) {
            throw std::runtime_error{
                "cannot use " + path_.string() +
                ": it ends within a line that trackd did not write; expected "
                "JSON Lines, each ended by a line feed"
            };
        }
        if (::ftruncate(file.get(), static_cast<off_t>(end)) != 0) fail("cut back", path_);
        base::log().warn("{}: cut off an unfinished line of {} bytes", path_.string(), size - end);
        return end;
    }

    // Somebody may have moved the file away, removed it, or emptied it.
    void follow_path() {
        if (!file_) return open_file();
        if (torn_ && !cut_back()) fail("cut back", path_);
        torn_ = false;
        struct stat ours{};
        if (::fstat(file_.get(), &ours) != 0) fail("look at", path_);
        struct stat there{};
        const bool found = ::stat(path_.c_str(), &there) == 0;
        if (found && there.st_dev == ours.st_dev && there.st_ino == ours.st_ino) {
            size_ = size_of(ours);
        } else {
            base::log().info("{} was moved away or removed: making a new one", path_.string());
            open_file();
        }
    }

    [[nodiscard]] bool is_due() const {
        return options_.rotate_every.count() > 0 && size_ > 0 && now_() - began_ >= options_.rotate_every;
    }

    void rotate() {
        const auto target = rotated_.next(now_());
        fs::rename(path_, target);
        open_file();
        base::log().info("{} is now {}", path_.string(), target.filename().string());
        rotated_.prune(options_.keep_files);
    }

    // Renders as many events into the buffer as the file has room for; if it is empty, one at least.
    std::size_t take_what_fits(std::span<const event_view> events) {
        buffer_.clear();
        std::size_t taken = 0;
        for (const auto& event : events) {
            const auto before = buffer_.size();
            base::append_cloudevent(buffer_, event);
            buffer_ += '\n';
            const bool fits = options_.rotate_bytes == 0 || size_ + buffer_.size() <= options_.rotate_bytes;
            if (!fits && size_ + before > 0) {
                buffer_.resize(before);
                break;
            }
            ++taken;
        }
        return taken;
    }

    void append_taken() {
        if (size_ == 0) began_ = now_();
        torn_ = true;
        try {
            write_out(buffer_);
            if (options_.sync && ::fdatasync(file_.get()) != 0) fail("sync", path_);
        } catch (...) {
            torn_ = !cut_back(); // else the next write tries again
            throw;
        }
        torn_ = false;
        size_ += buffer_.size();
        if (buffer_.capacity() > keep_capacity) buffer_ = {};
    }

    void write_out(std::string_view bytes) {
        while (!bytes.empty()) {
            const auto n = ::write(file_.get(), bytes.data(), bytes.size());
            if (n < 0 && errno == EINTR) continue;
            if (n < 0) fail("write to", path_);
            bytes.remove_prefix(static_cast<std::size_t>(n));
        }
    }

    // Takes back what a failed write left, so that the same events can be written again. A failed sync is no
    // other case: nothing of it was confirmed, and what is written again is synced again.
    bool cut_back() noexcept {
        struct stat info{};
        if (::fstat(file_.get(), &info) != 0) return false;
        if (size_of(info) <= size_) return true; // somebody has emptied it meanwhile
        return ::ftruncate(file_.get(), static_cast<off_t>(size_)) == 0;
    }

    static constexpr std::size_t keep_capacity = 16U * 1024U * 1024U; // of the buffer, between two writes

    const file_options options_;
    const std::function<wall_time()> now_;
    const fs::path path_;
    const rotated_files rotated_;

    descriptor file_;
    std::uint64_t size_ = 0; // of what is confirmed
    bool torn_ = false;      // there may be more in the file than that
    wall_time began_;        // when the file's first event came
    std::string buffer_;
};

} // namespace

std::unique_ptr<sink> make_file_sink(file_options options, std::function<wall_time()> now) {
    return std::make_unique<file_sink>(std::move(options), std::move(now));
}

} // namespace trackd::sinks
