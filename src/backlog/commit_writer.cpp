#include "backlog/commit_writer.hpp"

#include "base/crc32c.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

namespace trackd::journal {

namespace {

// A commit leaves memory piece by piece, each while the processor's cache still holds it. Whole blocks.
constexpr std::size_t piece_bytes = std::size_t{128} << 10U;

constexpr std::uint64_t zeros_at_once = std::uint64_t{256} << 10U;

std::uint64_t records_bytes(const batch& events) {
    std::uint64_t bytes = 0;
    for (auto at = events.begin(); at != events.end(); ++at)
        bytes += record_bytes(at.encoded_bytes());
    return bytes;
}

std::uint64_t commit_bytes(std::span<const std::shared_ptr<const batch>> batches) {
    std::uint64_t bytes = 0;
    for (const auto& one : batches)
        bytes += records_bytes(*one);
    return round_up(bytes, block_bytes);
}

// That, or somewhat more, without a look at the events.
std::uint64_t commit_bytes_at_most(std::span<const std::shared_ptr<const batch>> batches) {
    std::uint64_t bytes = 0;
    for (const auto& one : batches)
        bytes += one->bytes() + one->events() * (record_head::encoded_bytes + record_alignment - 1);
    return round_up(bytes, block_bytes);
}

} // namespace

commit_writer::commit_writer(
    segment_store& store, journal_options options, start from, std::function<std::uint32_t()> salts
)
    : store_{store}, options_{std::move(options)}, salts_{std::move(salts)}, next_{from.next},
      chain_{from.chain}, piece_(piece_bytes) {}

void commit_writer::commit(std::span<const std::shared_ptr<const batch>> batches) {
    if (!fits(commit_bytes_at_most(batches))) {
        const auto bytes = commit_bytes(batches);
        refused_bytes_ = bytes;
        if (!fits(bytes)) start_segment(bytes);
    }
    write_commit([&] {
        for (const auto& one : batches) {
            for (auto at = one->begin(); at != one->end(); ++at) {
                const auto body = at.encoded();
                record_head head;
                head.body_bytes = static_cast<std::uint32_t>(body.size());
                head.position = commit_next_++;
                head.body_checksum = base::crc32c(body);
                put(head, body);
            }
        }
    });
    marked_ = false;
}

bool commit_writer::make_room(std::span<const std::shared_ptr<const batch>> wanted) {
    // Less room than the next commit needs would only be announced, and not be there.
    const auto expected = std::min<std::uint64_t>(refused_bytes_, options_.segment_bytes / 4);
    const auto bytes = wanted.empty() ? std::max<std::uint64_t>(expected, block_bytes) : commit_bytes(wanted);
    if (fits(bytes)) return true;
    try {
        start_segment(bytes);
        return true;
    } catch (const no_room&) {
        return false;
    }
}

void commit_writer::mark() {
    if (marked_ || !fits(block_bytes)) return;
    try {
        write_commit([this] {
            record_head head;
            head.position = commit_next_;
            head.kind = record_kind::mark;
            head.body_checksum = base::crc32c({});
            put(head, {});
        });
    } catch (const no_room&) {
        return;
    }
    marked_ = true;
}

void commit_writer::sync() {
    if (!unsynced_ || !file_) return;
    file_->sync();
    unsynced_ = false;
}

void commit_writer::start_segment(std::uint64_t commit_bytes) {
    if (options_.sync != journal_sync::never) sync();
    segment_header header;
    header.first = next_;
    header.salt = salts_();
    header.chain = chain_;
    auto made = make_next(header, segment_header::encoded_bytes + commit_bytes);
    file_ = std::move(made.open);
    file_bytes_ = made.bytes;
    salt_ = header.salt;
    offset_ = segment_header::encoded_bytes;
    written_end_ = made.header.reused ? file_bytes_ : segment_header::encoded_bytes;
    marked_ = true;
}

// Where there is no room for it, the newest segment is not held on to.
segment_store::made commit_writer::make_next(const segment_header& header, std::uint64_t least) {
    try {
        return store_.make_next(header, least);
    } catch (const no_room&) {
        if (store_.release_newest(next_)) file_ = nullptr;
        throw;
    }
}

template <class Records>
void commit_writer::write_commit(Records put_records) {
    used_ = 0;
    commit_end_ = offset_;
    commit_next_ = next_;
    commit_chain_ = chain_;
    std::uint64_t end = 0;
    try {
        put_records();
        end = round_up(commit_end_, block_bytes);
        put_zeros(end + zeros_behind(end) - commit_end_);
        write_piece();
    } catch (const std::system_error& failure) {
        if (!is_no_room(failure.code())) throw;
        cut_back();
        throw no_room{failure.code(), failure.what()};
    }
    unsynced_ = true;
    if (options_.sync == journal_sync::always) sync();
    written_end_ = std::max(written_end_, commit_end_);
    offset_ = end;
    next_ = commit_next_;
    chain_ = commit_chain_;
}

void commit_writer::put(record_head head, std::string_view body) {
    head.begins_commit = commit_end_ == offset_;
    std::array<char, record_head::encoded_bytes> encoded;
    commit_chain_ = extend_chain(commit_chain_, encode(head, salt_, encoded));
    put_bytes({encoded.data(), encoded.size()});
    put_bytes(body);
    put_zeros(round_up(commit_end_, record_alignment) - commit_end_);
}

void commit_writer::put_bytes(std::string_view bytes) {
    while (!bytes.empty()) {
        const auto some = bytes.substr(0, piece_.size() - used_);
        std::memcpy(&piece_[used_], some.data(), some.size());
        took(some.size());
        bytes.remove_prefix(some.size());
    }
}

void commit_writer::put_zeros(std::uint64_t bytes) {
    while (bytes > 0) {
        const auto some = std::min<std::uint64_t>(bytes, piece_.size() - used_);
        std::memset(&piece_[used_], 0, some);
        took(some);
        bytes -= some;
    }
}

// There are so many bytes more in the piece.
void commit_writer::took(std::size_t bytes) {
    used_ += bytes;
    commit_end_ += bytes;
    if (used_ == piece_.size()) write_piece();
}

void commit_writer::write_piece() {
    write_fully(*file_, commit_end_ - used_, {piece_.data(), used_});
    used_ = 0;
}

// A commit into blocks that were never written before changes the file's metadata, and takes the disk twice as long. So
// one of many small ones writes zeros behind itself, for those that follow.
std::uint64_t commit_writer::zeros_behind(std::uint64_t end) const noexcept {
    const bool small = end - offset_ <= zeros_at_once / 4;
    return end <= written_end_ || !small ? 0 : std::min(zeros_at_once, file_bytes_ - end);
}

// Some of the commit may be in the file, and must not be found there: nobody will be told that it is stored. The
// segment has no reserved room any more, so that it is not gone on with.
void commit_writer::cut_back() {
    const auto open = std::exchange(file_, nullptr);
    open->truncate(offset_);
    open->sync();
    store_.newest_was_cut(offset_);
}

} // namespace trackd::journal
