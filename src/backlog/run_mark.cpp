#include "backlog/run_mark.hpp"

#include "base/crc32c.hpp"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <memory>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

// The file is text, with zeros behind it:
//
//     trackd run 1
//     clean next=1523
//     checksum=0f1e2d3c
//
// or, while a run is under way, with the number of the file's inode and the time of its birth in nanoseconds:
//
//     trackd run 1
//     running file=1311233 born=1795997905001234567
//     checksum=4b5a6978

namespace trackd::journal {

namespace {

constexpr std::size_t mark_bytes = 512;
constexpr std::string_view title = "trackd run 1\n";

std::string clean(position next) {
    return fmt::format("clean next={}\n", next);
}

std::string encode(std::string_view state) {
    const auto text = std::string{title}.append(state);
    return fmt::format("{}checksum={:08x}\n", text, base::crc32c(text));
}

void overwrite(file& open, std::string_view state) {
    auto text = encode(state);
    text.resize(mark_bytes);
    write_fully(open, 0, text);
    open.sync();
}

} // namespace

run_mark::run_mark(file_system& files, const std::filesystem::path& directory, find_file_birth birth)
    : files_{files}, directory_{directory}, path_{directory / "last_run"}, find_birth_{std::move(birth)} {}

run_end run_mark::read(position next, bool has_history) const {
    std::string text(mark_bytes, '\0');
    try {
        const auto open = files_.open(path_, open_mode::read);
        text.resize(read_fully(*open, 0, text));
    } catch (const std::system_error& failure) {
        const bool is_missing = failure.code() == std::errc::no_such_file_or_directory;
        return is_missing && !has_history ? run_end::first_start : run_end::unknown;
    }
    text.resize(std::min(text.find('\0'), text.size()));
    if (text == encode(clean(next))) return run_end::clean;
    if (text == encode(running())) return run_end::killed;
    return run_end::unknown;
}

void run_mark::begin() {
    try {
        create();
        write(running());
    } catch (const std::system_error&) {
        remove();
        throw;
    }
}

void run_mark::end(position next) {
    try {
        write(clean(next));
    } catch (const std::system_error&) {
        remove(); // after a failed sync nobody knows what it says
        throw;
    }
}

std::string run_mark::running() const {
    const auto born = find_birth_(path_).value_or(base::file_birth{});
    return fmt::format("running file={} born={}\n", born.inode, born.nanoseconds);
}

void run_mark::write(const std::string& lines) {
    overwrite(*files_.open(path_, open_mode::write), lines);
}

// All of it is written, so that what follows needs no room. Until it is overwritten it says nothing.
void run_mark::create() {
    std::unique_ptr<file> open;
    try {
        open = files_.open(path_, open_mode::create);
    } catch (const std::system_error& failure) {
        if (failure.code() != std::errc::file_exists) throw;
        return;
    }
    overwrite(*open, "none\n");
    files_.sync_directory(directory_);
}

void run_mark::remove() noexcept {
    try {
        files_.remove(path_);
        files_.sync_directory(directory_);
    } catch (const std::system_error&) { // `read` does not believe it after a run that has stored something
    }
}

} // namespace trackd::journal
