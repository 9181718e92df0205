#include "backlog/segment_walk.hpp"
#include "support/catch.hpp"
#include "walking.hpp"

#include <system_error>
#include <type_traits>

using namespace trackd;
using namespace trackd::journal;
using namespace trackd::test;

namespace {

constexpr std::uint32_t salt = 0x5A17ED00;

std::vector<position> positions(const walked& told) {
    std::vector<position> found;
    for (const auto& record : told.records)
        found.push_back(record.head.position);
    return found;
}

using all_of = std::vector<position>;

// Puts a record where there was something else, with any salt and any position.
void put_record(
    std::string& bytes, std::uint64_t offset, record_head head, std::uint32_t under, std::string_view body
) {
    head.body_bytes = static_cast<std::uint32_t>(body.size());
    head.body_checksum = base::crc32c(body);
    auto* to = bytes.data() + offset;
    encode(head, under, std::span<char, record_head::encoded_bytes>{to, record_head::encoded_bytes});
    std::copy(body.begin(), body.end(), to + record_head::encoded_bytes);
}

// Commits of one small event each, so each in a block of its own: the event `first` in the first block, and so on.
segment_bytes
make_small(position first, std::size_t commits, std::uint32_t under = salt, bool reused = false) {
    segment_bytes segment{make_header(first, under, reused)};
    for (std::size_t i = 0; i < commits; ++i) {
        segment.end_commit();
        add_event(segment, first + i, 20);
    }
    return segment;
}

} // namespace

TEST_CASE("a walk tells all records of a segment in order, and then its end", "[segment_walk]") {
    const auto segment = make_segment(make_header(1, salt));
    REQUIRE(segment.records().size() == 200);
    const auto told = walk(segment);
    CHECK(told.records == segment.records());
    CHECK(told.bad.empty());
    CHECK(told.end == segment_end{segment.bytes().size(), 0});
}

TEST_CASE("a record comes with the checksum of its head, for the chain", "[segment_walk]") {
    const auto segment = make_small(1, 1);
    memory_file file{segment.file()};
    segment_walk over{file, segment.header(), {}, file.bytes.size()};
    const auto step = over.next();
    CHECK(std::get<found_record>(step).head_checksum == head_checksum(segment.bytes().substr(4096)));
}

TEST_CASE("an empty segment is all end", "[segment_walk]") {
    const segment_bytes segment{make_header(7, salt)};
    CHECK(walk(segment).end == segment_end{4096, 0});
    memory_file unused{segment.file(20)};
    CHECK(walk(unused, segment.header(), unused.bytes.size()).end == segment_end{4096, 0});
}

TEST_CASE("the end keeps being the end, even if the file goes on", "[segment_walk]") {
    const auto segment = make_small(1, 1);
    memory_file file{segment.file(1)};
    segment_walk over{file, segment.header(), {}, file.bytes.size(), 64};
    CHECK(std::holds_alternative<found_record>(over.next()));
    const auto end = std::get<segment_end>(over.next());
    file.bytes = make_small(1, 2).file();
    const auto step = over.next();
    REQUIRE(std::holds_alternative<segment_end>(step));
    CHECK(std::get<segment_end>(step) == end);
    CHECK(over.at().offset == segment.bytes().size());
    CHECK(over.at().next == 2);
}

TEST_CASE(
    "a walk does not depend on the size of its window, nor on how much a read returns", "[segment_walk]"
) {
    const auto segment = make_segment(make_header(1, salt));
    memory_file file{segment.file(3)};
    for (const std::size_t at : {9000U, 30000U}) // so that it has to search, too
        file.bytes[at] = static_cast<char>(file.bytes[at] ^ 1);
    const auto expected = walk(file, segment.header(), file.bytes.size());
    REQUIRE(expected.bad.size() == 2);
    for (const std::size_t window : {0U, 24U, 25U, 100U, 4096U, 5000U, 1U << 24U}) {
        for (const std::size_t most : {3U, 1000U, 1U << 24U}) {
            file.most_at_once = most;
            CAPTURE(window, most);
            const auto told = walk(file, segment.header(), file.bytes.size(), window);
            CHECK(told.records == expected.records);
            CHECK(told.bad == expected.bad);
            CHECK(told.end == expected.end);
        }
    }
}

