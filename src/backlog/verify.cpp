// The whole journal, read and checked: `trackd journal verify`.
#include "backlog/cursor_file.hpp"
#include "backlog/in_use.hpp"
#include "backlog/inspect.hpp"
#include "backlog/survey.hpp"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <ostream>
#include <string>
#include <system_error>
#include <vector>

namespace trackd::journal {

namespace {

std::string count(std::uint64_t number, std::string_view what) {
    return fmt::format("{} {}{}", number, what, number == 1 ? "" : "s");
}

/// What reading one segment has shown.
struct read_segment {
    std::vector<flaw> flaws;
    std::uint64_t events = 0;
    segment_end tail;
    trackd::position end = 0; ///< behind its last event
    std::uint32_t chain = 0;  ///< at its end
};

read_segment read_all(const inspection& to, const surveyed_segment& segment) {
    read_segment read;
    segment_pass pass{to.files, to.directory, segment};
    for (;;) {
        const auto step = pass.next();
        if (std::holds_alternative<passed_event>(step)) {
            ++read.events;
        } else if (const auto* found = std::get_if<flaw>(&step)) {
            read.flaws.push_back(*found);
        } else {
            read.tail = std::get<segment_end>(step);
            read.end = pass.position();
            read.chain = pass.chain();
            return read;
        }
    }
}

class verification {
public:
    explicit verification(const inspection& to) : to_{to} {}

    inspection_result run() {
        // Cursors only rise, and the journal grows before they do: read now they lie within what is read below.
        const auto kept = peek_cursors(to_.files, to_.directory);
        const auto all = survey(to_.files, to_.directory);
        in_use_ = is_in_use(to_.directory);
        if (in_use_) to_.out << "the journal is in use: its newest commit may look torn\n";
        for (std::size_t i = 0; i < all.size(); ++i)
            check(all[i], i + 1 < all.size() ? &all[i + 1] : nullptr);
        check_cursors(kept, all);
        sum_up(all, kept);
        if (findings_ > 0) return inspection_result::damaged;
        return newer_ ? inspection_result::impossible : inspection_result::good;
    }

private:
    /// How far the segment before goes, where that is known.
    struct known_end {
        std::string name;
        trackd::position end = 0;
        std::optional<std::uint32_t> chain; ///< not where it is damaged
    };

    void check(const surveyed_segment& segment, const surveyed_segment* next) {
        if (segment.header.state == header_state::newer) {
            to_.errors << newer_version(segment) << '\n';
            newer_ = true;
            before_.reset();
        } else if (!segment.is_sound()) {
            find_lost(segment, next, segment.error.empty() ? "its header cannot be read" : segment.error);
        } else {
            check_beginning(segment);
            check_records(segment, next);
        }
    }

    // Without its header none of its records can be told from anything else.
    void find_lost(const surveyed_segment& segment, const surveyed_segment* next, const std::string& why) {
        before_.reset();
        if (is_given_up(segment)) return;
        const auto end = next != nullptr ? next->first : segment.first;
        const auto unknown = fmt::format(", nor what the journal had from position {} on", segment.first);
        find(
            segment.name, {0, segment.bytes, segment.first, end},
            next != nullptr ? std::string{why} : why + unknown
        );
    }

    void check_beginning(const surveyed_segment& segment) {
        const auto& header = segment.header.header;
        if (header.first != segment.first)
            find(
                segment.name,
                fmt::format("it begins at position {}, but its name says {}", header.first, segment.first)
            );
        if (!before_) return;
        if (header.first < before_->end)
            find(
                segment.name, fmt::format(
                                  "it begins at position {}, but {} goes on to {}", header.first,
                                  before_->name, before_->end - 1
                              )
            );
        else if (header.first == before_->end && before_->chain && *before_->chain != header.chain)
            find(
                segment.name,
                fmt::format(
                    "it does not continue {}: the checksum of all before it is {:08x}, expected {:08x}",
                    before_->name, header.chain, *before_->chain
                )
            );
    }

