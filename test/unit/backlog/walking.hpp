// What the tests of segment_walk share: a segment of all sorts of records, and what a walk finds of it.
#pragma once

#include "backlog/segment_walk.hpp"
#include "support/events.hpp"
#include "support/memory_file.hpp"
#include "support/segment_bytes.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <unordered_map>
#include <variant>
#include <vector>

namespace trackd::test {

inline journal::segment_header make_header(position first, std::uint32_t salt, bool reused = false) {
    journal::segment_header header;
    header.first = first;
    header.salt = salt;
    header.reused = reused;
    return header;
}

/// An event with data of so many bytes, which differ from position to position.
inline void add_event(segment_bytes& to, position at, std::size_t data_bytes) {
    auto event = make_event("");
    const auto id = std::to_string(at);
    std::string data;
    while (data.size() < data_bytes)
        data.append(id).push_back('.');
    data.resize(data_bytes);
    event.id = id;
    event.data = data;
    event.kind = data_kind::text;
    to.add_event(event);
}

/// 199 events and a mark, in commits of one record and of many; three records are over 4 KiB.
inline segment_bytes make_segment(journal::segment_header header) {
    segment_bytes segment{header};
    auto at = header.first;
    for (const std::size_t events : {1U, 1U, 40U, 1U, 5U, 0U, 60U, 2U, 89U}) {
        segment.end_commit();
        if (events == 0) segment.add_mark();
        for (std::size_t i = 0; i < events; ++i, ++at) {
            const bool large = i == 0 && (events == 5 || events == 60 || events == 2);
            add_event(segment, at, large ? 4100 + events : at * 7 % 50);
        }
    }
    return segment;
}

/// What one walk has told.
struct walked {
    std::vector<placed_record> records;
    std::vector<journal::bad_range> bad;
    journal::segment_end end;
};

inline walked walk(
    journal::file& file, const journal::segment_header& header, std::uint64_t end,
    std::size_t window_bytes = journal::segment_walk::default_window_bytes
) {
    walked told;
    journal::segment_walk over{
        file, header, {journal::segment_header::encoded_bytes, header.first}, end, window_bytes
    };
    for (;;) {
        const auto step = over.next();
        if (const auto* record = std::get_if<journal::found_record>(&step)) {
            told.records.push_back({record->head, std::string{record->body}, record->offset});
        } else if (const auto* bad = std::get_if<journal::bad_range>(&step)) {
            told.bad.push_back(*bad);
        } else {
            told.end = std::get<journal::segment_end>(step);
            return told;
        }
    }
}

inline walked walk(const segment_bytes& segment) {
    memory_file file{segment.file()};
    return walk(file, segment.header(), file.bytes.size());
}

/// What a walk over changed bytes has found of what was written.
struct compared {
    std::vector<std::size_t> missing; ///< which of the written records
    std::size_t wrong = 0;            ///< records that were never written so, or that came out of order
    std::vector<journal::bad_range> bad;
    journal::segment_end end;

    void miss(std::size_t from, std::size_t to) {
        for (; from < to; ++from)
            missing.push_back(from);
    }
};

/// Walks many changed versions of one segment.
class comparison {
public:
    explicit comparison(const segment_bytes& written) : written_{written} {
        const auto& records = written.records();
        for (std::size_t i = 0; i < records.size(); ++i)
            (is_event(records[i].head) ? events_ : marks_)[records[i].head.position] = i;
    }

    [[nodiscard]] compared operator()(memory_file& file, std::uint64_t end) const {
        return walk_part(
            file, end, 0, written_.records().size(), journal::segment_walk::default_window_bytes
        );
    }

    /// Only from a few records before this one to a few behind it, and says nothing of the others: a whole walk for
    /// each byte of a segment takes long.
    [[nodiscard]] compared around(memory_file& file, std::size_t index) const {
        const auto& records = written_.records();
        const auto to = std::min(index + 5, records.size());
        return around(file, index, to == records.size() ? file.bytes.size() : records[to - 1].end());
    }

    [[nodiscard]] compared around(memory_file& file, std::size_t index, std::uint64_t end) const {
        const auto to = std::min(index + 5, written_.records().size());
        return walk_part(file, end, index < 3 ? 0 : index - 3, to, 6000);
    }

private:
    [[nodiscard]] compared walk_part(
        memory_file& file, std::uint64_t end, std::size_t from, std::size_t to, std::size_t window_bytes
    ) const {
        journal::segment_walk over{file, written_.header(), place_before(from), end, window_bytes};
        compared result;
        std::size_t expected = from; // all before were found, or are known to be missing
        for (;;) {
            const auto step = over.next();
            if (const auto* record = std::get_if<journal::found_record>(&step)) {
                const auto at = index_of(*record);
                if (at < expected || at >= to) {
                    ++result.wrong;
                } else {
                    result.miss(expected, at);
                    expected = at + 1;
                }
            } else if (const auto* bad = std::get_if<journal::bad_range>(&step)) {
                result.bad.push_back(*bad);
            } else {
                result.miss(expected, to);
                result.end = std::get<journal::segment_end>(step);
                return result;
            }
        }
    }

    static bool is_event(const journal::record_head& head) {
        return head.kind == journal::record_kind::event;
    }

    [[nodiscard]] journal::segment_walk::place place_before(std::size_t index) const {
        if (index == 0) return {journal::segment_header::encoded_bytes, written_.header().first};
        const auto& before = written_.records()[index - 1];
        return {before.end(), before.head.position + (is_event(before.head) ? 1 : 0)};
    }

    // Of the record that was written exactly so; the number of records if there is none.
    [[nodiscard]] std::size_t index_of(const journal::found_record& found) const {
        const auto& of_kind = is_event(found.head) ? events_ : marks_;
        const auto& records = written_.records();
        const auto at = of_kind.find(found.head.position);
        const bool same = at != of_kind.end() && records[at->second].head == found.head &&
                          records[at->second].body == found.body;
        return same ? at->second : records.size();
    }

    const segment_bytes& written_;
    std::unordered_map<position, std::size_t> events_;
    std::unordered_map<position, std::size_t> marks_;
};

} // namespace trackd::test