TEST_CASE("a walk reads each byte about once, and in large pieces", "[segment_walk]") {
    const auto segment = make_small(1, 500);
    memory_file file{segment.file()};
    CHECK(walk(file, segment.header(), file.bytes.size(), 64 * 1024).records.size() == 500);
    CHECK(file.bytes_read < file.bytes.size() + file.bytes.size() / 10);
    CHECK(file.reads < 40);
}

TEST_CASE("a walk can be gone on with from any of its places", "[segment_walk]") {
    const auto segment = make_segment(make_header(1, salt));
    memory_file file{segment.file(1)};
    file.bytes[9000] = static_cast<char>(file.bytes[9000] ^ 1);
    segment_walk over{file, segment.header(), {}, file.bytes.size()};
    for (bool ended = false; !ended;) {
        const auto place = over.at();
        const auto step = over.next();
        segment_walk other{file, segment.header(), place, file.bytes.size(), 1000};
        const auto again = other.next();
        REQUIRE(step.index() == again.index());
        CHECK(other.at().offset == over.at().offset);
        CHECK(other.at().next == over.at().next);
        ended = std::holds_alternative<segment_end>(step);
    }
}

TEST_CASE("an end that cuts a record hides it, until a later walk has a later end", "[segment_walk]") {
    const auto segment = make_small(1, 2);
    memory_file file{segment.file()};
    const auto second = segment.records()[1];
    segment_walk early{file, segment.header(), {}, second.end() - 1};
    CHECK(std::holds_alternative<found_record>(early.next()));
    CHECK(std::get<segment_end>(early.next()).offset == segment.records()[0].end());
    segment_walk later{file, segment.header(), early.at(), second.end()};
    const auto step = later.next();
    CHECK(std::get<found_record>(step).head.position == 2);
}

TEST_CASE("a file that is shorter than was said ends there", "[segment_walk]") {
    const auto segment = make_segment(make_header(1, salt));
    memory_file file{segment.file()};
    const auto told = walk(file, segment.header(), file.bytes.size() * 2, 5000);
    CHECK(told.records == segment.records());
    CHECK(told.end == segment_end{segment.bytes().size(), 0});
    memory_file none;
    CHECK(walk(none, segment.header(), 1 << 20U).end == segment_end{4096, 0});
    CHECK(walk(none, segment.header(), 0).end == segment_end{4096, 0});
}

TEST_CASE("who holds the window keeps a record's body", "[segment_walk]") {
    const auto segment = make_segment(make_header(1, salt));
    memory_file file{segment.file()};
    segment_walk over{file, segment.header(), {}, file.bytes.size(), 300};
    std::vector<std::string_view> bodies;
    std::vector<std::shared_ptr<const void>> windows;
    for (;;) {
        const auto step = over.next();
        const auto* record = std::get_if<found_record>(&step);
        if (record == nullptr) break;
        bodies.push_back(record->body);
        windows.push_back(over.window());
    }
    REQUIRE(bodies.size() == segment.records().size());
    for (std::size_t i = 0; i < bodies.size(); ++i)
        CHECK(bodies[i] == segment.records()[i].body);
}

TEST_CASE("two walks never share a window", "[segment_walk]") {
    CHECK(std::is_move_constructible_v<segment_walk>);
    CHECK_FALSE(std::is_copy_constructible_v<segment_walk>);
}

TEST_CASE("a file that cannot be read is an error, and not damage", "[segment_walk]") {
    struct broken_file final : memory_file {
        using memory_file::memory_file;

        std::size_t read_at(std::uint64_t, std::span<char>) override {
            throw std::system_error{EIO, std::generic_category(), "reading"};
        }
    };

    const auto segment = make_small(1, 1);
    broken_file file{segment.file()};
    segment_walk over{file, segment.header(), {}, file.bytes.size()};
    CHECK_THROWS_AS(over.next(), std::system_error);
    CHECK_THROWS_AS(over.next(), std::system_error);
}

