#include "backlog/segment_store.hpp"
#include "support/catch.hpp"
#include "unit/backlog/journal_parts.hpp"

#include <algorithm>
#include <cerrno>
#include <optional>
#include <string>
#include <utility>
#include <vector>

using namespace trackd;
using journal::no_room;
using journal::segment_store;
using test::faulty_files;
using test::operation;

namespace {

using strings = std::vector<std::string>;

struct store_fixture : test::journal_parts {
    segment_store& open(std::vector<std::string> spares = {}) {
        std::vector<std::filesystem::path> paths;
        for (const auto& name : spares)
            paths.push_back(path(name));
        return store.emplace(files, options, std::vector<journal::segment_file>{}, std::move(paths));
    }

    segment_store::made make(position first, std::uint64_t least = 8192) {
        journal::segment_header header;
        header.first = first;
        header.salt = ++salt;
        return store->make_next(header, least);
    }

    [[nodiscard]] std::uint64_t bytes() const { return store->used().bytes; }

    std::optional<segment_store> store;
    const std::uint64_t whole = options.segment_bytes;
};

bool mentions(const std::exception& failure, std::string_view text) {
    return std::string_view{failure.what()}.find(text) != std::string_view::npos;
}

} // namespace

TEST_CASE_METHOD(store_fixture, "a new segment lies under its name with its header", "[segment_store]") {
    open();
    const auto made = make(1);
    CHECK(names() == strings{"00000000000000000001.segment"});
    const auto [state, header] = journal::decode_header(content(segment(1)));
    CHECK(state == journal::header_state::sound);
    CHECK(header == made.header);
    CHECK_FALSE(header.reused);
    CHECK(made.bytes == whole);
    CHECK(size(segment(1)) == whole);
    CHECK(store->used().segments == 1);
    CHECK(bytes() == whole);
}

TEST_CASE_METHOD(store_fixture, "a new segment outlasts a power cut at once", "[segment_store]") {
    open();
    static_cast<void>(make(1));
    const auto after = disk.after_power_cut(0);
    CHECK(after->list(options.directory) == strings{"00000000000000000001.segment"});
    CHECK(after->open(segment(1), journal::open_mode::read)->size() == whole);
}

TEST_CASE_METHOD(store_fixture, "a segment has its header before it has its name", "[segment_store]") {
    open();
    files.fail({operation::rename, 1, EIO});
    CHECK_THROWS_AS(make(1), std::system_error);
    CHECK(names() == strings{"00000000000000000001.segment.new"});
    const auto after = disk.after_power_cut(1);
    const auto open = after->open(path("00000000000000000001.segment.new"), journal::open_mode::read);
    std::string block(4096, '\0');
    CHECK(journal::read_fully(*open, 0, block) == block.size());
    CHECK(journal::decode_header(block).state == journal::header_state::sound);
    const auto calls = files.calls();
    const auto sync = std::find_if(calls.begin(), calls.end(), [](const faulty_files::call& one) {
        return one.kind == operation::sync;
    });
    CHECK(sync != calls.end());
}

TEST_CASE_METHOD(store_fixture, "the journal's own bound stops it, and nothing changes", "[segment_store]") {
    options.max_bytes = 2 * whole;
    open();
    static_cast<void>(make(1));
    static_cast<void>(make(2));
    const auto before = names();
    try {
        static_cast<void>(make(3));
        FAIL("there should be no room");
    } catch (const no_room& full) {
        CHECK(mentions(full, "journal.max_bytes"));
        CHECK(mentions(full, std::to_string(options.max_bytes)));
    }
    CHECK(names() == before);
    CHECK(bytes() == 2 * whole);
    CHECK(store->used().segments == 2);
}

TEST_CASE_METHOD(store_fixture, "what belongs to others on the disk is left to them", "[segment_store]") {
    options.min_free_bytes = whole;
    disk.limit(2 * whole - 1);
    open();
    try {
        static_cast<void>(make(1));
        FAIL("there should be no room");
    } catch (const no_room& full) {
        CHECK(mentions(full, "journal.min_free_bytes"));
    }
    CHECK(names().empty());
    CHECK(bytes() == 0);
    disk.limit(2 * whole);
    CHECK_NOTHROW(make(1));
}

