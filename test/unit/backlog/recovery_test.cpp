#include "backlog/recovery.hpp"
#include "support/catch.hpp"
#include "support/segment_bytes.hpp"
#include "unit/backlog/journal_parts.hpp"

#include <algorithm>
#include <cerrno>
#include <map>
#include <stdexcept>
#include <string>
#include <vector>

using namespace trackd;
using test::operation;

namespace {

using strings = std::vector<std::string>;

struct recovery_fixture : test::journal_parts {
    [[nodiscard]] journal::recovered recover() {
        return journal::recover(files, options.directory, cursors, options.segment_bytes);
    }

    // All there is, byte by byte.
    [[nodiscard]] std::map<std::string, std::string> everything() {
        std::map<std::string, std::string> all;
        for (const auto& name : names())
            all[name] = content(path(name));
        return all;
    }

    // A segment with so many commits of one event each, in blocks of its own.
    [[nodiscard]] static test::segment_bytes segment_of(position first, std::size_t commits) {
        journal::segment_header header;
        header.first = first;
        header.salt = 77;
        header.chain = 1234;
        test::segment_bytes segment{header};
        for (std::size_t i = 0; i < commits; ++i) {
            segment.end_commit();
            segment.add_event(test::make_event(std::to_string(first + i)));
        }
        return segment;
    }

    void put(const test::segment_bytes& segment) { put(segment, segment.file(3)); }

    void put(const test::segment_bytes& segment, const std::string& content) {
        journal_parts::put(journal::segment_name(segment.header().first), content);
    }

    using journal_parts::put;
};

std::uint32_t chain_of(const test::segment_bytes& segment) {
    auto chain = segment.header().chain;
    for (const auto& record : segment.records())
        chain = journal::extend_chain(
            chain, journal::head_checksum(std::string_view{segment.bytes()}.substr(record.offset))
        );
    return chain;
}

} // namespace

TEST_CASE_METHOD(recovery_fixture, "a journal begins in an empty directory at 1", "[recovery]") {
    const auto found = recover();
    CHECK(found.segments.empty());
    CHECK(found.spares.empty());
    CHECK(found.goes_on.next == 1);
    CHECK(found.goes_on.chain == 0);
    CHECK(found.torn_bytes == 0);
    CHECK(found.damaged_bytes == 0);
    CHECK(names().empty());
}

TEST_CASE_METHOD(recovery_fixture, "a journal goes on behind its last event", "[recovery]") {
    const auto segment = segment_of(10, 4);
    put(segment_of(1, 9));
    put(segment);
    const auto found = recover();
    REQUIRE(found.segments.size() == 2);
    CHECK(found.segments[0].header.first == 1);
    CHECK(found.segments[0].path == this->segment(1));
    CHECK(found.segments[1].header == segment.header());
    CHECK(found.goes_on.next == 14);
    CHECK(found.goes_on.chain == chain_of(segment));
    CHECK(found.torn_bytes == 0);
}

TEST_CASE_METHOD(recovery_fixture, "a mark says where a journal goes on", "[recovery]") {
    auto segment = segment_of(1, 4);
    segment.end_commit();
    segment.add_mark(20);
    put(segment);
    const auto found = recover();
    CHECK(found.goes_on.next == 20);
    CHECK(found.goes_on.chain == chain_of(segment));
}

TEST_CASE_METHOD(recovery_fixture, "a journal goes on in a segment without a record", "[recovery]") {
    put(segment_of(1, 3));
    put(segment_of(4, 0));
    const auto found = recover();
    CHECK(found.segments.size() == 2);
    CHECK(found.goes_on.next == 4);
    CHECK(found.goes_on.chain == 1234);
}

TEST_CASE_METHOD(recovery_fixture, "segments come in order of their positions", "[recovery]") {
    for (const position first : {100U, 9U, 20U, 1U})
        put(segment_of(first, 1));
    std::vector<position> order;
    for (const auto& segment : recover().segments)
        order.push_back(segment.header.first);
    CHECK(order == std::vector<position>{1, 9, 20, 100});
}

TEST_CASE_METHOD(recovery_fixture, "only the newest segment is cut to what is in it", "[recovery]") {
    const auto older = segment_of(1, 2);
    const auto newest = segment_of(3, 2);
    put(older);
    put(newest);
    const auto found = recover();
    CHECK(size(segment(1)) == older.file(3).size());
    CHECK(found.segments[0].bytes == older.file(3).size());
    CHECK(size(segment(3)) == newest.bytes().size());
    CHECK(found.segments[1].bytes == newest.bytes().size());
    CHECK(content(segment(3)) == newest.bytes());
}

TEST_CASE_METHOD(recovery_fixture, "what a crash left in memory only is safe afterwards", "[recovery]") {
    const auto newest = segment_of(1, 3);
    {
        const auto open = disk.open(segment(1), journal::open_mode::create);
        journal::write_fully(*open, 0, newest.file(3));
        disk.sync_directory(options.directory);
    }
    REQUIRE(recover().goes_on.next == 4);
    const auto after = disk.after_power_cut(0);
    CHECK(journal::recover(*after, options.directory, cursors, options.segment_bytes).goes_on.next == 4);
}