// Cuts.

TEST_CASE("cut anywhere, a segment has exactly the records that are whole", "[segment_walk]") {
    const auto segment = make_segment(make_header(1, salt));
    const comparison compare{segment};
    memory_file file{segment.file()};
    const auto& records = segment.records();
    std::size_t whole = 0;
    for (std::uint64_t cut = 0; cut <= file.bytes.size(); ++cut) {
        while (whole < records.size() && records[whole].end() <= cut)
            ++whole;
        const auto all = cut % 64 == 0;
        const auto result = all ? compare(file, cut) : compare.around(file, whole, cut);
        const auto end = whole == 0 ? segment_header::encoded_bytes : records[whole - 1].end();
        const auto looked_for = all ? records.size() : std::min(whole + 5, records.size());
        if (result.wrong != 0 || !result.bad.empty() || result.end.offset != end ||
            result.missing.size() != looked_for - whole ||
            (!result.missing.empty() && result.missing.front() != whole)) {
            CAPTURE(cut, whole, result.wrong, result.missing, result.bad.size(), result.end.offset);
            FAIL("more or less than the whole records was found");
        }
    }
}

TEST_CASE("a file that was cut short in the middle of a record is torn there", "[segment_walk]") {
    const auto segment = make_segment(make_header(1, salt));
    for (std::size_t i = 0; i < segment.records().size(); i += 7) {
        const auto& cut_one = segment.records()[i];
        memory_file file{segment.bytes().substr(0, cut_one.offset + record_head::encoded_bytes + 1)};
        const auto told = walk(file, segment.header(), 1 << 30U);
        CHECK(told.records.size() == i);
        const auto end = i == 0 ? segment_header::encoded_bytes : segment.records()[i - 1].end();
        CHECK(told.end == segment_end{end, file.bytes.size() - end});
    }
}

TEST_CASE("a record whose padding was cut off is not whole", "[segment_walk]") {
    segment_bytes segment{make_header(1, salt)};
    add_event(segment, 1, 3);
    const auto& record = segment.records()[0];
    REQUIRE(record.offset + record_head::encoded_bytes + record.body.size() < record.end());
    memory_file file{segment.bytes().substr(0, segment.bytes().size() - 1)};
    for (const std::size_t window : {24U, 1U << 20U})
        CHECK(walk(file, segment.header(), 1 << 20U, window).records.empty());
}

TEST_CASE("what is torn goes up to its last byte, however many zeros follow", "[segment_walk]") {
    const auto segment = make_small(1, 1);
    memory_file file{segment.file(5)};
    file.bytes[8192] = 'x';
    file.bytes[9999] = 'x';
    const auto end = segment.bytes().size();
    for (const std::size_t window : {100U, 512U, 4096U, 1U << 20U})
        CHECK(walk(file, segment.header(), file.bytes.size(), window).end == segment_end{end, 10000 - end});
}

// Damage.

TEST_CASE("one flipped bit takes no record but the one that it hit", "[segment_walk]") {
    const auto segment = make_segment(make_header(1, salt));
    const comparison compare{segment};
    memory_file file{segment.file()};
    const auto& records = segment.records();
    std::size_t next = 0; // the first record that ends behind the flipped byte
    for (std::size_t at = segment_header::encoded_bytes; at < file.bytes.size(); ++at) {
        while (next < records.size() && records[next].end() <= at)
            ++next;
        const auto was = file.bytes[at];
        file.bytes[at] = static_cast<char>(was ^ (1 << (at * 2654435761U >> 7U) % 8));
        const auto result = at % 64 == 0 ? compare(file, file.bytes.size()) : compare.around(file, next);
        file.bytes[at] = was;

        const bool hit = next < records.size() && at >= records[next].offset &&
                         at < records[next].offset + record_head::encoded_bytes + records[next].body.size();
        const auto missing = hit ? std::vector{next} : std::vector<std::size_t>{};
        const bool told = result.bad.size() == 1
                              ? at >= result.bad[0].offset && at < result.bad[0].offset + result.bad[0].bytes
                              : result.bad.empty() && (!hit || next + 1 == records.size());
        if (result.wrong != 0 || result.missing != missing || !told) {
            CAPTURE(at, next, hit, result.wrong, result.missing, result.bad.size());
            FAIL("a flipped bit had another effect than it should");
        }
    }
}