TEST_CASE_METHOD(
    store_fixture, "a disk that has less than belongs to others has no room", "[segment_store]"
) {
    options.min_free_bytes = 4 * whole;
    disk.limit(3 * whole);
    open();
    CHECK_THROWS_AS(make(1), no_room);
}

TEST_CASE_METHOD(
    store_fixture, "a disk that is full while a segment is made takes it back", "[segment_store]"
) {
    const auto kind = GENERATE(operation::open, operation::reserve, operation::write, operation::rename);
    const auto error = GENERATE(ENOSPC, EDQUOT, EMFILE);
    CAPTURE(name(kind), error);
    open();
    files.fail({kind, 1, error});
    CHECK_THROWS_AS(make(1), no_room);
    CHECK(names().empty());
    CHECK(bytes() == 0);
    CHECK_NOTHROW(make(1));
    const bool reserves_ahead = (kind == operation::open || kind == operation::reserve) && error != EMFILE;
    CHECK(bytes() == (reserves_ahead ? 2 : 1) * whole);
}

TEST_CASE_METHOD(
    store_fixture, "a disk that fails while a segment is made is not just full", "[segment_store]"
) {
    const auto kind = GENERATE(
        operation::open, operation::reserve, operation::write, operation::sync, operation::rename,
        operation::sync_directory
    );
    CAPTURE(name(kind));
    open();
    files.fail({kind, 1, EIO});
    try {
        static_cast<void>(make(1));
        FAIL("it should have failed");
    } catch (const no_room&) {
        FAIL("it is not full");
    } catch (const std::system_error& failure) {
        CHECK(failure.code().value() == EIO);
    }
}

TEST_CASE_METHOD(store_fixture, "no sync ever says that there is only no room", "[segment_store]") {
    const auto kind = GENERATE(operation::sync, operation::sync_directory);
    CAPTURE(name(kind));
    open();
    files.fail({kind, 1, ENOSPC});
    try {
        static_cast<void>(make(1));
        FAIL("it should have failed");
    } catch (const no_room&) {
        FAIL("it is not just full");
    } catch (const std::system_error& failure) {
        CHECK(failure.code().value() == ENOSPC);
    }
}

TEST_CASE_METHOD(store_fixture, "a batch larger than a segment gets one of its own size", "[segment_store]") {
    open();
    const auto made = make(1, 3 * whole + 1);
    CHECK(made.bytes == 3 * whole + 4096);
    CHECK(size(segment(1)) == made.bytes);
    CHECK(bytes() == made.bytes);
}

TEST_CASE_METHOD(
    store_fixture, "what is given up serves again, as the next segment's file", "[segment_store]"
) {
    open();
    static_cast<void>(make(1));
    static_cast<void>(make(10));
    CHECK(store->trim(10));
    CHECK(names() == strings{"00000000000000000010.segment", "spare-1.segment"});
    CHECK(store->used().segments == 1);
    CHECK(bytes() == 2 * whole);

    const auto created = files.count(operation::reserve);
    const auto made = make(20);
    CHECK(made.header.reused);
    CHECK(journal::decode_header(content(segment(20))).header == made.header);
    CHECK(names() == strings{"00000000000000000010.segment", "00000000000000000020.segment"});
    CHECK(files.count(operation::reserve) == created);
    CHECK(bytes() == 2 * whole);
}

TEST_CASE_METHOD(store_fixture, "no more than two files wait to serve again", "[segment_store]") {
    open();
    for (position first = 1; first <= 5; ++first)
        static_cast<void>(make(first));
    CHECK(store->trim(5));
    CHECK(names() == strings{"00000000000000000005.segment", "spare-1.segment", "spare-2.segment"});
    CHECK(bytes() == 3 * whole);
}

TEST_CASE_METHOD(store_fixture, "a file of another size does not serve again", "[segment_store]") {
    open();
    static_cast<void>(make(1, 2 * whole));
    static_cast<void>(make(2));
    CHECK(store->trim(2));
    CHECK(names() == strings{"00000000000000000002.segment"});
    CHECK(bytes() == whole);
}

