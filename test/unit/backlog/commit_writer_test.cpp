// How commits fill segments. What is found of them again is in recovery_test.cpp, and what a full disk does to them in
// commit_thread_test.cpp.
#include "backlog/commit_writer.hpp"
#include "support/catch.hpp"
#include "support/segment_bytes.hpp"
#include "unit/backlog/journal_parts.hpp"

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <span>

using namespace trackd;
using test::operation;

namespace {

struct writer_fixture : test::journal_parts {
    // Commits of one block each.
    static void commit_blocks(test::opened_parts& to, std::size_t count) {
        for (std::size_t i = 0; i < count; ++i)
            to.commit(1);
    }

    void make_segments_large() {
        options.segment_bytes = std::size_t{4} << 20U;
        options.max_bytes = 4 * options.segment_bytes;
    }

    // How many of them a segment takes.
    [[nodiscard]] std::size_t most() const {
        return (options.segment_bytes - journal::segment_header::encoded_bytes) / journal::block_bytes;
    }
};

} // namespace

TEST_CASE_METHOD(writer_fixture, "a segment is filled to its last block", "[commit_writer]") {
    test::opened_parts writing{*this};
    commit_blocks(writing, most());
    CHECK(writing.newest() == 1);
    commit_blocks(writing, 1);
    CHECK(writing.newest() == most() + 1);
    CHECK(size(segment(1)) == options.segment_bytes);
}

TEST_CASE_METHOD(writer_fixture, "there is room in a segment that a commit just fills", "[commit_writer]") {
    test::opened_parts writing{*this};
    commit_blocks(writing, most() - 1);
    disk.limit(disk.used());
    const auto one = test::events_at(writing.writer.next(), 1);
    CHECK(writing.writer.make_room(std::span{&one, 1}));
    commit_blocks(writing, 1);
    CHECK_FALSE(writing.writer.make_room(std::span{&one, 1}));
}

TEST_CASE_METHOD(writer_fixture, "a segment that is full gets no mark", "[commit_writer]") {
    test::opened_parts writing{*this};
    commit_blocks(writing, most());
    const auto writes = files.count(operation::write);
    writing.writer.mark();
    CHECK(files.count(operation::write) == writes);
    CHECK(size(segment(1)) == options.segment_bytes);
}

TEST_CASE_METHOD(
    writer_fixture, "with syncs now and then a segment is synced before the next one begins",
    "[commit_writer]"
) {
    options.sync = journal_sync::interval;
    test::opened_parts writing{*this};
    commit_blocks(writing, most());
    const auto last = files.calls().back();
    REQUIRE(last.kind == operation::write);
    commit_blocks(writing, 1);
    for (const auto& call : files.calls()) {
        if (call.number <= last.number) continue;
        if (call.kind == operation::sync && call.file == last.file) return;
        if (call.kind == operation::rename) break;
    }
    FAIL("the next segment got its name before the one before it was synced");
}

TEST_CASE_METHOD(
    writer_fixture, "a segment's header says what all records before it came to", "[commit_writer]"
) {
    test::opened_parts writing{*this};
    commit_blocks(writing, most() + 1);
    auto chain = journal::decode_header(content(segment(1))).header.chain;
    for (const auto& record : records(1))
        chain = journal::extend_chain(chain, record.head_checksum);
    CHECK(journal::decode_header(content(segment(most() + 1))).header.chain == chain);
}

TEST_CASE_METHOD(writer_fixture, "what is cut off for want of room is off the disk, too", "[commit_writer]") {
    test::opened_parts writing{*this};
    commit_blocks(writing, 1);
    files.fail({operation::write, files.count(operation::write) + 1, ENOSPC});
    CHECK_THROWS_AS(writing.commit(1), journal::no_room);
    const auto calls = files.calls();
    REQUIRE(calls.size() > 2);
    CHECK(calls[calls.size() - 2].kind == operation::truncate);
    CHECK(calls.back().kind == operation::sync);
}

// Such a commit leaves memory in pieces, which end where they end.
TEST_CASE_METHOD(
    writer_fixture, "a commit of any size lies in the segment as the page says, and zeros behind it",
    "[commit_writer]"
) {
    make_segments_large();
    test::opened_parts writing{*this};
    const auto before = test::events_at(1, 1);
    const std::array commit{
        test::events_at(2, 1000, 1001), test::events_at(1002, 1, 300'000), test::events_at(1003, 900, 17)
    };
    const auto after = test::events_at(1903, 1);
    writing.writer.commit(std::span{&before, 1});
    writing.writer.commit(commit);
    writing.writer.commit(std::span{&after, 1});

    test::segment_bytes expected{journal::decode_header(content(segment(1))).header};
    const auto add = [&expected](const batch& events) {
        for (auto at = events.begin(); at != events.end(); ++at)
            expected.add_event(at.encoded());
    };
    add(*before);
    expected.end_commit();
    for (const auto& one : commit)
        add(*one);
    expected.end_commit();
    add(*after);
    const auto written = content(segment(1));
    CHECK(written.starts_with(expected.file()));
    CHECK(written.find_first_not_of('\0', expected.bytes().size()) == written.npos);
}

TEST_CASE_METHOD(
    writer_fixture, "nothing of a large commit is left when the disk is full in the midst of it",
    "[commit_writer]"
) {
    make_segments_large();
    const auto fails_at = GENERATE(1U, 2U, 5U);
    test::opened_parts writing{*this};
    writing.commit(1);
    const auto end = writing.writer.segment_bytes();
    files.fail({operation::write, files.count(operation::write) + fails_at, ENOSPC});
    CHECK_THROWS_AS(writing.commit(600, 1000), journal::no_room);
    CHECK(size(segment(1)) == end);
    CHECK(writing.writer.next() == 2);
    writing.commit(600, 1000);
    CHECK(writing.newest() == 2);
    CHECK(records(2).size() == 600);
}

TEST_CASE_METHOD(writer_fixture, "a large commit is synced once, behind its last byte", "[commit_writer]") {
    make_segments_large();
    test::opened_parts writing{*this};
    writing.commit(1);
    const auto before = files.calls().size();
    writing.commit(600, 1000);
    const auto calls = files.calls();
    REQUIRE(calls.size() > before + 2);
    for (auto at = before; at + 1 < calls.size(); ++at)
        CHECK(calls[at].kind == operation::write);
    CHECK(calls.back().kind == operation::sync);
}