TEST_CASE("a sector of zeros takes no record but those that it hit", "[segment_walk]") {
    const auto segment = make_segment(make_header(1, salt));
    const comparison compare{segment};
    const auto whole = segment.file();
    for (std::size_t at = 4096; at < whole.size(); at += 512) {
        memory_file file{whole};
        std::fill_n(file.bytes.begin() + static_cast<std::ptrdiff_t>(at), 512, '\0');
        const auto result = compare(file, whole.size());
        CAPTURE(at, result.missing);
        CHECK(result.wrong == 0);
        for (const auto index : result.missing) {
            const auto& record = segment.records()[index];
            CHECK(record.offset < at + 512);
            CHECK(record.end() > at);
        }
        // That something is missing shows, too: in a bad range, or at the end.
        const bool last = !result.missing.empty() && result.missing.back() + 1 == segment.records().size();
        CHECK((result.missing.empty() || last || result.bad.size() == 1));
    }
}

TEST_CASE("two sectors that changed places make no wrong record", "[segment_walk]") {
    const auto segment = make_segment(make_header(1, salt));
    const comparison compare{segment};
    const auto whole = segment.file();
    for (std::size_t at = 4096; at + 1024 <= whole.size(); at += 512) {
        memory_file file{whole};
        const auto from = file.bytes.begin() + static_cast<std::ptrdiff_t>(at);
        std::swap_ranges(from, from + 512, from + 512);
        const auto result = compare(file, whole.size());
        CAPTURE(at, result.missing);
        CHECK(result.wrong == 0);
        for (const auto index : result.missing) { // no record that lies elsewhere is taken
            CHECK(segment.records()[index].offset < at + 1024);
            CHECK(segment.records()[index].end() > at);
        }
    }
}

TEST_CASE("a sector of an older segment makes no wrong record", "[segment_walk]") {
    const auto reused = GENERATE(false, true);
    const auto older = make_segment(make_header(1000, salt + 1));
    const auto segment = make_segment(make_header(2000, salt, reused));
    const comparison compare{segment};
    const auto whole = segment.file();
    const auto old = older.file();
    REQUIRE(old.size() == whole.size());
    for (std::size_t at = 4096; at < whole.size(); at += 512) {
        memory_file file{whole};
        std::copy_n(
            old.begin() + static_cast<std::ptrdiff_t>(at), 512,
            file.bytes.begin() + static_cast<std::ptrdiff_t>(at)
        );
        const auto result = compare(file, whole.size());
        CAPTURE(at, result.missing);
        CHECK(result.wrong == 0);
        for (const auto index : result.missing) {
            CHECK(segment.records()[index].offset < at + 512);
            CHECK(segment.records()[index].end() > at);
        }
    }
}

TEST_CASE(
    "an older sector is not believed even if its salt is the same, because its positions are lower",
    "[segment_walk]"
) {
    const auto older = make_segment(make_header(1000, salt));
    const auto segment = make_segment(make_header(2000, salt, true));
    const comparison compare{segment};
    for (std::size_t at = 4096; at < segment.file().size(); at += 512) {
        memory_file file{segment.file()};
        const auto old = older.file();
        std::copy_n(
            old.begin() + static_cast<std::ptrdiff_t>(at), 512,
            file.bytes.begin() + static_cast<std::ptrdiff_t>(at)
        );
        CAPTURE(at);
        CHECK(compare(file, file.bytes.size()).wrong == 0);
    }
}