TEST_CASE_METHOD(store_fixture, "a file that was cut back does not serve again", "[segment_store]") {
    open();
    make(1).open->truncate(8192); // as a commit does that finds no room
    store->newest_was_cut(8192);
    CHECK(bytes() == 8192);
    CHECK(store->find(1)->segment.bytes == 8192);
    static_cast<void>(make(2));
    CHECK(store->trim(2));
    CHECK(names() == strings{"00000000000000000002.segment"});
    CHECK(bytes() == whole);
}

TEST_CASE_METHOD(store_fixture, "a file that waits is too small for a larger segment", "[segment_store]") {
    open();
    static_cast<void>(make(1));
    static_cast<void>(make(2));
    store->trim(2);
    const auto made = make(3, whole + 1);
    CHECK_FALSE(made.header.reused);
    CHECK(made.bytes == whole + 4096);
    CHECK(names().back() == "spare-1.segment");
}

TEST_CASE_METHOD(store_fixture, "a file that waits is large enough for what fills it", "[segment_store]") {
    open();
    static_cast<void>(make(1));
    static_cast<void>(make(2));
    store->trim(2);
    CHECK(make(3, whole).header.reused);
}

TEST_CASE_METHOD(store_fixture, "a file that cannot be opened now waits on", "[segment_store]") {
    open();
    static_cast<void>(make(1));
    static_cast<void>(make(2));
    store->trim(2);
    files.fail({operation::open, files.count(operation::open) + 1, EMFILE});
    CHECK_THROWS_AS(make(3), no_room);
    CHECK(make(3).header.reused);
    CHECK(bytes() == 2 * whole);
}

TEST_CASE_METHOD(store_fixture, "files that wait are given up when they are in the way", "[segment_store]") {
    options.max_bytes = 4 * whole;
    open();
    for (position first = 1; first <= 3; ++first)
        static_cast<void>(make(first));
    store->trim(3);
    REQUIRE(bytes() == 3 * whole);
    CHECK_NOTHROW(make(4, 3 * whole));
    CHECK(names() == strings{"00000000000000000003.segment", "00000000000000000004.segment"});
    CHECK(bytes() == 4 * whole);
}

TEST_CASE_METHOD(
    store_fixture, "files that wait are given up in vain where that is not enough", "[segment_store]"
) {
    options.max_bytes = 4 * whole;
    open();
    for (position first = 1; first <= 3; ++first)
        static_cast<void>(make(first));
    store->trim(3);
    CHECK_THROWS_AS(make(4, 3 * whole + 1), no_room);
    CHECK(names() == strings{"00000000000000000003.segment"});
    CHECK(bytes() == whole);
}

TEST_CASE_METHOD(store_fixture, "a segment without a record is replaced by the next one", "[segment_store]") {
    open();
    const auto first = make(7);
    const auto second = make(7, 2 * whole);
    CHECK(names() == strings{"00000000000000000007.segment"});
    CHECK(store->used().segments == 1);
    CHECK(bytes() == 2 * whole);
    CHECK(store->find(7)->segment.header.salt == second.header.salt);
    CHECK(store->find(7)->segment.bytes == 2 * whole);
    CHECK(first.header.salt != second.header.salt);
}

TEST_CASE_METHOD(store_fixture, "only segments that lie below as a whole are given up", "[segment_store]") {
    open();
    for (const position first : {1U, 10U, 20U})
        static_cast<void>(make(first));
    CHECK_FALSE(store->trim(9));
    CHECK(store->begin() == 1);
    CHECK(store->trim(19));
    CHECK(store->begin() == 10);
    CHECK_FALSE(store->trim(19));
    CHECK(store->trim(1000));
    CHECK(store->begin() == 20); // the newest stays, whatever is in it
    CHECK_FALSE(store->trim(1000));
}

TEST_CASE_METHOD(
    store_fixture, "a segment does not serve again before its new name is safe from a power cut",
    "[segment_store]"
) {
    open();
    static_cast<void>(make(1));
    static_cast<void>(make(10));
    bool in_between = false;
    files.before_each([&](const faulty_files::call& call) {
        if (call.kind != operation::sync_directory || std::exchange(in_between, true)) return;
        CHECK_FALSE(make(20).header.reused); // the thread that commits needs one at this very moment
    });
    CHECK(store->trim(10));
    files.before_each({});
    CHECK(in_between);
    CHECK(disk.after_power_cut(0)->list(options.directory).front() == "00000000000000000010.segment");
    CHECK(make(30).header.reused);
}