TEST_CASE_METHOD(recovery_fixture, "a commit that never finished is cut off and kept", "[recovery]") {
    const auto segment = segment_of(1, 3);
    const auto& last = segment.records().back();
    auto torn = segment.file(3);
    torn[last.offset + 40] = static_cast<char>(torn[last.offset + 40] ^ 1);
    put(segment, torn);
    const auto found = recover();
    CHECK(found.goes_on.next == 3);
    CHECK(found.torn_bytes > 0);
    const auto end = segment.records()[1].end();
    CHECK(size(this->segment(1)) == end);
    const auto kept = content(path(journal::segment_name(1) + "." + std::to_string(end) + ".torn"));
    CHECK(kept.size() == found.torn_bytes);
    CHECK(kept == torn.substr(end, kept.size()));
    CHECK(kept.size() >= last.end() - end - 8);
    CHECK(found.damaged_bytes == 0);
}

TEST_CASE_METHOD(recovery_fixture, "a torn end goes even where it cannot be kept", "[recovery]") {
    const auto segment = segment_of(1, 3);
    const auto& last = segment.records().back();
    auto torn = segment.file(3);
    torn[last.offset + 40] = static_cast<char>(torn[last.offset + 40] ^ 1);
    put(segment, torn);
    files.before_each([&](const test::faulty_files::call& call) {
        if (call.kind != operation::open || call.path.extension() != ".torn") return;
        files.fail({{}, call.number, ENOSPC});
    });
    const auto found = recover();
    CHECK(found.goes_on.next == 3);
    CHECK(size(this->segment(1)) == segment.records()[1].end());
    CHECK(names().size() == 1);
}

TEST_CASE_METHOD(recovery_fixture, "what is half made is removed", "[recovery]") {
    put(segment_of(1, 1));
    put("00000000000000000002.segment.new", "half");
    put("spare-3.segment.new", std::string(options.segment_bytes, '\0'));
    const auto found = recover();
    CHECK(names() == strings{"00000000000000000001.segment"});
    CHECK(found.spares.empty());
    CHECK(found.damaged_bytes == 0);
}

TEST_CASE_METHOD(recovery_fixture, "other files are left alone", "[recovery]") {
    put("cursors", "not read here");
    put("notes.txt", "mine");
    put("00000000000000000001.segment.8192.torn", "kept");
    put("1.segment", "no segment's name");
    const auto before = everything();
    const auto found = recover();
    CHECK(found.segments.empty());
    CHECK(everything() == before);
}

