// Puts the bytes of a segment together by hand, as docs/journal.md describes them: what the reading code is tested
// with, independent of the code that writes journals.
#pragma once

#include "backlog/segment.hpp"
#include "base/crc32c.hpp"

#include <trackd/batch.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace trackd::test {

/// A record that was put into a segment, and where.
struct placed_record {
    journal::record_head head;
    std::string body;
    std::uint64_t offset = 0;

    [[nodiscard]] std::uint64_t end() const noexcept { return offset + head.record_bytes(); }

    bool operator==(const placed_record&) const = default;
};

class segment_bytes {
public:
    explicit segment_bytes(journal::segment_header header) : header_{header}, next_{header.first} {
        bytes_.resize(journal::segment_header::encoded_bytes);
        journal::encode(header_, std::span<char, journal::segment_header::encoded_bytes>{bytes_});
    }

    /// What comes next is another commit.
    void end_commit() {
        bytes_.resize(journal::round_up(bytes_.size(), journal::block_bytes));
        begins_commit_ = true;
    }

    /// @param encoded one event, as a batch encodes it
    void add_event(std::string_view encoded) { put(journal::record_kind::event, next_++, encoded); }

    void add_event(const event_view& event) {
        batch one;
        one.append(event);
        add_event(one.encoded());
    }

    /// A mark that jumps to a higher position, if it is one.
    void add_mark(position at) {
        next_ = at;
        put(journal::record_kind::mark, at, {});
    }

    void add_mark() { add_mark(next_); }

    [[nodiscard]] const journal::segment_header& header() const noexcept { return header_; }

    [[nodiscard]] const std::vector<placed_record>& records() const noexcept { return records_; }

    /// The file, up to the last commit's last record.
    [[nodiscard]] const std::string& bytes() const noexcept { return bytes_; }

    /// The file, with the padding of the last commit, and so many unused blocks.
    [[nodiscard]] std::string file(std::size_t unused_blocks = 0) const {
        auto whole = bytes_;
        whole.resize(
            journal::round_up(whole.size(), journal::block_bytes) + unused_blocks * journal::block_bytes
        );
        return whole;
    }

private:
    void put(journal::record_kind kind, position at, std::string_view body) {
        journal::record_head head;
        head.body_bytes = static_cast<std::uint32_t>(body.size());
        head.position = at;
        head.body_checksum = base::crc32c(body);
        head.kind = kind;
        head.begins_commit = std::exchange(begins_commit_, false);
        const auto offset = bytes_.size();
        bytes_.resize(offset + journal::record_head::encoded_bytes);
        journal::encode(
            head, header_.salt,
            std::span<char, journal::record_head::encoded_bytes>{
                bytes_.data() + offset, journal::record_head::encoded_bytes
            }
        );
        bytes_.append(body);
        bytes_.resize(journal::round_up(bytes_.size(), journal::record_alignment));
        records_.push_back({head, std::string{body}, offset});
    }

    journal::segment_header header_;
    position next_;
    bool begins_commit_ = true;
    std::string bytes_;
    std::vector<placed_record> records_;
};

} // namespace trackd::test
