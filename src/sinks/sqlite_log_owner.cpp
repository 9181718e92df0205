#include "sinks/sqlite_log_owner.hpp"

#include "base/file_birth.hpp"
#include "base/log.hpp"
#include "base/rfc3339.hpp"
#include "sinks/sqlite_files.hpp"

#include <trackd/wall_clock.hpp>

#include <spdlog/fmt/fmt.h>

#include <array>
#include <cstdint>
#include <cstdio>
#include <fcntl.h>
#include <fstream>
#include <optional>
#include <string>
#include <string_view>
#include <sys/xattr.h>
#include <system_error>
#include <unistd.h>

namespace trackd::sinks {

namespace fs = std::filesystem;

namespace {

constexpr auto mark_name = "user.trackd.database";

std::uintmax_t size_of(const fs::path& file) {
    std::error_code missing;
    const auto size = fs::file_size(file, missing);
    return missing ? 0 : size;
}

// The database that a log was marked with; nothing if it has no mark, or was copied with it.
std::optional<base::file_birth> read_mark(const fs::path& log) {
    std::array<char, 128> mark{};
    if (::getxattr(log.c_str(), mark_name, mark.data(), mark.size() - 1) <= 0) return {};
    base::file_birth database;
    base::file_birth marked_log;
    if (std::sscanf(
            mark.data(), "%llu %lld %llu %lld", &database.inode, &database.nanoseconds, &marked_log.inode,
            &marked_log.nanoseconds
        ) != 4)
        return {};
    if (base::find_birth(log) != marked_log) return {};
    return database;
}

bool is_database(const fs::path& path) {
    constexpr std::string_view magic = "SQLite format 3";
    std::array<char, magic.size()> begin{};
    std::ifstream{path, std::ios::binary}.read(begin.data(), begin.size());
    return std::string_view{begin.data(), begin.size()} == magic;
}

std::optional<fs::path> find_by_birth(const fs::path& directory, const base::file_birth& born) {
    std::error_code error;
    for (const auto& entry : fs::directory_iterator{directory, error}) {
        if (base::find_birth(entry.path()) == born && entry.is_regular_file(error) &&
            is_database(entry.path()))
            return entry.path();
    }
    return {};
}

std::string compact_time() {
    std::string text;
    base::append_rfc3339(text, utc_now());
    std::erase_if(text, [](char c) { return c == '-' || c == ':'; });
    return text;
}

} // namespace

void mark_log(const fs::path& database) noexcept {
    const auto owner = base::find_birth(database);
    const auto log = base::find_birth(log_of(database));
    if (!owner || !log) return;
    const auto mark =
        fmt::format("{} {} {} {}", owner->inode, owner->nanoseconds, log->inode, log->nanoseconds);
    ::setxattr(log_of(database).c_str(), mark_name, mark.data(), mark.size(), 0);
}

bool has_foreign_log(const fs::path& database) {
    const auto log = log_of(database);
    const auto file = base::find_birth(database);
    if (!file || !identify_file(log)) return false;
    const auto owner = read_mark(log);
    return size_of(database) == 0 || (owner && owner != file);
}

void set_foreign_log_aside(const fs::path& database) {
    const auto log = log_of(database);
    if (!identify_file(log)) return;
    const auto owner = read_mark(log);
    if (size_of(database) > 0 && (!owner || owner == base::find_birth(database))) return;
    if (const auto moved = owner ? find_by_birth(database.parent_path(), *owner) : std::nullopt;
        moved && moved != database)
        move_log(database, *moved);
    else
        set_log_aside(database);
}

void move_log(const fs::path& from_database, const fs::path& to_database) {
    const auto log = log_of(from_database);
    const auto target = log_of(to_database);
    std::error_code error;
    if (size_of(target) == 0) fs::rename(log, target, error);
    if (size_of(log) > 0) return set_log_aside(from_database);
    fs::rename(index_of(from_database), index_of(to_database), error);
    base::log().warn(
        "{} is now {}: it has rows of the database that was moved; keep the two together", log.string(),
        target.string()
    );
}

void set_log_aside(const fs::path& database, bool with_index) {
    const auto log = log_of(database);
    const fs::path target = log.string() + ".orphaned-" + compact_time();
    const bool has_rows = size_of(log) > 0;
    if (has_rows)
        fs::rename(log, target);
    else
        fs::remove(log);
    if (with_index) fs::remove(index_of(database));
    if (has_rows)
        base::log().error(
            "{} is the write-ahead log of a database that is no longer at {}, and may have rows that are "
            "nowhere "
            "else: it is now {}; to read them, put it beside a copy of that database as NAME-wal",
            log.string(), database.string(), target.string()
        );
}

bool is_open_elsewhere(const fs::path& database) {
    const int fd = ::open(database.c_str(), O_RDWR | O_CLOEXEC);
    if (fd < 0) return false;
    struct ::flock shared{}; // the bytes by which SQLite says that a database is in use
    shared.l_type = F_WRLCK;
    shared.l_whence = SEEK_SET;
    shared.l_start = 0x40000002;
    shared.l_len = 510;
    const bool asked = ::fcntl(fd, F_GETLK, &shared) == 0;
    ::close(fd);
    return asked && shared.l_type != F_UNLCK;
}

} // namespace trackd::sinks
