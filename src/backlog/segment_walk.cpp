#include "backlog/segment_walk.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

namespace trackd::journal {

namespace {

bool is_zero(std::string_view bytes) noexcept {
    return bytes.empty() ||
           (bytes[0] == '\0' && std::memcmp(bytes.data(), bytes.data() + 1, bytes.size() - 1) == 0);
}

// Up to the last byte that is not zero.
std::size_t used_bytes(std::string_view bytes) noexcept {
    while (bytes.size() >= block_bytes && is_zero(bytes.substr(bytes.size() - block_bytes)))
        bytes.remove_suffix(block_bytes);
    while (bytes.ends_with('\0'))
        bytes.remove_suffix(1);
    return bytes.size();
}

} // namespace

decoded_header read_header(file& from) {
    std::array<char, segment_header::encoded_bytes> block{};
    return decode_header({block.data(), read_fully(from, 0, block)});
}

segment_walk::segment_walk(
    file& from, const segment_header& header, place start, std::uint64_t end, std::size_t window_bytes
)
    : file_{from}, salt_{header.salt}, reused_{header.reused},
      window_bytes_{std::max(window_bytes, record_head::encoded_bytes)}, offset_{start.offset},
      next_{start.next}, end_{end} {}

walk_step segment_walk::next() {
    if (ended_) return *ended_;
    if (const auto found = expected_record()) return pass(*found);
    if (const auto offset = find_behind_damage()) {
        const auto bad = damage_before(*offset);
        offset_ = *offset;
        return bad;
    }
    ended_ = end_here();
    return *ended_;
}

std::shared_ptr<const void> segment_walk::window() const noexcept {
    lent_ = true;
    return buffer_;
}

std::optional<record_head> segment_walk::head_at(std::uint64_t offset) {
    auto head = decode_head(view(offset, record_head::encoded_bytes), salt_);
    if (head && head->begins_commit && offset % block_bytes != 0) return {};
    return head;
}

std::optional<found_record> segment_walk::record_at(std::uint64_t offset) {
    const auto head = head_at(offset);
    if (!head || head->position < next_ || head->record_bytes() > end_ - offset) return {};
    const auto record = view(offset, head->record_bytes());
    if (record.size() < head->record_bytes()) return {}; // the file is shorter than we were told
    const auto body = record.substr(record_head::encoded_bytes, head->body_bytes);
    if (!is_sound(*head, body)) return {};
    return found_record{*head, body, offset, head_checksum(record)};
}

// Right here, or where the next commit begins.
std::optional<found_record> segment_walk::expected_record() {
    if (const auto found = record_at(offset_)) return found;
    const auto block = next_block();
    if (block == offset_ || !is_zero_to(block)) return {};
    const auto found = record_at(block);
    return found && found->head.begins_commit ? found : std::nullopt; // else these zeros were no padding
}

found_record segment_walk::pass(const found_record& found) {
    offset_ = found.offset + found.head.record_bytes();
    next_ = found.head.position + (found.head.kind == record_kind::event ? 1 : 0);
    return found;
}

// Damage can have swallowed only as many positions as there is room for, which keeps a head that somebody has guessed
// the salt for from leading us past all that follows. A mark that jumped can be among what was swallowed; so the
// beginning of a commit may have any position.
bool segment_walk::is_plausible(const record_head& head, std::uint64_t offset) const noexcept {
    if (head.position < next_) return false;
    return head.begins_commit || head.position - next_ <= (offset - offset_) / record_head::encoded_bytes;
}

std::optional<std::uint64_t> segment_walk::next_head(std::uint64_t from) {
    for (;;) {
        const auto bytes = view(from, record_head::encoded_bytes);
        if (bytes.size() < record_head::encoded_bytes) return {};
        std::size_t at = 0;
        for (; at + record_head::encoded_bytes <= bytes.size(); at += record_alignment) {
            const auto head = decode_head(bytes.substr(at), salt_);
            if (head && is_plausible(*head, from + at)) return from + at;
        }
        from += at;
    }
}

// Not even a sound head makes us skip the body behind it: the body may be what is left of a commit that was
// interrupted, and a later commit may stand in its middle.
std::optional<std::uint64_t> segment_walk::find_behind_damage() {
    auto from = offset_ + record_alignment;
    while (const auto offset = next_head(from)) {
        if (record_at(*offset)) return offset;
        from = *offset + record_alignment;
    }
    return {};
}

bad_range segment_walk::damage_before(std::uint64_t found) {
    const auto block = next_block();
    const auto begin = block < found && is_zero_to(block) ? block : offset_;
    return {begin, found - begin};
}

segment_end segment_walk::end_here() {
    const auto torn = std::min(torn_end(), end_);
    return {offset_, torn > offset_ ? torn - offset_ : 0};
}

std::uint64_t segment_walk::torn_end() {
    if (!reused_) return used_end();
    for (const auto offset : {offset_, next_block()}) {
        const auto head = head_at(offset);
        if (head && head->position >= next_) return offset + head->record_bytes();
    }
    return offset_;
}

bool segment_walk::is_zero_to(std::uint64_t end) {
    return is_zero(view(offset_, end - offset_).substr(0, end - offset_));
}

// Where the last byte that is not zero ends.
std::uint64_t segment_walk::used_end() {
    auto end = end_;
    while (end > offset_) {
        const auto begin = end - std::min<std::uint64_t>(end - offset_, window_bytes_);
        if (const auto used = used_bytes(view(begin, end - begin).substr(0, end - begin)); used > 0)
            return begin + used;
        end = begin;
    }
    return offset_;
}

// From `offset` on what the window holds, but at least so many bytes, where the file has them. Ends the views that were
// given before.
std::string_view segment_walk::view(std::uint64_t offset, std::uint64_t least) {
    if (offset >= end_) return {};
    least = std::min(least, end_ - offset);
    if (offset < filled_from_ || offset + least > filled_from_ + filled_bytes_) fill_window(offset, least);
    const auto skipped = static_cast<std::size_t>(offset - filled_from_);
    return {buffer_.get() + skipped, filled_bytes_ - skipped};
}

void segment_walk::fill_window(std::uint64_t offset, std::uint64_t least) {
    const auto wanted = std::min<std::uint64_t>(std::max<std::uint64_t>(least, window_bytes_), end_ - offset);
    const auto bytes = static_cast<std::size_t>(wanted);
    filled_from_ = offset;
    filled_bytes_ = 0; // nothing, if this throws
    if (lent_ || buffer_bytes_ < bytes) {
        buffer_.reset(); // first, so that there are never two of them
        buffer_bytes_ = 0;
        buffer_ = std::make_shared_for_overwrite<char[]>(bytes);
        buffer_bytes_ = bytes;
        lent_ = false;
    }
    filled_bytes_ = read_fully(file_, offset, {buffer_.get(), bytes});
    if (filled_bytes_ < bytes) end_ = offset + filled_bytes_;
}

} // namespace trackd::journal