TEST_CASE("damage begins behind the padding, and ends where the next record begins", "[segment_walk]") {
    const auto segment = make_small(1, 3);
    memory_file file{segment.file()};
    file.bytes[segment.records()[1].offset + 30] = '\x55';
    const auto told = walk(file, segment.header(), file.bytes.size());
    CHECK(positions(told) == all_of{1, 3});
    CHECK(told.bad == std::vector{bad_range{8192, 4096}});
}

TEST_CASE("padding that is not zero is damage, in which no record is missing", "[segment_walk]") {
    const auto segment = make_small(1, 2);
    const auto end = segment.records()[0].end();
    for (const std::size_t from : {std::size_t{8000}, std::size_t{end}}) {
        memory_file file{segment.file()};
        std::fill(file.bytes.begin() + static_cast<std::ptrdiff_t>(from), file.bytes.begin() + 8192, 'x');
        const auto told = walk(file, segment.header(), file.bytes.size());
        CHECK(positions(told) == all_of{1, 2});
        CHECK(told.bad == std::vector{bad_range{end, 8192 - end}});
    }
}

TEST_CASE(
    "zeros before a record that does not begin a commit are damage, and not padding", "[segment_walk]"
) {
    segment_bytes segment{make_header(1, salt)};
    add_event(segment, 1, 20);
    add_event(segment, 2, 8192 - segment.bytes().size() - 24 - 40 - 10 - 1); // fills the block
    add_event(segment, 3, 20);
    const auto& lost = segment.records()[1];
    REQUIRE(lost.end() == 8192);
    memory_file file{segment.file()};
    std::fill_n(
        file.bytes.begin() + static_cast<std::ptrdiff_t>(lost.offset), lost.end() - lost.offset, '\0'
    );
    const auto told = walk(file, segment.header(), file.bytes.size());
    CHECK(positions(told) == all_of{1, 3});
    CHECK(told.bad == std::vector{bad_range{lost.offset, lost.end() - lost.offset}});
}

TEST_CASE(
    "a record that says that it begins a commit, but not at a block's beginning, is none", "[segment_walk]"
) {
    const auto segment = make_small(1, 2);
    memory_file file{segment.file()};
    auto head = segment.records()[1].head;
    REQUIRE(head.begins_commit);
    put_record(file.bytes, segment.records()[0].end(), head, salt, segment.records()[1].body);
    CHECK(walk(file, segment.header(), 8192).records.size() == 1);
    head.begins_commit = false;
    put_record(file.bytes, segment.records()[0].end(), head, salt, segment.records()[1].body);
    CHECK(walk(file, segment.header(), 8192).records.size() == 2);
}

TEST_CASE("a whole segment of damage is an end with all of it torn", "[segment_walk]") {
    const auto segment = make_segment(make_header(1, salt));
    memory_file file{segment.file(2)};
    auto other = segment.header();
    other.salt = salt + 1;
    const auto told = walk(file, other, file.bytes.size());
    CHECK(told.records.empty());
    const auto last = segment.bytes().find_last_not_of('\0') + 1;
    CHECK(told.end == segment_end{4096, last - 4096});
}

TEST_CASE("searching among damage reads it a few times at most, whatever is in it", "[segment_walk]") {
    auto bytes = segment_bytes{make_header(1, salt)}.file(512);
    for (std::size_t at = 4096; at < bytes.size(); at += 8) // looks like heads, as far as one can see
        put_record(bytes, at - 16, {}, salt + 1, "");
    memory_file file{std::move(bytes)};
    const auto told = walk(file, make_header(1, salt), file.bytes.size(), 64 * 1024);
    CHECK(told.records.empty());
    CHECK(file.bytes_read < file.bytes.size() * 3);
}

// Positions.

