#include "backlog/journal_reader.hpp"
#include "support/catch.hpp"
#include "unit/backlog/journal_parts.hpp"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <vector>

using namespace trackd;
using test::operation;

namespace {

using strings = std::vector<std::string>;

constexpr auto everything = std::numeric_limits<std::size_t>::max();
constexpr read_limits no_limits{everything, everything};

// A journal with several segments, of commits of several events.
struct reader_fixture : test::journal_parts {
    reader_fixture() {
        test::opened_parts writing{*this};
        while (firsts.size() < 4) {
            writing.commit(5, 1500);
            if (firsts.empty() || firsts.back() != writing.newest()) firsts.push_back(writing.newest());
        }
        writing.commit(2, 1500);
        end = writing.writer.next();
    }

    // As a later process finds it.
    void open() {
        opened.emplace(*this);
        reader.emplace(files, opened->store, damaged_bytes);
        REQUIRE(opened->found.goes_on.next == end);
    }

    struct told {
        strings events;                                          // their ids
        std::vector<std::pair<position, std::uint64_t>> damaged; // where, and how many

        bool operator==(const told&) const = default;
    };

    told read(position from, position below, read_limits limits = no_limits) {
        told all;
        while (from < below) {
            const auto found = reader->read(from, below, limits);
            REQUIRE(found.first == from);
            REQUIRE(found.end() > from);
            REQUIRE(found.end() <= below);
            REQUIRE((found.damaged == 0) != found.events.empty());
            if (found.damaged > 0) all.damaged.emplace_back(from, found.damaged);
            for (const auto& event : found.events)
                all.events.emplace_back(event.id);
            from = found.end();
        }
        return all;
    }

    // What there is to read of [from, below), but for [gap, gap_end).
    static strings ids(position from, position below, position gap = 0, position gap_end = 0) {
        strings all;
        for (; from < below; ++from)
            if (from < gap || from >= gap_end) all.push_back(std::to_string(from));
        return all;
    }

    [[nodiscard]] std::uint64_t count_kept() {
        const auto all = names();
        return static_cast<std::uint64_t>(std::count_if(all.begin(), all.end(), [](const auto& name) {
            return name.ends_with(".damaged");
        }));
    }

    std::vector<position> firsts; // of the segments
    position end = 1;
    std::optional<test::opened_parts> opened;
    std::atomic<std::uint64_t> damaged_bytes{0};
    std::optional<journal::journal_reader> reader;
};

} // namespace

TEST_CASE_METHOD(reader_fixture, "all events are read across segments", "[journal_reader]") {
    open();
    CHECK(read(1, end) == told{ids(1, end), {}});
    CHECK(damaged_bytes == 0);
    CHECK(count_kept() == 0);
}

TEST_CASE_METHOD(reader_fixture, "a read begins wherever it is asked to", "[journal_reader]") {
    open();
    for (position from = end - 1; from > 0; --from)
        CHECK(read(from, end) == told{ids(from, end), {}});
}

TEST_CASE_METHOD(reader_fixture, "segments are read up to where it is asked for", "[journal_reader]") {
    open();
    for (position below = 2; below < end; ++below)
        CHECK(read(1, below) == told{ids(1, below), {}});
    const auto nothing = reader->read(7, 7, no_limits);
    CHECK(nothing.first == 7);
    CHECK(nothing.events.empty());
    CHECK(nothing.damaged == 0);
}

TEST_CASE_METHOD(reader_fixture, "a read of segments ends at its limits", "[journal_reader]") {
    open();
    CHECK(reader->read(3, end, {4, everything}).events.size() == 4);
    const auto bytes = test::events_at(3, 1, 1500)->bytes();
    CHECK(reader->read(3, end, {everything, 2 * bytes}).events.size() == 2);
    CHECK(reader->read(3, end, {everything, 2 * bytes + 1}).events.size() == 3);
    CHECK(reader->read(3, end, {everything, 1}).events.size() == 1);
    CHECK(read(1, end, {3, everything}) == told{ids(1, end), {}});
    CHECK(read(1, end, {everything, 4000}) == told{ids(1, end), {}});
}

TEST_CASE_METHOD(reader_fixture, "what was read stays valid", "[journal_reader]") {
    open();
    std::vector<chunk> chunks;
    for (position at = 1; at < end; at = chunks.back().end())
        chunks.push_back(reader->read(at, end, {3, everything}));
    reader.reset();
    strings found;
    for (const auto& one : chunks)
        for (const auto& event : one.events)
            found.emplace_back(event.id);
    CHECK(found == ids(1, end));
}