    void check_records(const surveyed_segment& segment, const surveyed_segment* next) {
        before_.reset();
        try {
            const auto read = read_all(to_, segment);
            if (!read.flaws.empty() && is_given_up(segment)) return;
            events_ += read.events;
            for (const auto& one : read.flaws)
                find(
                    segment.name, one,
                    one.bytes > 0 ? "cannot be read" : "records that should be here are not"
                );
            check_end(segment, read, next);
        } catch (const std::system_error& failure) {
            find_lost(segment, next, failure.what());
        }
    }

    void check_end(const surveyed_segment& segment, const read_segment& read, const surveyed_segment* next) {
        const auto& [offset, torn_bytes] = read.tail;
        if (next != nullptr && next->first > read.end) {
            if (is_given_up(segment)) return;
            find(segment.name, {offset, torn_bytes, read.end, next->first}, "it ends too early");
            return;
        }
        if (torn_bytes > 0)
            to_.out << fmt::format(
                "{}: offset {}, {}: torn, not damaged: a commit that {}never finished, so that nobody was "
                "told that it is "
                "on disk\n",
                segment.name, offset, count(torn_bytes, "byte"),
                in_use_ && next == nullptr ? "is being written, or " : ""
            );
        before_ = {segment.name, read.end, {}};
        if (read.flaws.empty()) before_->chain = read.chain;
    }

    void check_cursors(const kept_cursors& kept, const std::vector<surveyed_segment>& all) {
        if (!kept.problem.empty()) {
            find("cursors", kept.problem);
            return;
        }
        if (all.empty()) return;
        for (const auto& [sink, at] : kept.all) {
            if (before_ && at.at > before_->end)
                find(
                    "cursors",
                    fmt::format("sink {} is at {}, but the journal ends at {}", sink, at.at, before_->end)
                );
        }
        // Read again, because a segment may have been given up since.
        for (const auto& [sink, at] : peek_cursors(to_.files, to_.directory).all) {
            if (at.at < all.front().first)
                find(
                    "cursors", fmt::format(
                                   "sink {} is at {}, but the oldest event that is kept is {}", sink, at.at,
                                   all.front().first
                               )
                );
        }
    }

    void sum_up(const std::vector<surveyed_segment>& all, const kept_cursors& kept) {
        const auto verdict = findings_ > 0 ? fmt::format("damaged, {}", count(findings_, "finding"))
                                           : std::string{newer_ ? "not all could be read" : "clean"};
        to_.out << fmt::format(
            "{}: {} in {}, {} missing, {}\n", verdict, count(events_, "event"), count(all.size(), "segment"),
            count(missing_, "position"), count(kept.all.size(), "cursor")
        );
    }

    /// Beside a running daemon a segment may go, or become another one, while it is read.
    [[nodiscard]] bool is_given_up(const surveyed_segment& segment) const {
        return !is_still_there(to_.files, to_.directory, segment);
    }

    void find(std::string_view where, const flaw& what, std::string_view why) {
        std::string text;
        if (what.bytes > 0) text = fmt::format("offset {}, {}: ", what.offset, count(what.bytes, "byte"));
        text += why;
        if (what.end > what.first) text += fmt::format(": {} missing", positions(what.first, what.end));
        missing_ += what.end - what.first;
        find(where, text);
    }

    void find(std::string_view where, std::string_view what) {
        to_.out << fmt::format("{}: {}\n", where, what);
        ++findings_;
    }

    const inspection& to_;
    bool in_use_ = false;
    bool newer_ = false;
    std::optional<known_end> before_;
    std::uint64_t findings_ = 0;
    std::uint64_t events_ = 0;
    std::uint64_t missing_ = 0;
};

} // namespace

inspection_result verify_journal(const inspection& to) {
    return verification{to}.run();
}

} // namespace trackd::journal