TEST_CASE("a mark does not use its position up", "[segment_walk]") {
    segment_bytes segment{make_header(5, salt)};
    add_event(segment, 5, 3);
    segment.end_commit();
    segment.add_mark();
    segment.end_commit();
    add_event(segment, 6, 3);
    CHECK(positions(walk(segment)) == all_of{5, 6, 6});
}

TEST_CASE(
    "positions that are missing between sound records show in the next record alone", "[segment_walk]"
) {
    segment_bytes segment{make_header(1, salt)};
    add_event(segment, 1, 3);
    segment.add_mark(1000);
    add_event(segment, 1000, 3);
    const auto told = walk(segment);
    CHECK(positions(told) == all_of{1, 1000, 1000});
    CHECK(told.bad.empty());
}

TEST_CASE("a record with a lower position than the one before is damage", "[segment_walk]") {
    const auto segment = make_small(1, 3);
    memory_file file{segment.file()};
    auto head = segment.records()[1].head;
    head.position = 1;
    put_record(file.bytes, 8192, head, salt, segment.records()[1].body);
    const auto told = walk(file, segment.header(), file.bytes.size());
    CHECK(positions(told) == all_of{1, 3});
    CHECK(told.bad == std::vector{bad_range{8192, 4096}});
}

TEST_CASE("what follows a damaged mark that jumped is found", "[segment_walk]") {
    segment_bytes segment{make_header(1, salt)};
    add_event(segment, 1, 3);
    segment.end_commit();
    segment.add_mark(1'000'000);
    segment.end_commit();
    add_event(segment, 1'000'000, 3);
    memory_file file{segment.file()};
    file.bytes[segment.records()[1].offset] ^= 1;
    const auto told = walk(file, segment.header(), file.bytes.size());
    CHECK(positions(told) == all_of{1, 1'000'000});
    CHECK(told.bad.size() == 1);
}

TEST_CASE(
    "among damage, a record is not believed whose position cannot have been reached there", "[segment_walk]"
) {
    const auto segment = make_small(1, 3);
    const auto found_with = [&segment](position at) {
        memory_file file{segment.file()};
        file.bytes[8192] ^= 1; // the second record's head
        auto head = segment.records()[1].head;
        head.begins_commit = false;
        head.position = at;
        put_record(file.bytes, 8192 + 240, head, salt, segment.records()[1].body);
        return positions(walk(file, segment.header(), file.bytes.size()));
    };
    const auto room = position{8192 + 240 - segment.records()[0].end()} / record_head::encoded_bytes;
    CHECK(found_with(2) == all_of{1, 2, 3});
    CHECK(found_with(2 + room) == all_of{1, 2 + room});
    CHECK(found_with(3 + room) == all_of{1, 3});
    CHECK(found_with(1) == all_of{1, 3});
}

TEST_CASE("a length that reaches past the end is not believed, though its checksum holds", "[segment_walk]") {
    const auto segment = make_small(1, 3);
    memory_file file{segment.file()};
    auto head = segment.records()[1].head;
    for (const std::uint32_t length : {8193U - 24U, 1U << 20U, ~0U}) {
        head.body_bytes = length;
        encode(
            head, salt,
            std::span<char, record_head::encoded_bytes>{file.bytes.data() + 8192, record_head::encoded_bytes}
        );
        const auto told = walk(file, segment.header(), file.bytes.size());
        CHECK(positions(told) == all_of{1, 3});
        CHECK(told.bad == std::vector{bad_range{8192, 4096}});
    }
}

// What clients send.

namespace {

// An event whose data is spaces and then records of an event 2, as they would stand in a segment with that salt, and
// behind it the true event 2.
segment_bytes with_copies(std::size_t spaces, std::uint32_t copies_salt) {
    segment_bytes other{make_header(1, copies_salt)};
    add_event(other, 1, 3);
    add_event(other, 2, 30);
    const auto copy = other.bytes().substr(other.records()[1].offset);
    auto event = make_event("1");
    const auto data = std::string(spaces, ' ') + copy + copy;
    event.data = data;
    segment_bytes segment{make_header(1, salt)};
    segment.add_event(event);
    segment.add_event(make_event("2"));
    return segment;
}

// What is found of it if the outer event has a broken byte there.
walked walk_broken(const segment_bytes& segment, std::size_t at) {
    memory_file file{segment.file()};
    file.bytes[4096 + at] ^= 4;
    return walk(file, segment.header(), file.bytes.size());
}

} // namespace

