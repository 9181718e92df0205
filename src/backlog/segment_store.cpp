#include "backlog/segment_store.hpp"

#include "base/log.hpp"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

namespace trackd::journal {

namespace {

// One is in use soon, one is warm behind it; more would only take room.
constexpr std::size_t most_spares = 2;

constexpr std::string_view spare_prefix = "spare-";
constexpr std::string_view segment_suffix = ".segment";

// Synced piece by piece: a sync of a whole segment would hold up the commits beside it.
void write_zeros(file& to, std::uint64_t offset, std::span<const char> zeros) {
    write_fully(to, offset, zeros);
    to.sync();
}

std::string not_yet(const std::filesystem::path& path) {
    return path.string() + ".new";
}

} // namespace

std::optional<std::uint64_t> spare_number(std::string_view name) noexcept {
    if (!name.starts_with(spare_prefix) || !name.ends_with(segment_suffix)) return {};
    name.remove_prefix(spare_prefix.size());
    name.remove_suffix(segment_suffix.size());
    std::uint64_t number = 0;
    const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), number);
    if (error != std::errc{} || end != name.data() + name.size()) return {};
    return number;
}

bool is_no_room(const std::error_code& error) noexcept {
    return error == std::errc::no_space_on_device ||
           error == std::error_code{EDQUOT, std::generic_category()} ||
           error == std::error_code{EDQUOT, std::system_category()};
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
        spares_.push_back({std::move(path), true});
    }
    bytes_ += spares_.size() * segment_bytes_;
}

segment_store::made segment_store::make_next(segment_header header, std::uint64_t least) {
    if (const auto from = take_spare(least)) {
        header.reused = from->reused;
        return put_into_place(header, from->path, files_.open(from->path, open_mode::write));
    }
    const auto bytes = std::max(segment_bytes_, round_up(least, block_bytes));
    const auto path = not_yet(directory_ / segment_name(header.first));
    header.reused = false;
    return put_into_place(header, path, create_with_what_spares_take(path, bytes));
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
    std::deque<spare> removed;
    {
        const std::lock_guard lock{mutex_};
        removed.swap(spares_);
        bytes_ -= removed.size() * segment_bytes_;
    }
    for (const auto& one : removed)
        files_.remove(one.path);
    return !removed.empty();
}

std::optional<segment_store::spare> segment_store::take_spare(std::uint64_t least) {
    const std::lock_guard lock{mutex_};
    if (spares_.empty() || least > segment_bytes_) return {};
    // One that was used before is already on the disk's blocks; one that was only reserved is not.
    auto taken = std::move(spares_.front());
    spares_.pop_front();
    return taken;
}

// Under the lock.
void segment_store::check_room(std::uint64_t more) const {
    const auto enospc = std::make_error_code(std::errc::no_space_on_device);
    if (bytes_ + more > max_bytes_)
        throw no_room{
            enospc,
            fmt::format("the journal may take {} bytes (journal.max_bytes), and has {}", max_bytes_, bytes_)
        };
    const auto free = files_.free_bytes(directory_);
    if (free < min_free_bytes_ || free - min_free_bytes_ < more)
        throw no_room{
            enospc,
            fmt::format(
                "the disk of {} has {} bytes left, of which {} belong to others (journal.min_free_bytes)",
                directory_.string(), free, min_free_bytes_
            )
        };
}

// A file of that size that exists under a provisional name; counted as used.
std::unique_ptr<file> segment_store::create(const std::filesystem::path& path, std::uint64_t bytes) {
    {
        const std::lock_guard lock{mutex_};
        check_room(bytes);
        bytes_ += bytes;
    }
    try {
        auto open = files_.open(path, open_mode::create);
        open->reserve(bytes);
        return open;
    } catch (const std::system_error& failure) {
        remove_quietly(path);
        {
            const std::lock_guard lock{mutex_};
            bytes_ -= bytes;
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
    next.open->sync(
    ); // it and the next sync do not say that there is no room: see promise 8 in docs/architecture.md
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

void segment_store::prepare_spare() {
    {
        const std::lock_guard lock{mutex_};
        if (!spares_.empty() || preparing_) return;
        preparing_ = true;
    }
    const auto path = next_spare_path();
    bool good = false;
    try {
        const auto open = create(not_yet(path), segment_bytes_);
        const std::vector<char> zeros(std::min<std::uint64_t>(segment_bytes_, 256U * 1024U));
        for (std::uint64_t at = 0; at < segment_bytes_; at += zeros.size())
            write_zeros(
                *open, at, std::span{zeros}.first(std::min<std::uint64_t>(zeros.size(), segment_bytes_ - at))
            );
        files_.rename(not_yet(path), path);
        good = true;
    } catch (const no_room&) {
        // Then there is none; whoever needs a segment will be told.
        base::log().debug("no room for a spare segment");
    } catch (const std::system_error& failure) {
        base::log().warn("journal: a spare segment could not be prepared: {}", failure.what());
        remove_quietly(not_yet(path));
        const std::lock_guard lock{mutex_};
        bytes_ -= segment_bytes_;
    }
    const std::lock_guard lock{mutex_};
    preparing_ = false;
    if (good) spares_.push_back({path, false});
}

bool segment_store::trim(trackd::position below) {
    std::vector<segment_file> given_up;
    {
        const std::lock_guard lock{mutex_};
        while (segments_.size() > 1 && segments_[1].header.first <= below) {
            given_up.push_back(std::move(segments_.front()));
            segments_.pop_front();
        }
    }
    for (const auto& segment : given_up)
        give_up(segment);
    // A spare's bytes may only be written again once a power cut cannot bring its old name back.
    if (!given_up.empty()) files_.sync_directory(directory_);
    return !given_up.empty();
}

void segment_store::give_up(const segment_file& segment) {
    const auto keep = [&] {
        const std::lock_guard lock{mutex_};
        return spares_.size() < most_spares && segment.bytes == segment_bytes_;
    }();
    if (keep) {
        const auto path = next_spare_path();
        files_.rename(segment.path, path);
        const std::lock_guard lock{mutex_};
        spares_.push_back({path, true});
    } else {
        files_.remove(segment.path);
        const std::lock_guard lock{mutex_};
        bytes_ -= segment.bytes;
    }
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

trackd::position segment_store::newest() const {
    const std::lock_guard lock{mutex_};
    return segments_.empty() ? 0 : segments_.back().header.first;
}

std::optional<trackd::position> segment_store::end_of_oldest() const {
    const std::lock_guard lock{mutex_};
    if (segments_.size() < 2) return {};
    return segments_[1].header.first;
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
    return directory_ / fmt::format("{}{}{}", spare_prefix, ++spares_made_, segment_suffix);
}

} // namespace trackd::journal