TEST_CASE_METHOD(reader_fixture, "a sink that reads on opens each segment once", "[journal_reader]") {
    open();
    const auto before = files.count(operation::open);
    CHECK(read(1, end, {2, everything}).events.size() == end - 1);
    CHECK(files.count(operation::open) == before + firsts.size());
}

TEST_CASE_METHOD(
    reader_fixture, "sinks that read at different places do not disturb one another", "[journal_reader]"
) {
    open();
    const auto before = files.count(operation::open);
    position one = 1;
    position other = 2;
    strings of_one;
    strings of_other;
    const auto step = [&](position& at, strings& to) {
        if (at >= end) return;
        const auto found = reader->read(at, end, {3, everything});
        for (const auto& event : found.events)
            to.emplace_back(event.id);
        at = found.end();
    };
    while (one < end || other < end) {
        step(one, of_one);
        step(other, of_other);
    }
    CHECK(of_one == ids(1, end));
    CHECK(of_other == ids(2, end));
    CHECK(files.count(operation::open) <= before + 2 * firsts.size());
}

TEST_CASE_METHOD(reader_fixture, "the files of segments that are given up are let go", "[journal_reader]") {
    options.max_bytes = 100 * options.segment_bytes;
    open();
    static_cast<void>(reader->read(firsts[2], end, {1, everything}));
    REQUIRE(opened->store.trim(firsts[3])); // two become spares, this one goes
    const auto used = disk.used();
    reader->forget_below(firsts[3]);
    CHECK(disk.used() + options.segment_bytes == used);
    CHECK(read(firsts[3], end) == told{ids(firsts[3], end), {}});
}

TEST_CASE_METHOD(reader_fixture, "damage is told between the events around it", "[journal_reader]") {
    const auto at = offsets(firsts[1])[3];
    change(segment(firsts[1]), at + 200, "broken");
    open();
    const auto bad = firsts[1] + 3;
    CHECK(read(1, end) == told{ids(1, end, bad, bad + 1), {{bad, 1}}});
    CHECK(damaged_bytes > 1500);
    CHECK(count_kept() == 1);
    const auto kept = path(journal::segment_name(firsts[1]) + "." + std::to_string(at) + ".damaged");
    CHECK(content(kept).find("broken") != std::string::npos);
}

TEST_CASE_METHOD(reader_fixture, "damage over several commits is told at once", "[journal_reader]") {
    const auto all = offsets(firsts[0]);
    change(segment(1), all[2], std::string(all[12] - all[2], 'x'));
    open();
    CHECK(read(1, end) == told{ids(1, end, 3, 13), {{3, 10}}});
    CHECK(count_kept() == 1);
}

TEST_CASE_METHOD(reader_fixture, "a read that begins in damage tells the rest of it", "[journal_reader]") {
    const auto all = offsets(firsts[0]);
    change(segment(1), all[2], std::string(all[12] - all[2], 'x'));
    open();
    CHECK(read(6, end) == told{ids(13, end), {{6, 7}}});
}

TEST_CASE_METHOD(reader_fixture, "no more damage is told than was asked for", "[journal_reader]") {
    const auto all = offsets(firsts[0]);
    change(segment(1), all[2], std::string(all[12] - all[2], 'x'));
    open();
    CHECK(read(1, 8) == told{{"1", "2"}, {{3, 5}}});
}

TEST_CASE_METHOD(reader_fixture, "damage at a segment's end is told", "[journal_reader]") {
    const auto all = offsets(firsts[1]);
    const auto next = firsts[2];
    change(segment(firsts[1]), all.back(), std::string(2000, 'x'));
    open();
    CHECK(read(1, end) == told{ids(1, end, next - 1, next), {{next - 1, 1}}});
}

TEST_CASE_METHOD(reader_fixture, "damage at a segment's beginning is told", "[journal_reader]") {
    change(segment(firsts[1]), offsets(firsts[1])[0], "x");
    open();
    CHECK(read(1, end) == told{ids(1, end, firsts[1], firsts[1] + 1), {{firsts[1], 1}}});
}

