#include "sinks/sqlite_files.hpp"

#include "base/log.hpp"
#include "sinks/sqlite_log_owner.hpp"

#include <cerrno>
#include <chrono>
#include <fcntl.h>
#include <stdexcept>
#include <string_view>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>
#include <utility>
#include <vector>

namespace trackd::sinks {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t database_file = 0;
constexpr std::size_t log_file = 1;
constexpr std::size_t index_file = 2;

// A descriptor of this process that has the file open, as a path.
std::optional<fs::path> find_descriptor(const file_identity& file) {
    std::error_code error;
    for (const auto& entry : fs::directory_iterator{"/proc/self/fd", error})
        if (identify_file(entry.path()) == file) return entry.path();
    return {};
}

// Where an open file is now; nothing if no name leads to it any more, or none that the kernel knows.
std::optional<fs::path> find_open_file(const file_identity& file) {
    const auto descriptor = find_descriptor(file);
    if (!descriptor) return {};
    std::error_code error;
    auto path = fs::read_symlink(*descriptor, error);
    if (error || identify_file(path) != file) return {};
    return path;
}

class descriptor {
public:
    descriptor(const fs::path& path, int flags) : number_{::open(path.c_str(), flags | O_CLOEXEC, 0600)} {
        if (number_ < 0)
            throw std::system_error{errno, std::generic_category(), "cannot open " + path.string()};
    }

    ~descriptor() { ::close(number_); }

    descriptor(const descriptor&) = delete;
    descriptor& operator=(const descriptor&) = delete;

    [[nodiscard]] int number() const noexcept { return number_; }

private:
    int number_;
};

void check_call(bool worked, const fs::path& file) {
    if (!worked) throw std::system_error{errno, std::generic_category(), "cannot write " + file.string()};
}

void sync_directory(const fs::path& directory) {
    const descriptor opened{directory, O_RDONLY | O_DIRECTORY};
    check_call(::fsync(opened.number()) == 0, directory);
}

// A log has no locks: closing a second descriptor of it drops none.
void copy_synced(const fs::path& from, const fs::path& to) {
    const descriptor in{from, O_RDONLY};
    const descriptor out{to, O_WRONLY | O_CREAT | O_TRUNC};
    std::vector<char> buffer(std::size_t{1} << 20U);
    for (;;) {
        const auto count = ::read(in.number(), buffer.data(), buffer.size());
        check_call(count >= 0, to);
        if (count == 0) break;
        for (ssize_t written = 0; written < count;) {
            const auto more =
                ::write(out.number(), buffer.data() + written, static_cast<std::size_t>(count - written));
            check_call(more > 0, to);
            written += more;
        }
    }
    check_call(::fsync(out.number()) == 0, to);
}

std::uintmax_t size_of(const fs::path& file) {
    std::error_code missing;
    const auto size = fs::file_size(file, missing);
    return missing ? 0 : size;
}

// Waits a moment for programs that are in the way.
bool copy_all(const sqlite_connection& database) {
    return database.checkpoint() || (database.empty_log() && database.checkpoint());
}

} // namespace

std::optional<file_identity> identify_file(const fs::path& path) {
    struct ::stat found{};
    if (::stat(path.c_str(), &found) != 0) return {};
    return file_identity{found.st_dev, found.st_ino};
}

fs::path log_of(const fs::path& database) {
    return database.string() + "-wal";
}

fs::path index_of(const fs::path& database) {
    return database.string() + "-shm";
}

sqlite_files::sqlite_files(const fs::path& database)
    : paths_{database, log_of(database), index_of(database)} {
    for (std::size_t i = 0; i < paths_.size(); ++i)
        files_.at(i) = identify_file(paths_.at(i));
}

sqlite_files_state sqlite_files::state() const {
    if (!is_at_path(database_file)) return sqlite_files_state::database_gone;
    // There is no index where SQLite keeps it in memory.
    const bool has_index = !files_[index_file] || is_at_path(index_file);
    if (!is_at_path(log_file) || !has_index) return sqlite_files_state::log_gone;
    return size_of(paths_[log_file]) < log_bytes_ ? sqlite_files_state::log_cut
                                                  : sqlite_files_state::in_place;
}