TEST_CASE_METHOD(
    store_fixture, "spares from an earlier process serve, and keep their names", "[segment_store]"
) {
    put("spare-7.segment", std::string(whole, 'x'));
    open({"spare-7.segment"});
    CHECK(bytes() == whole);
    const auto made = make(1);
    CHECK(made.header.reused);
    CHECK(names() == strings{"00000000000000000001.segment"});
    static_cast<void>(make(2));
    store->trim(2);
    CHECK(names().back() == "spare-8.segment");
}

TEST_CASE_METHOD(store_fixture, "a segment is found by any position in it", "[segment_store]") {
    open();
    CHECK_FALSE(store->begin());
    CHECK_FALSE(store->find(1));
    CHECK_FALSE(store->end_of_oldest());
    static_cast<void>(make(5));
    CHECK_FALSE(store->end_of_oldest());
    static_cast<void>(make(10));
    CHECK(store->begin() == 5);
    CHECK(store->end_of_oldest() == 10);
    CHECK_FALSE(store->find(4));
    for (const position at : {5U, 9U}) {
        const auto found = store->find(at);
        REQUIRE(found);
        CHECK(found->segment.header.first == 5);
        CHECK(found->segment.path == segment(5));
        CHECK(found->end == 10);
    }
    const auto newest = store->find(1000);
    REQUIRE(newest);
    CHECK(newest->segment.header.first == 10);
    CHECK_FALSE(newest->end);
}

TEST_CASE_METHOD(
    store_fixture, "what events take is their share of their segments' records", "[segment_store]"
) {
    CHECK(open().bytes_between(1, 100, {1, 0}) == 0);
    static_cast<void>(make(1));
    static_cast<void>(make(5));
    static_cast<void>(make(10));
    const auto records = whole - journal::block_bytes;
    const segment_store::written newest{20, journal::block_bytes + 1000};
    CHECK(store->bytes_between(1, 5, newest) == records);
    CHECK(store->bytes_between(2, 4, newest) == records / 2);
    CHECK(store->bytes_between(1, 10, newest) == 2 * records);
    CHECK(store->bytes_between(12, 17, newest) == 500);
    CHECK(store->bytes_between(1, 20, newest) == 2 * records + 1000);
    CHECK(store->bytes_between(3, 15, newest) == records / 2 + records + 500);
    CHECK(store->bytes_between(7, 7, newest) == 0);
    CHECK(store->bytes_between(20, 20, newest) == 0);
    CHECK(store->bytes_between(10, 20, {20, 0}) == records);    // nothing is known but its file
    CHECK(store->bytes_between(1, 10, {10, 0}) == 2 * records); // it has no event yet
}

TEST_CASE_METHOD(
    store_fixture, "the newest segment is given up once it is released and every cursor is past it",
    "[segment_store]"
) {
    open();
    static_cast<void>(make(1));
    CHECK_FALSE(store->release_newest(10)); // no cursor is known to be past it
    CHECK_FALSE(store->trim(9));
    CHECK_FALSE(store->release_newest(10));
    CHECK_FALSE(store->trim(10)); // not released
    CHECK_FALSE(store->end_of_oldest());
    CHECK(store->release_newest(10));
    CHECK(store->end_of_oldest() == 10);
    CHECK_FALSE(store->trim(9));
    CHECK(store->trim(10));
    CHECK(names() == strings{"spare-1.segment"});
    CHECK_FALSE(store->begin());
    CHECK(store->used().segments == 0);
    CHECK_FALSE(store->release_newest(10));
    CHECK(make(10).header.reused);
    CHECK(bytes() == whole);
}

TEST_CASE_METHOD(store_fixture, "a released segment of another size is removed", "[segment_store]") {
    open();
    static_cast<void>(make(1, 2 * whole));
    store->trim(10);
    CHECK(store->release_newest(10));
    CHECK(store->trim(10));
    CHECK(names().empty());
    CHECK(bytes() == 0);
}