TEST_CASE_METHOD(
    reader_fixture, "damage is set aside and counted once, whoever reads over it", "[journal_reader]"
) {
    change(segment(1), offsets(1)[3] + 200, "broken");
    open();
    CHECK(read(1, end).damaged.size() == 1);
    const auto bytes = damaged_bytes.load();
    CHECK(read(1, end).damaged.size() == 1);
    CHECK(read(2, end, {1, everything}).damaged.size() == 1);
    CHECK(damaged_bytes == bytes);
    CHECK(count_kept() == 1);

    reader.reset(); // and in a later process
    open();
    CHECK(read(1, end).damaged.size() == 1);
    CHECK(count_kept() == 1);
}

TEST_CASE_METHOD(reader_fixture, "damage that only hit padding costs no event", "[journal_reader]") {
    const auto all = records(1);
    const auto end_of_commit = all[4].offset + all[4].head.record_bytes();
    REQUIRE(end_of_commit < all[5].offset);
    change(segment(1), end_of_commit, "x");
    open();
    CHECK(read(1, end) == told{ids(1, end), {}});
    CHECK(damaged_bytes > 0);
}

TEST_CASE_METHOD(reader_fixture, "a segment that is missing is damage", "[journal_reader]") {
    disk.remove(segment(firsts[1]));
    open();
    CHECK(read(1, end) == told{ids(1, end, firsts[1], firsts[2]), {{firsts[1], firsts[2] - firsts[1]}}});
    CHECK(
        read(firsts[1] + 2, firsts[2] + 1) ==
        told{{std::to_string(firsts[2])}, {{firsts[1] + 2, firsts[2] - firsts[1] - 2}}}
    );
}

TEST_CASE_METHOD(reader_fixture, "a first segment that is missing is damage", "[journal_reader]") {
    disk.remove(segment(1));
    open();
    CHECK(read(1, end) == told{ids(firsts[1], end), {{1, firsts[1] - 1}}});
    CHECK(read(3, 5) == told{{}, {{3, 2}}});
}

TEST_CASE_METHOD(reader_fixture, "positions that the cursors had reached are damage", "[journal_reader]") {
    cursors["ahead"] = {1, end + 10, 0};
    const auto gap = end;
    end += 10;
    open();
    opened->commit(2);
    const auto all = read(1, end + 2);
    CHECK(all.damaged == decltype(all.damaged){{gap, 10}});
    CHECK(all.events == ids(1, end + 2, gap, end));
}

TEST_CASE_METHOD(
    reader_fixture, "events that are being written meanwhile are read later", "[journal_reader]"
) {
    open();
    opened->commit(3);
    CHECK(read(end - 1, end + 3).events.size() == 4);
    opened->commit(3);
    CHECK(read(end + 3, end + 6) == told{ids(end + 3, end + 6), {}});
    opened->writer.mark();
    opened->commit(3);
    CHECK(read(end + 5, end + 9) == told{ids(end + 5, end + 9), {}});
}

TEST_CASE_METHOD(reader_fixture, "a disk that cannot be read is no damage", "[journal_reader]") {
    open();
    files.fail({operation::read, files.count(operation::read) + 1, EIO});
    CHECK_THROWS_AS(reader->read(1, end, no_limits), std::system_error);
    CHECK(damaged_bytes == 0);
    CHECK(read(1, end) == told{ids(1, end), {}});
}

TEST_CASE_METHOD(
    reader_fixture, "what is stored behind a commit that found no room is found", "[journal_reader]"
) {
    open();
    files.fail({operation::write, files.count(operation::write) + 2, ENOSPC}); // its header, then the commit
    CHECK_THROWS_AS(opened->commit(2), journal::no_room);
    REQUIRE(opened->writer.make_room({}));
    opened->commit(3);
    files.fail({operation::write, files.count(operation::write) + 1, ENOSPC});
    CHECK_THROWS_AS(opened->commit(2), journal::no_room);
    REQUIRE(opened->writer.make_room({}));
    opened->commit(3);
    CHECK(read(end, end + 6) == told{ids(end, end + 6), {}});
}

TEST_CASE_METHOD(
    reader_fixture, "files that were cut back for want of room serve again without loss", "[journal_reader]"
) {
    open();
    opened->commit(1);
    for (int i = 0; i < 8; ++i) {
        files.fail({operation::write, files.count(operation::write) + 1, ENOSPC});
        CHECK_THROWS_AS(opened->commit(1), journal::no_room);
        REQUIRE(opened->writer.make_room({}));
        const auto first = opened->writer.next();
        const auto count = static_cast<std::size_t>(3 * i) + 1; // more than fits into what was cut back
        opened->commit(count, 1500);
        CHECK(read(first, first + count) == told{ids(first, first + count), {}});
        opened->store.trim(first);
    }
}
