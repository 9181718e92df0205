#include "backlog/segment_store.hpp"

#include "base/log.hpp"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <iterator>
#include <utility>

namespace trackd::journal {

namespace {

// One is in use soon, one is warm behind it; more would only take room.
constexpr std::size_t most_spares = 2;

std::string not_yet(const std::filesystem::path& path) {
    return path.string() + ".new";
}

// The share that [from, to) has of the records in [first, end).
double share(trackd::position from, trackd::position to, trackd::position first, trackd::position end) {
    const auto begin = std::max(from, first);
    const auto below = std::min(to, end);
    return begin < below ? static_cast<double>(below - begin) / static_cast<double>(end - first) : 0;
}

} // namespace

bool is_no_room(const std::error_code& error) noexcept {
    if (error.category() != std::generic_category() && error.category() != std::system_category())
        return false;
    switch (error.value()) {
    case ENOSPC:
    case EDQUOT:
    case EMFILE: // of descriptors
    case ENFILE:
    case ENOMEM: return true;
    default: return false;
    }
}

segment_store::segment_store(
    file_system& files, const journal_options& options, std::vector<segment_file> present,
    std::vector<std::filesystem::path> spares
)
    : files_{files}, directory_{options.directory}, segment_bytes_{options.segment_bytes},
      max_bytes_{options.max_bytes}, min_free_bytes_{options.min_free_bytes},
      segments_{std::make_move_iterator(present.begin()), std::make_move_iterator(present.end())} {
    for (const auto& segment : segments_)
        bytes_ += segment.bytes;
    for (auto& path : spares) {
        spares_made_ = std::max(spares_made_, spare_number(path.filename().string()).value_or(0));
        spares_.push_back(std::move(path));
    }
    bytes_ += spares_.size() * segment_bytes_;
}

segment_store::made segment_store::make_next(segment_header header, std::uint64_t least) {
    if (const auto spare = take_spare(least)) {
        header.reused = true;
        auto next = put_into_place(header, *spare, open_spare(*spare));
        reserve_ahead();
        return next;
    }
    const auto bytes = std::max(segment_bytes_, round_up(least, block_bytes));
    const auto path = not_yet(directory_ / segment_name(header.first));
    header.reused = false;
    auto next = put_into_place(header, path, create_with_what_spares_take(path, bytes));
    reserve_ahead();
    return next;
}

// Where the disk is tight, the attempt to reserve the segment after the newest one is the only reliable test for room:
// no system call reports a quota, or inodes on every file system. The reserved file is a spare.
void segment_store::reserve_ahead() {
    {
        const std::lock_guard lock{mutex_};
        if (!tight_ || !spares_.empty() || bytes_ + segment_bytes_ > max_bytes_) return;
    }
    const auto path = next_spare_path();
    try {
        static_cast<void>(create(path, segment_bytes_));
    } catch (const std::
                 system_error&) { // the segment itself, when it is needed, tells what kind of error it is
        const std::lock_guard lock{mutex_};
        is_last_ = true;
        return;
    }
    const std::lock_guard lock{mutex_};
    spares_.push_back(path);
}

std::unique_ptr<file> segment_store::open_spare(const std::filesystem::path& path) {
    try {
        return files_.open(path, open_mode::write);
    } catch (const std::system_error& failure) {
        const std::lock_guard lock{mutex_};
        spares_.push_front(path);
        if (is_no_room(failure.code())) throw no_room{failure.code(), failure.what()};
        throw;
    }
}

// Spares that are too small for what is wanted must not be in its way.
std::unique_ptr<file>
segment_store::create_with_what_spares_take(const std::filesystem::path& path, std::uint64_t bytes) {
    try {
        return create(path, bytes);
    } catch (const no_room&) {
        if (!remove_spares()) throw;
    }
    return create(path, bytes);
}

bool segment_store::remove_spares() {
    std::deque<std::filesystem::path> removed;
    {
        const std::lock_guard lock{mutex_};
        removed.swap(spares_);
        bytes_ -= removed.size() * segment_bytes_;
    }
    for (const auto& one : removed)
        files_.remove(one);
    return !removed.empty();
}

std::optional<std::filesystem::path> segment_store::take_spare(std::uint64_t least) {
    const std::lock_guard lock{mutex_};
    if (spares_.empty() || least > segment_bytes_) return {};
    auto taken = std::move(spares_.front());
    spares_.pop_front();
    return taken;
}

// Takes the room from what the bounds allow.
void segment_store::take_room(std::uint64_t more) {
    const auto free = files_.free_bytes(directory_); // not under the lock: it may take its time
    const auto enospc = std::make_error_code(std::errc::no_space_on_device);
    const std::lock_guard lock{mutex_};
    if (bytes_ + more > max_bytes_)
        throw no_room{
            enospc,
            fmt::format("the journal may take {} bytes (journal.max_bytes), and has {}", max_bytes_, bytes_)
        };
    const auto ours = free - std::min(free, min_free_bytes_);
    tight_ |= ours < more + segment_bytes_;
    if (ours < more)
        throw no_room{
            enospc,
            fmt::format(
                "the disk of {} has {} bytes left, of which {} belong to others (journal.min_free_bytes)",
                directory_.string(), free, min_free_bytes_
            )
        };
    bytes_ += more;
}

// A file of that size that exists under a provisional name; counted as used.
std::unique_ptr<file> segment_store::create(const std::filesystem::path& path, std::uint64_t bytes) {
    take_room(bytes);
    try {
        auto open = files_.open(path, open_mode::create);
        open->reserve(bytes);
        const std::lock_guard lock{mutex_};
        is_last_ = false;
        return open;
    } catch (const std::system_error& failure) {
        remove_quietly(path);
        {
            const std::lock_guard lock{mutex_};
            bytes_ -= bytes;
            tight_ |= failure.code().value() == ENOSPC || failure.code().value() == EDQUOT;
        }
        if (is_no_room(failure.code())) throw no_room{failure.code(), failure.what()};
        throw;
    }
}

segment_store::made segment_store::put_into_place(
    segment_header header, const std::filesystem::path& from, std::unique_ptr<file> open
) {
    made next{header, open->size(), std::move(open)};
    const auto path = directory_ / segment_name(header.first);
    std::array<char, segment_header::encoded_bytes> block;
    encode(header, block);
    try {
        write_fully(*next.open, 0, block);
    } catch (const std::system_error& failure) {
        give_back(from, next.bytes, failure);
    }
    // A sync that fails is the end, whatever the reason (see `file::sync`); so is the directory's.
    next.open->sync();
    const std::lock_guard name{newest_name_};
    try {
        files_.rename(from, path);
    } catch (const std::system_error& failure) {
        give_back(from, next.bytes, failure);
    }
    files_.sync_directory(directory_);
    const std::lock_guard lock{mutex_};
    if (!segments_.empty() &&
        segments_.back().header.first == header.first) { // it had no record, and is replaced
        bytes_ -= segments_.back().bytes;
        segments_.pop_back();
    }
    segments_.push_back({header, next.bytes, path});
    released_end_.reset();
    return next;
}

// What was to become a segment is none.
void segment_store::give_back(
    const std::filesystem::path& path, std::uint64_t bytes, const std::system_error& why
) {
    if (!is_no_room(why.code())) throw why;
    remove_quietly(path);
    const std::lock_guard lock{mutex_};
    bytes_ -= bytes;
    throw no_room{why.code(), why.what()};
}

bool segment_store::trim(trackd::position below) {
    bool any = false;
    {
        const std::lock_guard lock{mutex_};
        passed_ = below;
    }
    while (const auto segment = given_up(below)) {
        give_up(*segment);
        any = true;
    }
    any |= give_up_released(below);
    if (!new_spares_.empty()) {
        // A spare may only be written to once a power cut cannot bring its old name back.
        files_.sync_directory(directory_);
        const std::lock_guard lock{mutex_};
        spares_.insert(spares_.end(), new_spares_.begin(), new_spares_.end());
        new_spares_.clear();
        is_last_ = false;
    }
    if (any || is_last()) reserve_ahead(); // others may have freed room
    return any;
}

bool segment_store::is_last() const {
    const std::lock_guard lock{mutex_};
    return is_last_;
}

bool segment_store::release_newest(trackd::position end) {
    const std::lock_guard lock{mutex_};
    if (segments_.size() != 1 || passed_ < end) return false;
    released_end_ = end;
    return true;
}

// Afterwards only the cursors say which position comes next.
bool segment_store::give_up_released(trackd::position below) {
    const std::lock_guard name{newest_name_};
    std::optional<segment_file> newest;
    {
        const std::lock_guard lock{mutex_};
        if (!released_end_ || *released_end_ > below) return false;
        newest = segments_.front();
    }
    give_up(*newest);
    const std::lock_guard lock{mutex_};
    released_end_.reset();
    return true;
}

trackd::position segment_store::passed() const {
    const std::lock_guard lock{mutex_};
    return passed_;
}

// The oldest segment, if nobody needs it any more.
std::optional<segment_file> segment_store::given_up(trackd::position below) const {
    const std::lock_guard lock{mutex_};
    if (segments_.size() < 2 || segments_[1].header.first > below) return {};
    return segments_.front();
}

// It stays in the books until that has worked.
void segment_store::give_up(const segment_file& segment) {
    const bool serves_again =
        segment.bytes == segment_bytes_ && spares() + new_spares_.size() < most_spares && keeps_bounds();
    if (serves_again) {
        auto path = next_spare_path();
        files_.rename(segment.path, path);
        new_spares_.push_back(std::move(path));
    } else {
        files_.remove(segment.path);
    }
    const std::lock_guard lock{mutex_};
    segments_.pop_front();
    if (!serves_again) bytes_ -= segment.bytes;
}

void segment_store::newest_was_cut(std::uint64_t bytes) {
    const std::lock_guard lock{mutex_};
    bytes_ -= segments_.back().bytes - bytes;
    segments_.back().bytes = bytes;
}

// Not where an earlier process had a larger `max_bytes`.
bool segment_store::keeps_bounds() const {
    const std::lock_guard lock{mutex_};
    return bytes_ <= max_bytes_;
}

std::size_t segment_store::spares() const {
    const std::lock_guard lock{mutex_};
    return spares_.size();
}

std::optional<segment_place> segment_store::find(trackd::position at) const {
    const std::lock_guard lock{mutex_};
    const auto after = std::partition_point(segments_.begin(), segments_.end(), [at](const segment_file& s) {
        return s.header.first <= at;
    });
    if (after == segments_.begin()) return {};
    segment_place place{*std::prev(after), {}};
    if (after != segments_.end()) place.end = after->header.first;
    return place;
}

std::optional<trackd::position> segment_store::begin() const {
    const std::lock_guard lock{mutex_};
    if (segments_.empty()) return {};
    return segments_.front().header.first;
}

std::optional<trackd::position> segment_store::end_of_oldest() const {
    const std::lock_guard lock{mutex_};
    if (segments_.size() < 2) return released_end_;
    return segments_[1].header.first;
}

bool segment_store::has_its_last() const {
    const std::lock_guard lock{mutex_};
    return spares_.empty() && !segments_.empty() && (is_last_ || bytes_ + segment_bytes_ > max_bytes_);
}

std::uint64_t segment_store::bytes_between(trackd::position from, trackd::position to, written newest) const {
    double bytes = 0;
    const std::lock_guard lock{mutex_};
    for (auto one = segments_.begin(); one != segments_.end(); ++one) {
        const auto next = std::next(one);
        const bool is_newest = next == segments_.end();
        const auto file_bytes = is_newest && newest.bytes != 0 ? newest.bytes : one->bytes;
        const auto end = is_newest ? newest.end : next->header.first;
        const auto records = file_bytes - std::min(file_bytes, segment_header::encoded_bytes);
        bytes += static_cast<double>(records) * share(from, to, one->header.first, end);
    }
    return static_cast<std::uint64_t>(bytes);
}

segment_store::usage segment_store::used() const {
    const std::lock_guard lock{mutex_};
    return {segments_.size(), bytes_};
}

void segment_store::remove_quietly(const std::filesystem::path& path) noexcept {
    try {
        files_.remove(path);
    } catch (const std::exception& failure) {
        base::log().debug("journal: {}", failure.what());
    }
}

std::filesystem::path segment_store::next_spare_path() {
    const std::lock_guard lock{mutex_};
    return directory_ / spare_name(++spares_made_);
}

} // namespace trackd::journal