TEST_CASE_METHOD(
    store_fixture, "a segment that is not alone is not released, nor one that was followed", "[segment_store]"
) {
    open();
    static_cast<void>(make(1));
    store->trim(10);
    CHECK(store->release_newest(10));
    static_cast<void>(make(10)); // there was room after all
    CHECK(store->trim(10));
    CHECK(store->begin() == 10);
    CHECK_FALSE(store->trim(10));
    static_cast<void>(make(20));
    CHECK_FALSE(store->release_newest(10));
}

TEST_CASE_METHOD(
    store_fixture, "a segment without a record is released, and its successor keeps the name",
    "[segment_store]"
) {
    open();
    static_cast<void>(make(7));
    store->trim(7);
    CHECK(store->release_newest(7));
    const auto second = make(7, 2 * whole);
    CHECK_FALSE(store->trim(7));
    CHECK(names() == strings{"00000000000000000007.segment"});
    CHECK(store->find(7)->segment.header.salt == second.header.salt);
}

TEST_CASE_METHOD(
    store_fixture, "a disk that has refused a segment is asked for the next one in advance", "[segment_store]"
) {
    const auto kind = GENERATE(operation::open, operation::reserve);
    const auto error = GENERATE(ENOSPC, EDQUOT);
    open();
    static_cast<void>(make(1));
    CHECK_FALSE(store->has_its_last());
    files.fail({kind, files.count(kind) + 1, error, true});
    CHECK_THROWS_AS(make(10), no_room);
    files.heal();
    static_cast<void>(make(10));
    CHECK(names().back() == "spare-1.segment"); // for the next one
    CHECK_FALSE(store->has_its_last());
    files.fail({kind, files.count(kind) + 1, error, true});
    if (kind == operation::open) files.heal(); // it would be opened, too
    static_cast<void>(make(20));
    if (kind == operation::reserve) CHECK(store->has_its_last());
    files.heal();
    CHECK(store->trim(10));
    CHECK_FALSE(store->has_its_last());
}

TEST_CASE_METHOD(
    store_fixture, "a disk with room for one more segment only is known before it refuses", "[segment_store]"
) {
    options.min_free_bytes = whole;
    disk.limit(disk.used() + 3 * whole + whole / 2);
    open();
    static_cast<void>(make(1));
    CHECK_FALSE(store->has_its_last());
    static_cast<void>(make(10));
    CHECK(store->has_its_last());
    disk.limit(10 * whole);
    CHECK(store->trim(10));
    CHECK_FALSE(store->has_its_last());
}

TEST_CASE_METHOD(
    store_fixture, "room that others free on a full disk is found while no segment is given up",
    "[segment_store]"
) {
    options.min_free_bytes = whole;
    disk.limit(disk.used() + 3 * whole + whole / 2);
    open();
    static_cast<void>(make(1));
    static_cast<void>(make(10));
    CHECK_FALSE(store->trim(1));
    CHECK(store->has_its_last());
    disk.limit(10 * whole);
    CHECK_FALSE(store->trim(1));
    CHECK_FALSE(store->has_its_last());
}

TEST_CASE_METHOD(
    store_fixture, "files of an earlier, larger journal do not serve again beyond the bound",
    "[segment_store]"
) {
    open();
    for (position first = 1; first <= 4; ++first)
        static_cast<void>(make(first));
    std::vector<journal::segment_file> present;
    for (position first = 1; first <= 4; ++first)
        present.push_back(store->find(first)->segment);
    options.max_bytes = 2 * whole;
    store.emplace(files, options, present, std::vector<std::filesystem::path>{});
    CHECK(store->trim(4));
    CHECK(bytes() <= options.max_bytes);
}

TEST_CASE("the names of spares have numbers", "[segment_store]") {
    CHECK(journal::spare_number("spare-3.segment") == 3);
    CHECK(journal::spare_number("spare-18.segment") == 18);
    for (const auto* other :
         {"spare-.segment", "spare-3.segment.new", "spare-3", "spare-x.segment", "spare-3x.segment",
          "00000000000000000001.segment", "3.segment", "spare-99999999999999999999999.segment"}) {
        CAPTURE(other);
        CHECK_FALSE(journal::spare_number(other));
    }
}
