#include "backlog/commit_writer.hpp"

#include "base/crc32c.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace trackd::journal {

namespace {

// Where a commit was unusually large, its memory is not kept for ever.
constexpr std::size_t most_kept_bytes = std::size_t{8} << 20U;

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

} // namespace

commit_writer::commit_writer(
    segment_store& store, journal_options options, start from, std::function<std::uint32_t()> salts
)
    : store_{store}, options_{std::move(options)}, salts_{std::move(salts)}, next_{from.next},
      chain_{from.chain} {}

void commit_writer::commit(std::span<const std::shared_ptr<const batch>> batches) {
    const auto bytes = commit_bytes(batches);
    if (!file_ || offset_ + bytes > file_bytes_) start_segment(bytes);

    begin_commit();
    commit_.reserve(bytes);
    for (const auto& one : batches) {
        for (auto at = one->begin(); at != one->end(); ++at) {
            const auto body = at.encoded();
            record_head head;
            head.body_bytes = static_cast<std::uint32_t>(body.size());
            head.position = commit_next_++;
            head.body_checksum = base::crc32c(body);
            head.begins_commit = commit_.empty();
            put(head, body);
        }
    }
    write_commit();
    marked_ = false;
}

bool commit_writer::make_room(std::span<const std::shared_ptr<const batch>> wanted) {
    const auto bytes = std::max<std::uint64_t>(commit_bytes(wanted), block_bytes);
    if (file_ && offset_ + bytes <= file_bytes_) return true;
    try {
        start_segment(bytes);
        return true;
    } catch (const no_room&) {
        return false;
    }
}

void commit_writer::mark() {
    if (marked_ || !file_ || offset_ + block_bytes > file_bytes_) return;
    begin_commit();
    record_head head;
    head.position = commit_next_;
    head.kind = record_kind::mark;
    head.body_checksum = base::crc32c({});
    head.begins_commit = true;
    put(head, {});
    try {
        write_commit();
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
    auto made = store_.make_next(header, segment_header::encoded_bytes + commit_bytes);
    file_ = std::move(made.open);
    file_bytes_ = made.bytes;
    salt_ = header.salt;
    offset_ = segment_header::encoded_bytes;
    written_end_ = made.header.reused ? file_bytes_ : segment_header::encoded_bytes;
    marked_ = true;
}

void commit_writer::begin_commit() noexcept {
    commit_.clear();
    if (commit_.capacity() > most_kept_bytes) commit_.shrink_to_fit();
    commit_next_ = next_;
    commit_chain_ = chain_;
}

void commit_writer::put(const record_head& head, std::string_view body) {
    std::array<char, record_head::encoded_bytes> encoded;
    commit_chain_ = extend_chain(commit_chain_, encode(head, salt_, encoded));
    commit_.insert(commit_.end(), encoded.begin(), encoded.end());
    commit_.insert(commit_.end(), body.begin(), body.end());
    commit_.resize(round_up(commit_.size(), record_alignment));
}

void commit_writer::write_commit() {
    const auto bytes = round_up(commit_.size(), block_bytes);
    commit_.resize(bytes + zeros_behind(offset_ + bytes));
    try {
        write_fully(*file_, offset_, commit_);
    } catch (const std::system_error& failure) {
        if (!is_no_room(failure.code())) throw;
        cut_back();
        throw no_room{failure.code(), failure.what()};
    }
    unsynced_ = true;
    if (options_.sync == journal_sync::always) sync();
    written_end_ = std::max(written_end_, offset_ + commit_.size());
    offset_ += bytes;
    next_ = commit_next_;
    chain_ = commit_chain_;
}

// A commit into blocks that were never written before changes the file's metadata, and takes the disk twice as long. So
// one of many writes zeros behind itself, for those that follow.
std::uint64_t commit_writer::zeros_behind(std::uint64_t end) const noexcept {
    return end <= written_end_ ? 0 : std::min(zeros_at_once, file_bytes_ - end);
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