TEST_CASE("a perfect copy of a record in a client's data is never taken for a record", "[segment_walk]") {
    const auto copies_salt = GENERATE(salt + 1, salt ^ 0x80000000U, 0U);
    for (std::size_t spaces = 0; spaces < 8; ++spaces) {
        const auto segment = with_copies(spaces, copies_salt);
        CHECK(walk(segment).records == segment.records());
        for (const std::size_t hit : {0U, 5U, 30U}) { // in the head, in its length, in the body
            const auto told = walk_broken(segment, hit);
            CAPTURE(copies_salt, spaces, hit);
            REQUIRE(told.records.size() == 1);
            CHECK(told.records[0] == segment.records()[1]);
        }
    }
}

TEST_CASE("it is the salt alone that tells a copy in a client's data", "[segment_walk]") {
    std::size_t taken = 0;
    for (std::size_t spaces = 0; spaces < 8; ++spaces) {
        const auto segment = with_copies(spaces, salt); // had the client known it
        CHECK(walk(segment).records == segment.records());
        if (walk_broken(segment, 30).records[0] != segment.records()[1]) ++taken;
    }
    CHECK(taken == 1); // where it lies as records do
}

// Segments that serve again.

TEST_CASE("what an earlier use of the file left behind is ignored, and not torn", "[segment_walk]") {
    const auto older = make_segment(make_header(1000, salt + 1));
    for (const std::size_t commits : {0U, 1U, 2U, 5U}) {
        const auto segment = make_small(2000, commits, salt, true);
        memory_file file{older.file()};
        const auto over = segment.file();
        std::copy(over.begin(), over.end(), file.bytes.begin());
        const auto told = walk(file, segment.header(), file.bytes.size());
        CHECK(told.records == segment.records());
        CHECK(told.bad.empty());
        CHECK(told.end == segment_end{segment.bytes().size(), 0});
    }
}

TEST_CASE("a lower position is old, and not torn, even if its salt is the same", "[segment_walk]") {
    const auto older = make_small(1000, 9);
    const auto segment = make_small(2000, 2, salt, true);
    memory_file file{older.file()};
    const auto over = segment.file();
    std::copy(over.begin(), over.end(), file.bytes.begin());
    const auto told = walk(file, segment.header(), file.bytes.size());
    CHECK(told.records == segment.records());
    CHECK(told.end == segment_end{segment.bytes().size(), 0});
}

TEST_CASE(
    "in a reused segment a commit that was never finished is torn, and what is old is not", "[segment_walk]"
) {
    const auto older = make_small(1000, 9, salt + 1);
    const auto segment = make_small(2000, 2, salt, true);
    auto again = segment;
    again.end_commit();
    add_event(again, 2002, 6000);
    const auto torn = again.records().back();
    memory_file file{older.file()};
    const auto over = again.file();
    std::copy_n(over.begin(), torn.offset + 512, file.bytes.begin()); // one sector has reached the disk
    const auto told = walk(file, segment.header(), file.bytes.size());
    CHECK(told.records == segment.records());
    CHECK(told.end == segment_end{segment.bytes().size(), torn.end() - segment.bytes().size()});
}

TEST_CASE("in a reused segment the rest of a commit is torn even if the file ends in it", "[segment_walk]") {
    segment_bytes segment{make_header(1, salt, true)};
    add_event(segment, 1, 3);
    add_event(segment, 2, 3000);
    memory_file file{segment.bytes().substr(0, segment.bytes().size() - 100)};
    const auto end = segment.records()[0].end();
    CHECK(walk(file, segment.header(), 1 << 20U).end == segment_end{end, file.bytes.size() - end});
}