TEST_CASE_METHOD(recovery_fixture, "a segment without a header is set aside", "[recovery]") {
    const auto broken = GENERATE(std::string{}, std::string(100, 'x'), std::string(20'000, 'x'));
    put(segment_of(1, 3));
    put("00000000000000000004.segment", broken);
    const auto found = recover();
    REQUIRE(found.segments.size() == 1);
    CHECK(found.goes_on.next == 4 + broken.size() / 64); // as many events as can have been in it
    CHECK(found.damaged_bytes == broken.size());
    CHECK(names() == strings{"00000000000000000001.segment", "00000000000000000004.segment.damaged"});
    CHECK(content(path("00000000000000000004.segment.damaged")) == broken);
    CHECK(disk.after_power_cut(0)->list(options.directory) == names());
}

TEST_CASE_METHOD(
    recovery_fixture, "no position of a newest segment that is lost is given out again", "[recovery]"
) {
    put(segment_of(1, 3));
    journal::segment_header header;
    header.first = 4;
    test::segment_bytes lost{header};
    for (int i = 0; i < 500; ++i)
        lost.add_event(event_view{}); // there is none smaller
    auto content = lost.file();
    content.replace(0, 4096, 4096, 'x');
    put(lost, content);
    CHECK(recover().goes_on.next >= 504);
    CHECK(recover().goes_on.next >= 504); // nor by a later process, which finds it set aside
}

TEST_CASE_METHOD(recovery_fixture, "a lost segment between others costs no positions", "[recovery]") {
    put(segment_of(1, 3));
    put("00000000000000000004.segment", std::string(40'000, 'x'));
    put(segment_of(9, 3));
    CHECK(recover().goes_on.next == 12);
}

TEST_CASE_METHOD(
    recovery_fixture, "the last of several lost segments says where a journal goes on", "[recovery]"
) {
    put(journal::segment_name(4), std::string(100, 'x'));
    put(journal::segment_name(400), std::string(100, 'x'));
    CHECK(recover().goes_on.next > 400);
}

TEST_CASE_METHOD(recovery_fixture, "a power cut leaves the names that a recovery saw", "[recovery]") {
    put(segment_of(1, 1));
    disk.rename(segment(1), segment(1).string() + ".old");
    disk.sync_directory(options.directory);
    disk.rename(segment(1).string() + ".old", segment(1)); // the last one, not safe yet
    CHECK(recover().goes_on.next == 2);
    CHECK(disk.after_power_cut(0)->list(options.directory) == strings{"00000000000000000001.segment"});
}

TEST_CASE_METHOD(recovery_fixture, "a segment under another one's name is set aside", "[recovery]") {
    put(segment_of(1, 3));
    put("00000000000000000004.segment", segment_of(7, 3).file());
    const auto found = recover();
    CHECK(found.segments.size() == 1);
    CHECK(found.damaged_bytes == segment_of(7, 3).file().size());
    CHECK(names().back() == "00000000000000000004.segment.damaged");
}

TEST_CASE_METHOD(recovery_fixture, "one sound copy of a header is enough", "[recovery]") {
    const std::size_t broken = GENERATE(0U, 2048U);
    const auto segment = segment_of(1, 3);
    auto content = segment.file();
    content.replace(broken, 512, std::string(512, 'x'));
    put(segment, content);
    CHECK(recover().goes_on.next == 4);
}

TEST_CASE_METHOD(recovery_fixture, "a newer version's journal is not touched", "[recovery]") {
    journal::segment_header header;
    header.version = journal::segment_header::newest_version + 1;
    header.first = 4;
    put(segment_of(1, 3));
    put(test::segment_bytes{header});
    const auto before = everything();
    try {
        static_cast<void>(recover());
        FAIL("it should have been refused");
    } catch (const std::runtime_error& refused) {
        const std::string text{refused.what()};
        CHECK(text.find(segment(4).string()) != std::string::npos);
        CHECK(text.find("newer version of trackd (format 2;") != std::string::npos);
    }
    CHECK(everything() == before);
}

TEST_CASE_METHOD(recovery_fixture, "no position that a cursor has passed is given out again", "[recovery]") {
    put(segment_of(1, 3));
    cursors["behind"] = {1, 2, 0};
    cursors["ahead"] = {1, 9, 0};
    cursors["further behind"] = {1, 1, 0};
    CHECK(recover().goes_on.next == 9);
    cursors["ahead"].at = 4;
    CHECK(recover().goes_on.next == 4);
}

TEST_CASE_METHOD(recovery_fixture, "cursors alone say where a journal goes on", "[recovery]") {
    cursors["left"] = {5, 9, 0};
    const auto found = recover();
    CHECK(found.segments.empty());
    CHECK(found.goes_on.next == 9);
    CHECK(found.goes_on.chain == 0);
}

TEST_CASE_METHOD(recovery_fixture, "spares of another size are removed", "[recovery]") {
    put("spare-1.segment", std::string(options.segment_bytes, '\0'));
    put("spare-2.segment", std::string(options.segment_bytes - 4096, '\0'));
    put("spare-3.segment", std::string(options.segment_bytes + 4096, '\0'));
    put("spare-4.segment", "");
    const auto found = recover();
    CHECK(found.spares == std::vector<std::filesystem::path>{path("spare-1.segment")});
    CHECK(names() == strings{"spare-1.segment"});
}

TEST_CASE_METHOD(recovery_fixture, "recovering again changes nothing", "[recovery]") {
    auto torn = segment_of(4, 3).file(3);
    torn.replace(segment_of(4, 3).records().back().offset + 30, 5, "xxxxx");
    put(segment_of(1, 3));
    put(segment_of(4, 3), torn);
    put("00000000000000000002.segment", "no header");
    put("spare-1.segment", std::string(options.segment_bytes, '\0'));
    put("spare-2.segment", "short");
    put("spare-3.segment.new", "half");
    const auto first = recover();
    CHECK(first.torn_bytes > 0);
    const auto after_first = everything();
    const auto second = recover();
    CHECK(everything() == after_first);
    CHECK(second.goes_on.next == first.goes_on.next);
    CHECK(second.goes_on.chain == first.goes_on.chain);
    CHECK(second.segments.size() == first.segments.size());
    CHECK(second.segments.back().bytes == first.segments.back().bytes);
    CHECK(second.spares == first.spares);
    CHECK(second.torn_bytes == 0);
    CHECK(second.damaged_bytes == 0);
}

TEST_CASE_METHOD(recovery_fixture, "a disk that cannot be read is told, not mended", "[recovery]") {
    put(segment_of(1, 3));
    const auto before = everything();
    const auto kind = GENERATE(operation::list, operation::open, operation::read, operation::size);
    files.fail({kind, files.count(kind) + 1, EIO});
    CHECK_THROWS_AS(recover(), std::system_error);
    CHECK(everything() == before);
}

TEST_CASE_METHOD(recovery_fixture, "what the writer wrote is found, over several processes", "[recovery]") {
    position next = 1;
    std::uint32_t chain = 0;
    for (int processes = 0; processes < 5; ++processes) {
        test::opened_parts opened{*this};
        CHECK(opened.found.goes_on.next == next);
        CHECK(opened.found.goes_on.chain == chain);
        opened.commit(3);
        opened.commit_to_next_segment();
        if (processes % 2 == 0) opened.writer.mark();
        next = opened.writer.next();
        chain = recover().goes_on.chain;
        CHECK(chain != opened.found.goes_on.chain);
        CHECK(recover().goes_on.next == next);
    }
}
