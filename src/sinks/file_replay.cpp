#include "sinks/file_replay.hpp"

#include "base/log.hpp"
#include "sinks/file_calls.hpp"

#include <fcntl.h>
#include <system_error>
#include <utility>

namespace trackd::sinks {

namespace fs = std::filesystem;

namespace {

// What is over soon, or is another file by then: worth to be tried again. Anything else would be so the next time, too.
bool may_pass(const std::error_code& error) {
    return error == std::errc::no_such_file_or_directory || error == std::errc::too_many_files_open ||
           error == std::errc::too_many_files_open_in_system || error == std::errc::not_enough_memory;
}

// A file that cannot be read is as good as damaged: waiting for it would hold up all events.
template <class Read>
auto reading(const Read& read) {
    try {
        return read();
    } catch (const std::system_error& why) {
        if (may_pass(why.code())) throw;
        throw damaged_file{why.what()};
    }
}

// Nothing, if the place is not in this file: at its front, or behind a line.
std::unique_ptr<file_reader>
reader_behind(const file_place& place, const fs::path& file, const std::stop_token& stop) {
    const auto look = [&]() -> std::unique_ptr<file_reader> {
        if (fingerprint_of(file) != place.fingerprint) return {};
        auto reader = std::make_unique<file_reader>(file);
        if (place.offset == 0) return reader;
        if (reader->skip(place.offset - 1, stop) != place.offset - 1) return {};
        if (!reader->peek().starts_with('\n')) return {};
        reader->consume(1);
        return reader;
    };
    try {
        return reading(look);
    } catch (const damaged_file& why) {
        base::log().warn("{}: it is not known what it holds", why.what());
        return {};
    }
}

} // namespace

file_replay::file_replay(
    std::vector<fs::path> files, std::size_t next, std::unique_ptr<file_reader> reader, file_place from
)
    : files_{std::move(files)}, next_{next}, reader_{std::move(reader)}, here_{std::move(from)},
      place_{here_} {}

std::optional<file_replay>
file_replay::begin(std::vector<fs::path> files, const file_place& from, const std::stop_token& stop) {
    if (from == file_place{}) return file_replay{std::move(files), 0, {}, from};
    for (auto at = files.size(); at > 0; --at) {
        check_stop(stop);
        if (auto reader = reader_behind(from, files[at - 1], stop))
            return file_replay{std::move(files), at, std::move(reader), from};
    }
    return {};
}

bool file_replay::at_end() {
    return !more();
}

bool file_replay::find(std::string_view line, const std::stop_token& stop) {
    while (more()) {
        if (next_is(line, stop)) {
            ++found_;
            place_ = here_;
            return true;
        }
        if (++others_ == 1) first_of_others_ = files_[next_ - 1];
    }
    return false;
}

// Whether there is another byte; goes on to the next file where one ends.
bool file_replay::more() {
    while (ahead().empty()) {
        if (next_ == files_.size()) return false;
        const auto& file = files_[next_++];
        try {
            here_ = {reading([&] { return fingerprint_of(file); }), 0};
            reader_ = reading([&] { return std::make_unique<file_reader>(file); });
        } catch (const damaged_file& why) {
            end_at(why);
        }
    }
    return true;
}

// Of the file that is being read.
std::string_view file_replay::ahead() {
    try {
        if (reader_) return reading([this] { return reader_->peek(); });
    } catch (const damaged_file& why) {
        end_at(why);
    }
    return {};
}

// The lines behind the damage cannot be told from those that are lost.
void file_replay::end_at(const damaged_file& why) {
    damage_ = why.what();
    files_.resize(next_);
    reader_.reset();
}

// Goes over the next line, however long it is.
bool file_replay::next_is(std::string_view line, const std::stop_token& stop) {
    bool same = true;
    for (bool ended = false; !ended;) {
        check_stop(stop);
        auto piece = ahead();
        if (piece.empty()) return false; // it has no end
        const auto end = piece.find('\n');
        ended = end != piece.npos;
        if (ended) piece = piece.substr(0, end + 1);
        same = same && line.starts_with(piece);
        if (same) line.remove_prefix(piece.size());
        here_.offset += piece.size();
        reader_->consume(piece.size());
    }
    return same && line.empty();
}

void file_replay::sync() const {
    for (auto at = next_ == 0 ? 0 : next_ - 1; at < files_.size(); ++at)
        sync_data(open_or_fail(files_[at], O_RDONLY).get(), files_[at]);
}

} // namespace trackd::sinks
