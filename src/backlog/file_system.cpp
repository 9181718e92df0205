#include "backlog/file_system.hpp"

#include "base/descriptor.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <system_error>
#include <unistd.h>

namespace trackd::journal {

namespace fs = std::filesystem;

namespace {

// Calls again when a signal came in between. Only for calls that do no harm when they are made twice, and that say the
// second time what they would have said the first. Syncing is none of these: the error that the kernel keeps for us
// may be forgotten with the call that was interrupted, and the next one would report success over lost bytes.
template <class Call>
auto despite_signals(Call call) {
    for (;;) {
        const auto result = call();
        if (result != -1 || errno != EINTR) return result;
    }
}

class real_file final : public file {
public:
    real_file(base::descriptor opened, fs::path path)
        : descriptor_{std::move(opened)}, path_{std::move(path)} {}

    std::size_t read_at(std::uint64_t offset, std::span<char> into) override {
        const auto got = despite_signals([&] {
            return ::pread(number(), into.data(), into.size(), static_cast<off_t>(offset));
        });
        if (got == -1) fail("read", errno);
        return static_cast<std::size_t>(got);
    }

    std::size_t write_at(std::uint64_t offset, std::span<const char> bytes) override {
        const auto put = despite_signals([&] {
            return ::pwrite(number(), bytes.data(), bytes.size(), static_cast<off_t>(offset));
        });
        if (put == -1) fail("write", errno);
        if (put == 0 && !bytes.empty()) fail("write", ENOSPC); // as write_fully would say, but with the path
        return static_cast<std::size_t>(put);
    }

    void sync() override {
        if (::fdatasync(number()) == -1) fail("fdatasync", errno);
    }

    void truncate(std::uint64_t size) override {
        const auto done = despite_signals([&] { return ::ftruncate(number(), static_cast<off_t>(size)); });
        if (done == -1) fail("truncate", errno);
    }

    void reserve(std::uint64_t size) override {
        if (size == 0) return; // which fallocate would refuse
        const auto done =
            despite_signals([&] { return ::fallocate(number(), 0, 0, static_cast<off_t>(size)); });
        if (done == 0) return;
        if (errno != EOPNOTSUPP && errno != ENOSYS) fail("fallocate", errno);
        write_zeros(*this, this->size(), size);
    }

    std::uint64_t size() override {
        struct stat known{};
        if (::fstat(number(), &known) == -1) fail("stat", errno);
        return static_cast<std::uint64_t>(known.st_size);
    }

private:
    [[nodiscard]] int number() const noexcept { return descriptor_.get(); }

    [[noreturn]] void fail(std::string_view operation, int error) const {
        throw_error(path_, operation, error);
    }

    base::descriptor descriptor_;
    fs::path path_;
};

int flags(open_mode mode) noexcept {
    switch (mode) {
    case open_mode::read: return O_RDONLY | O_CLOEXEC;
    case open_mode::write: return O_RDWR | O_CLOEXEC;
    case open_mode::create: break;
    }
    return O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC;
}

class real_files final : public file_system {
public:
    std::unique_ptr<file> open(const fs::path& path, open_mode mode) override {
        base::descriptor opened{::open(path.c_str(), flags(mode), S_IRUSR | S_IWUSR)};
        if (!opened) throw_error(path, mode == open_mode::create ? "create" : "open", errno);
        return std::make_unique<real_file>(std::move(opened), path);
    }

    void rename(const fs::path& from, const fs::path& to) override {
        if (std::rename(from.c_str(), to.c_str()) != 0) throw_error(from, "rename to " + to.string(), errno);
    }

    void remove(const fs::path& path) override {
        if (::unlink(path.c_str()) == -1) throw_error(path, "remove", errno);
    }

    void sync_directory(const fs::path& directory) override {
        const base::descriptor opened{::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
        if (!opened) throw_error(directory, "open", errno);
        if (::fsync(opened.get()) == -1) throw_error(directory, "fsync", errno);
    }

    void make_directory(const fs::path& path) override {
        if (::mkdir(path.c_str(), S_IRWXU) == 0) return;
        const auto error = errno;
        std::error_code unknown;
        if (error == EEXIST && fs::is_directory(path, unknown)) return;
        throw_error(path, "make directory", error);
    }

    std::vector<std::string> list(const fs::path& directory) override {
        std::vector<std::string> names;
        std::error_code error;
        for (fs::directory_iterator at{directory, error}; !error && at != fs::directory_iterator{};
             at.increment(error)) {
            std::error_code gone; // between the two calls: then it is no regular file either
            if (fs::is_regular_file(at->symlink_status(gone)))
                names.push_back(at->path().filename().string());
        }
        if (error) throw_error(directory, "list", error.value());
        std::ranges::sort(names);
        return names;
    }

    std::uint64_t free_bytes(const fs::path& directory) override {
        struct statvfs known{};
        if (::statvfs(directory.c_str(), &known) == -1) throw_error(directory, "statvfs", errno);
        return std::uint64_t{known.f_bavail} * known.f_frsize;
    }
};

} // namespace

file_system& real_file_system() noexcept {
    static real_files files;
    return files;
}

void write_zeros(file& to, std::uint64_t from, std::uint64_t end) {
    static constexpr std::array<char, std::size_t{64} * 1024> zeros{};
    while (from < end) {
        const auto bytes = std::min<std::uint64_t>(zeros.size(), end - from);
        write_fully(to, from, {zeros.data(), bytes});
        from += bytes;
    }
}

void throw_error(const fs::path& path, std::string_view operation, int error) {
    throw std::system_error{error, std::generic_category(), path.string() + ": " + std::string{operation}};
}

void write_fully(file& to, std::uint64_t offset, std::span<const char> bytes) {
    while (!bytes.empty()) {
        const auto written = to.write_at(offset, bytes);
        if (written == 0) throw std::system_error{ENOSPC, std::generic_category(), "write"};
        offset += written;
        bytes = bytes.subspan(written);
    }
}

std::size_t read_fully(file& from, std::uint64_t offset, std::span<char> into) {
    std::size_t done = 0;
    while (done < into.size()) {
        const auto got = from.read_at(offset + done, into.subspan(done));
        if (got == 0) break;
        done += got;
    }
    return done;
}

} // namespace trackd::journal
