// How commits fill segments. What is found of them again is in recovery_test.cpp, and what a full disk does to them in
// commit_thread_test.cpp.
#include "backlog/commit_writer.hpp"
#include "support/catch.hpp"
#include "unit/backlog/journal_parts.hpp"

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