void sqlite_files::remember_log() {
    log_bytes_ = size_of(paths_[log_file]);
}

// What is appended behind a hole is not found after a crash.
void sqlite_files::restart_log(const sqlite_connection& database) const {
    try {
        if (database.empty_log()) return;
    } catch (const sqlite_locked&) {
        throw;
    } catch (const std::runtime_error& error) { // it cannot read what the log had
        base::log().error(
            "{}: its -wal was cut while it was open, and rows that only the -wal had are lost: {}",
            paths_[database_file].string(), error.what()
        );
        return;
    }
    throw sqlite_locked{
        "cannot use " + paths_[database_file].string() +
        ": its -wal was cut while it was open, and another program's transaction keeps it from being begun "
        "again"
    };
}

bool sqlite_files::is_at_path(std::size_t file) const {
    return files_.at(file).has_value() && identify_file(paths_.at(file)) == files_.at(file);
}

bool sqlite_files::is_replaced(std::size_t file) const {
    return !is_at_path(file) && identify_file(paths_.at(file)).has_value();
}

void sqlite_files::save_log(const sqlite_connection& database) {
    const auto& log = paths_[log_file];
    // Closing would remove the files by their names, whatever they are: also where what follows throws.
    if (is_replaced(log_file) || is_replaced(index_file)) database.keep_log();
    is_whole_ = copy_all(database);
    if (!is_whole_ && is_replaced(log_file))
        throw std::runtime_error{
            "cannot use " + paths_[database_file].string() + ": " + log.string() +
            " was replaced while it was open, and another program's transaction keeps its rows from being "
            "copied into the database"
        };
    if (!is_whole_ && !is_at_path(log_file)) copy_log(log);
    // Closing would remove the files by their names, whatever they are.
    if (is_replaced(log_file) || is_replaced(index_file)) database.keep_log();
    base::log().error(
        "{}: its -wal or -shm was removed or replaced while it was open; no row is lost: {}; remove the "
        "files of "
        "a database together, and only while no program has it open",
        paths_[database_file].string(),
        is_whole_ ? "the log was copied into the database" : "the log was written again"
    );
}

void sqlite_files::leave(const sqlite_connection& database) {
    const auto& path = paths_[database_file];
    moved_to_ = files_[database_file] ? find_open_file(*files_[database_file]) : std::nullopt;
    if (is_replaced(log_file) || is_replaced(index_file)) database.keep_log();
    if (!moved_to_) {
        base::log().error("{} was removed while it was open, with its rows", path.string());
        if (!is_at_path(log_file)) return;
        database.keep_log();
        set_log_aside(path, is_at_path(index_file));
        return;
    }
    is_whole_ =
        copy_all(database); // then closing removes the log, unless another program has the database open
    if (!is_whole_ && !is_at_path(log_file) && !(files_[log_file] && find_open_file(*files_[log_file])))
        copy_log(log_of(*moved_to_));
    base::log().warn("{} was moved to {} while it was open", path.string(), moved_to_->string());
}

void sqlite_files::settle() const {
    const auto& path = paths_[database_file];
    if (moved_to_ && is_at_path(log_file))
        move_log(path, *moved_to_);
    else if (is_at_path(database_file) && is_whole_ && is_replaced(log_file) && !is_open_elsewhere(path))
        set_log_aside(path);
}

// The rows of a log without a name can be read through its open descriptor only.
void sqlite_files::copy_log(const fs::path& target) const {
    const auto source = files_[log_file] ? find_descriptor(*files_[log_file]) : std::nullopt;
    if (!source) throw std::runtime_error{"cannot find the open file of " + paths_[log_file].string()};
    const fs::path copy = target.string() + ".new";
    copy_synced(*source, copy);
    fs::rename(copy, target);
    sync_directory(target.parent_path());
}

} // namespace trackd::sinks
