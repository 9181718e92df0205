// The commands that look at a journal from outside, on small journals that are written here by hand.
#include "backlog/cursor_file.hpp"
#include "backlog/directory_lock.hpp"
#include "backlog/inspect.hpp"
#include "backlog/segment.hpp"
#include "base/crc32c.hpp"
#include "support/catch.hpp"
#include "support/events.hpp"
#include "support/faulty_files.hpp"
#include "support/simulated_disk.hpp"
#include "support/temporary_directory.hpp"

#include <algorithm>
#include <cerrno>
#include <sstream>
#include <string>
#include <vector>

using namespace trackd;
using namespace trackd::journal;

namespace {

const std::filesystem::path directory = "/disk";
const std::string first_name = "00000000000000000001.segment";
const std::string second_name = "00000000000000000004.segment";

/// Writes a segment's content, record by record.
class segment_text {
public:
    explicit segment_text(segment_header header)
        : next{header.first}, chain{header.chain}, salt_{header.salt} {
        text.resize(segment_header::encoded_bytes);
        encode(header, std::span<char, segment_header::encoded_bytes>{text.data(), text.size()});
    }

    /// @return where its record begins
    std::size_t event(std::string_view id) {
        batch one;
        auto event = test::make_event(id);
        event.received_at = wall_time{std::chrono::seconds{1'800'000'000}};
        event.time = event.received_at;
        one.append(event);
        return record({0, next++, 0, record_kind::event, begins_}, one.encoded());
    }

    std::size_t events(std::size_t count) {
        for (; count > 1; --count)
            event(std::to_string(next));
        return event(std::to_string(next));
    }

    std::size_t mark() { return record({0, next, 0, record_kind::mark, begins_}, {}); }

    void end_commit() {
        text.resize(round_up(text.size(), block_bytes));
        begins_ = true;
    }

    std::string text;
    position next;
    std::uint32_t chain;

private:
    std::size_t record(record_head head, std::string_view body) {
        head.body_bytes = static_cast<std::uint32_t>(body.size());
        head.body_checksum = base::crc32c(body);
        const auto at = text.size();
        text.resize(at + head.record_bytes());
        const std::span<char, record_head::encoded_bytes> place{text.data() + at, record_head::encoded_bytes};
        chain = extend_chain(chain, encode(head, salt_, place));
        std::copy(body.begin(), body.end(), text.begin() + static_cast<std::ptrdiff_t>(at + place.size()));
        begins_ = false;
        return at;
    }

    std::uint32_t salt_;
    bool begins_ = true;
};

void put(file_system& files, const std::filesystem::path& path, std::string_view content) {
    write_fully(*files.open(path, open_mode::create), 0, content);
}

struct outcome {
    inspection_result result;
    std::string out;
    std::string errors;
};

template <class Command, class... More>
outcome run(Command command, file_system& files, const std::filesystem::path& in, More... more) {
    std::ostringstream out;
    std::ostringstream errors;
    const auto result = command(inspection{files, in, out, errors}, more...);
    return {result, out.str(), errors.str()};
}

/// Two segments, with the events 1 to 3 and 4 to 6, and cursors.
struct small_journal {
    segment_text first{{1, 1, 11, 0, false}};
    segment_text second{make_second()};
    cursors sinks{{"archive", {1, 7, 0}}, {"sqlite", {1, 3, 1}}};
    test::simulated_disk disk;

    segment_header make_second() {
        first.events(2);
        first.end_commit();
        first.event("3");
        first.end_commit();
        return {1, 4, 22, first.chain, true};
    }

    small_journal() {
        second.events(3);
        second.mark();
        second.end_commit();
    }

    void write() {
        put(disk, directory / first_name, first.text);
        put(disk, directory / second_name, second.text);
        write_cursors(disk, directory, sinks);
    }

    outcome verified() {
        write();
        return run(verify_journal, disk, directory);
    }
};

void flip(std::string& text, std::size_t at) {
    text[at] = static_cast<char>(text[at] ^ 1);
}

} // namespace

TEST_CASE("list shows segments, cursors and what else is there", "[backlog]") {
    small_journal journal;
    journal.write();
    put(journal.disk, directory / "lock", "1\n");
    put(journal.disk, directory / "spare-1.segment", "");
    put(journal.disk, directory / "00000000000000000001.segment.4096.damaged", "x");
    const auto [result, out, errors] = run(list_journal, journal.disk, directory);
    CHECK(result == inspection_result::good);
    CHECK(errors.empty());
    CHECK(out == R"(SEGMENT                       FIRST  LAST  BYTES  REUSED  HEADER
00000000000000000001.segment      1     3  12288  no      sound
00000000000000000004.segment      4     6   8192  yes     sound

SINK     START  AT  PENDING  DAMAGED
archive      1   7        0        0
sqlite       1   3        4        1

OTHER FILE                                 WHAT IT IS
00000000000000000001.segment.4096.damaged  set aside: could not be read
spare-1.segment                            room for the next segment
)");
}

TEST_CASE("list shows a segment without events", "[backlog]") {
    test::simulated_disk disk;
    put(disk, directory / first_name, segment_text{{1, 1, 1, 0, false}}.text);
    CHECK(
        run(list_journal, disk, directory).out ==
        R"(SEGMENT                       FIRST  LAST  BYTES  REUSED  HEADER
00000000000000000001.segment      1     -   4096  no      sound

SINK  START  AT  PENDING  DAMAGED
)"
    );
}

TEST_CASE("list shows what it does not know as such", "[backlog]") {
    small_journal journal;
    flip(journal.second.text, 20);
    flip(journal.second.text, 2048 + 20);
    journal.write();
    const auto [result, out, errors] = run(list_journal, journal.disk, directory);
    CHECK(result == inspection_result::good);
    CHECK(out == R"(SEGMENT                       FIRST  LAST  BYTES  REUSED  HEADER
00000000000000000001.segment      1     3  12288  no      sound
00000000000000000004.segment      4     ?   8192  ?       damaged

SINK     START  AT  PENDING  DAMAGED
archive      1   7        ?        0
sqlite       1   3        ?        1
)");
}

TEST_CASE("where no journal is, each command says so", "[backlog]") {
    test::simulated_disk disk;
    disk.make_directory("/disk/empty");
    const auto check = [&](auto command, auto... more) {
        CHECK_THROWS_WITH(
            run(command, disk, "/disk/none", more...),
            "there is no journal in /disk/none: no such directory; expected the directory \"journal\" of a "
            "trackd's data_dir"
        );
        CHECK_THROWS_WITH(
            run(command, disk, "/disk/empty", more...), "there is no journal in /disk/empty: expected files "
                                                        "such as 00000000000000000001.segment, or cursors"
        );
    };
    check(list_journal);
    check(verify_journal);
    check(print_events, event_printing{});
    check(forget_sink, "a");
}

TEST_CASE("what a newer version wrote is named, and is no damage", "[backlog]") {
    small_journal journal;
    journal.second = segment_text{{2, 4, 22, journal.first.chain, false}};
    journal.write();
    const std::string reason = second_name +
                               ": was written by a newer version of trackd (format 2; this one knows formats "
                               "up to 1); use that version\n";
    const auto listed = run(list_journal, journal.disk, directory);
    CHECK(listed.result == inspection_result::impossible);
    CHECK(listed.out.find("newer\n") != std::string::npos);
    CHECK(listed.errors == reason);
    const auto verified = run(verify_journal, journal.disk, directory);
    CHECK(verified.result == inspection_result::impossible);
    CHECK(verified.out == "not all could be read: 3 events in 2 segments, 0 positions missing, 2 cursors\n");
    CHECK(verified.errors == reason);
    const auto printed = run(print_events, journal.disk, directory, event_printing{});
    CHECK(printed.result == inspection_result::impossible);
    CHECK(std::count(printed.out.begin(), printed.out.end(), '\n') == 3);
    CHECK(printed.errors == reason);
}

TEST_CASE("a sound journal is clean", "[backlog]") {
    const auto [result, out, errors] = small_journal{}.verified();
    CHECK(result == inspection_result::good);
    CHECK(out == "clean: 6 events in 2 segments, 0 positions missing, 2 cursors\n");
    CHECK(errors.empty());
}

TEST_CASE("a journal whose beginning was given up is clean", "[backlog]") {
    small_journal journal;
    journal.sinks["sqlite"].at = 4;
    journal.write();
    journal.disk.remove(directory / first_name);
    CHECK(
        run(verify_journal, journal.disk, directory).out ==
        "clean: 3 events in 1 segment, 0 positions missing, 2 cursors\n"
    );
}

TEST_CASE("a record that is damaged is found with its place and its position", "[backlog]") {
    small_journal journal;
    flip(journal.first.text, 4096 + 30);
    const auto [result, out, errors] = journal.verified();
    CHECK(result == inspection_result::damaged);
    CHECK(
        out == first_name + ": offset 4096, 88 bytes: cannot be read: position 1 is missing\n"
                            "damaged, 1 finding: 5 events in 2 segments, 1 position missing, 2 cursors\n"
    );
}

TEST_CASE("damage over several records is one finding", "[backlog]") {
    small_journal journal;
    std::fill_n(journal.first.text.begin() + 4096, 120, 'x');
    CHECK(
        journal.verified().out ==
        first_name + ": offset 4096, 4096 bytes: cannot be read: positions 1 to 2 are missing\n"
                     "damaged, 1 finding: 4 events in 2 segments, 2 positions missing, 2 cursors\n"
    );
}

TEST_CASE("no byte of a record can change without being found", "[backlog]") {
    constexpr std::size_t bytes = 24 + 40 + 17; // the head, and an event of these tests
    for (const std::size_t record : {4096U, 4096U + 88U, 8192U}) {
        for (std::size_t at = record; at < record + bytes; ++at) {
            CAPTURE(at);
            small_journal journal;
            flip(journal.first.text, at);
            CHECK(journal.verified().result == inspection_result::damaged);
        }
    }
}

TEST_CASE("a segment that is not there is found by the positions that are missing", "[backlog]") {
    small_journal journal;
    segment_text third{{1, 7, 33, journal.second.chain, false}};
    put(journal.disk, directory / "00000000000000000007.segment", third.text);
    journal.write();
    journal.disk.remove(directory / second_name);
    CHECK(
        run(verify_journal, journal.disk, directory).out ==
        first_name + ": it ends too early: positions 4 to 6 are missing\n"
                     "damaged, 1 finding: 3 events in 2 segments, 3 positions missing, 2 cursors\n"
    );
}

TEST_CASE("a segment whose last records are gone is found by the next one", "[backlog]") {
    small_journal journal;
    std::fill(journal.first.text.begin() + 8192, journal.first.text.end(), '\0');
    CHECK(journal.verified().out.starts_with(first_name + ": it ends too early: position 3 is missing\n"));
}

TEST_CASE("a mark tells that events before it are gone", "[backlog]") {
    small_journal journal;
    journal.second.next = 9;
    const auto at = journal.second.mark();
    journal.second.end_commit();
    CHECK(journal.verified().out.starts_with(
        second_name + ": records that should be here are not: positions 7 to 8 are missing\n"
    ));
    CHECK(at == 8192);
}

TEST_CASE("a segment of another journal is found by the chain", "[backlog]") {
    small_journal journal;
    segment_text other{{1, 4, 22, journal.first.chain ^ 1, false}};
    other.events(3);
    journal.second = other;
    const auto [result, out, errors] = journal.verified();
    CHECK(result == inspection_result::damaged);
    CHECK(out.starts_with(
        second_name + ": it does not continue " + first_name + ": the checksum of all before it is "
    ));
}

TEST_CASE("the chain is not asked for where a record before it is damaged", "[backlog]") {
    small_journal journal;
    flip(journal.first.text, 4096);
    const auto out = journal.verified().out;
    CHECK(out.find("does not continue") == std::string::npos);
    CHECK(out.find("1 finding:") != std::string::npos);
}

TEST_CASE("a segment that goes back is found", "[backlog]") {
    small_journal journal;
    journal.first.event("4");
    CHECK(journal.verified().out.starts_with(
        second_name + ": it begins at position 4, but " + first_name + " goes on to 4\n"
    ));
}

TEST_CASE("a segment under a wrong name is found", "[backlog]") {
    small_journal journal;
    journal.write();
    journal.disk.rename(directory / second_name, directory / "00000000000000000005.segment");
    const auto [result, out, errors] = run(verify_journal, journal.disk, directory);
    CHECK(result == inspection_result::damaged);
    CHECK(
        out.find("00000000000000000005.segment: it begins at position 4, but its name says 5\n") !=
        std::string::npos
    );
}

TEST_CASE("one copy of a header may be damaged", "[backlog]") {
    small_journal journal;
    flip(journal.first.text, 20);
    CHECK(journal.verified().result == inspection_result::good);
}

TEST_CASE("a segment without a header has lost all its positions", "[backlog]") {
    small_journal journal;
    std::fill_n(journal.first.text.begin(), 4096, 'x');
    CHECK(
        journal.verified().out ==
        first_name + ": offset 0, 12288 bytes: its header cannot be read: positions 1 to 3 are missing\n"
                     "damaged, 1 finding: 3 events in 2 segments, 3 positions missing, 2 cursors\n"
    );
}

TEST_CASE("without the newest segment's header its positions are not known", "[backlog]") {
    small_journal journal;
    std::fill_n(journal.second.text.begin(), 4096, 'x');
    CHECK(
        journal.verified().out ==
        second_name +
            ": offset 0, 8192 bytes: its header cannot be read, nor what the journal had from position 4 on\n"
            "damaged, 1 finding: 3 events in 2 segments, 0 positions missing, 2 cursors\n"
    );
}

TEST_CASE("a torn end is told, and is no damage", "[backlog]") {
    small_journal journal;
    const auto at = journal.second.event("7");
    journal.second.text.resize(at + 50);
    const auto [result, out, errors] = journal.verified();
    CHECK(result == inspection_result::good);
    CHECK(
        out ==
        second_name +
            ": offset 4384, 3858 bytes: torn, not damaged: a commit that never finished, so that nobody "
            "was told "
            "that it is on disk\nclean: 6 events in 2 segments, 0 positions missing, 2 cursors\n"
    );
}

TEST_CASE("a cursor beyond the journal's end is found", "[backlog]") {
    small_journal journal;
    journal.sinks["archive"].at = 8;
    const auto [result, out, errors] = journal.verified();
    CHECK(result == inspection_result::damaged);
    CHECK(out.starts_with("cursors: sink archive is at 8, but the journal ends at 7\n"));
}

TEST_CASE("a cursor before the oldest segment is found", "[backlog]") {
    small_journal journal;
    journal.write();
    journal.disk.remove(directory / first_name);
    const auto [result, out, errors] = run(verify_journal, journal.disk, directory);
    CHECK(result == inspection_result::damaged);
    CHECK(out.starts_with("cursors: sink sqlite is at 3, but the oldest event that is kept is 4\n"));
}

TEST_CASE("cursors that cannot be trusted are found, and left where they are", "[backlog]") {
    small_journal journal;
    journal.write();
    journal.disk.remove(directory / "cursors");
    put(journal.disk, directory / "cursors", "x");
    const auto [result, out, errors] = run(verify_journal, journal.disk, directory);
    CHECK(result == inspection_result::damaged);
    CHECK(out.starts_with("cursors: /disk/cursors: the sinks' cursors cannot be trusted"));
    CHECK(journal.disk.list(directory).back() == "cursors");
}

TEST_CASE("a segment that the disk cannot read is a finding, and the others are read", "[backlog]") {
    small_journal journal;
    journal.write();
    test::faulty_files files{journal.disk};
    files.before_each([&](const test::faulty_files::call& call) {
        if (call.kind == test::operation::read && call.path == directory / first_name)
            files.fail({test::operation::read, call.number_of_kind, EIO});
    });
    const auto [result, out, errors] = run(verify_journal, files, directory);
    CHECK(result == inspection_result::damaged);
    CHECK(out.find(first_name + ": offset 0, ") != std::string::npos);
    CHECK(out.find("Input/output error: positions 1 to 3 are missing\n") != std::string::npos);
    CHECK(out.ends_with("damaged, 1 finding: 3 events in 2 segments, 3 positions missing, 2 cursors\n"));
}

TEST_CASE("a segment that is given up meanwhile is no damage", "[backlog]") {
    for (const bool another : {false, true}) {
        CAPTURE(another);
        small_journal journal;
        if (another) flip(journal.first.text, 5000); // it is written over
        journal.write();
        test::faulty_files files{journal.disk};
        int opened = 0;
        files.before_each([&](const test::faulty_files::call& call) {
            if (call.kind != test::operation::open || call.path != directory / first_name) return;
            if (++opened == (another ? 3 : 2)) journal.disk.remove(directory / first_name);
        });
        journal.sinks["sqlite"].at = 4;
        write_cursors(journal.disk, directory, journal.sinks);
        const auto [result, out, errors] = run(verify_journal, files, directory);
        CHECK(result == inspection_result::good);
        CHECK(out == "clean: 3 events in 2 segments, 0 positions missing, 2 cursors\n");
    }
}

TEST_CASE("a segment that is given up before it was looked at is not there", "[backlog]") {
    small_journal journal;
    journal.sinks["sqlite"].at = 4;
    journal.write();
    test::faulty_files files{journal.disk};
    bool gone = false;
    files.before_each([&](const test::faulty_files::call& call) {
        if (gone || call.kind != test::operation::open || call.path != directory / first_name) return;
        gone = true;
        journal.disk.remove(directory / first_name);
    });
    CHECK(
        run(verify_journal, files, directory).out ==
        "clean: 3 events in 1 segment, 0 positions missing, 2 cursors\n"
    );
}

TEST_CASE("a commit that is being written while it is read is no damage", "[backlog]") {
    small_journal journal;
    journal.write();
    const auto reads_of_segment = [&](test::faulty_files& files) {
        const auto calls = files.calls();
        return std::count_if(calls.begin(), calls.end(), [](const auto& call) {
            return call.kind == test::operation::read && call.path == directory / first_name;
        });
    };
    test::faulty_files quiet{journal.disk};
    CHECK(run(verify_journal, quiet, directory).result == inspection_result::good);
    const auto one_look = reads_of_segment(quiet);

    auto half = journal.first.text;
    std::fill_n(half.begin() + 4096 + 40, 60, '\0');
    write_fully(*journal.disk.open(directory / first_name, open_mode::write), 0, half);
    test::faulty_files files{journal.disk};
    long reads = 0;
    files.before_each([&](const test::faulty_files::call& call) {
        if (call.kind != test::operation::read || call.path != directory / first_name) return;
        if (++reads > one_look)
            write_fully(*journal.disk.open(directory / first_name, open_mode::write), 0, journal.first.text);
    });
    CHECK(
        run(verify_journal, files, directory).out ==
        "clean: 6 events in 2 segments, 0 positions missing, 2 cursors\n"
    );
    CHECK(reads > one_look);
}

TEST_CASE("cat prints an event a line, in order", "[backlog]") {
    small_journal journal;
    journal.second.event("a \"b\"\n");
    journal.write();
    const auto [result, out, errors] = run(print_events, journal.disk, directory, event_printing{});
    CHECK(result == inspection_result::good);
    CHECK(errors.empty());
    const auto line = [](const std::string& at, const std::string& id) {
        return at + "\t2027-01-15T08:00:00.000000Z\t\"event\"\t\"test\"\t" + id + "\t7\n";
    };
    CHECK(
        out == line("1", "\"1\"") + line("2", "\"2\"") + line("3", "\"3\"") + line("4", "\"4\"") +
                   line("5", "\"5\"") + line("6", "\"6\"") + line("7", R"("a \"b\"\n")")
    );
}

TEST_CASE("cat prints events as the file sink writes them", "[backlog]") {
    small_journal journal;
    journal.write();
    const auto [result, out, errors] = run(print_events, journal.disk, directory, event_printing{6, true});
    CHECK(
        out ==
        R"({"specversion":"1.0","id":"6","source":"test","type":"event","time":"2027-01-15T08:00:00.000000Z",)"
        R"("receivedat":"2027-01-15T08:00:00.000000Z","data":{"n":1}})"
        "\n"
    );
}

TEST_CASE("cat begins at any position", "[backlog]") {
    small_journal journal;
    journal.write();
    for (position from = 1; from <= 8; ++from) {
        CAPTURE(from);
        const auto [result, out, errors] = run(print_events, journal.disk, directory, event_printing{from});
        CHECK(result == inspection_result::good);
        CHECK(errors.empty());
        CHECK(std::count(out.begin(), out.end(), '\n') == static_cast<long>(7 - std::min<position>(from, 7)));
        CHECK((out.empty() || out.starts_with(std::to_string(from) + '\t')));
    }
}

TEST_CASE("cat says that what it should begin with is not kept any more", "[backlog]") {
    small_journal journal;
    journal.write();
    journal.disk.remove(directory / first_name);
    const auto [result, out, errors] = run(print_events, journal.disk, directory, event_printing{2});
    CHECK(result == inspection_result::good);
    CHECK(errors == "# positions 2 to 3 are not kept any more\n");
    CHECK(out.starts_with("4\t"));
    CHECK(run(print_events, journal.disk, directory, event_printing{}).errors.empty());
}

TEST_CASE("cat goes on behind damage, and tells it", "[backlog]") {
    small_journal journal;
    flip(journal.first.text, 4096 + 30);
    journal.write();
    const auto [result, out, errors] = run(print_events, journal.disk, directory, event_printing{});
    CHECK(result == inspection_result::damaged);
    CHECK(
        errors == "# " + first_name + ": 88 bytes from offset 4096 on cannot be read\n# " + first_name +
                      ": position 1 is missing\n"
    );
    CHECK(out.starts_with("2\t"));
    CHECK(std::count(out.begin(), out.end(), '\n') == 5);
}

TEST_CASE("damage before the position that cat begins at is none of its business", "[backlog]") {
    small_journal journal;
    flip(journal.first.text, 4096 + 30);
    journal.write();
    const auto [result, out, errors] = run(print_events, journal.disk, directory, event_printing{3});
    CHECK(result == inspection_result::good);
    CHECK(errors.empty());
}

TEST_CASE("cat does not look at segments before the position that it begins at", "[backlog]") {
    small_journal journal;
    std::fill_n(journal.first.text.begin(), 4096, 'x');
    journal.write();
    const auto [result, out, errors] = run(print_events, journal.disk, directory, event_printing{4});
    CHECK(result == inspection_result::good);
    CHECK(errors.empty());
}

TEST_CASE("cat does not miss what was given up long ago", "[backlog]") {
    small_journal journal;
    flip(journal.second.text, 4096 + 30);
    journal.write();
    journal.disk.remove(directory / first_name);
    const auto [result, out, errors] = run(print_events, journal.disk, directory, event_printing{});
    CHECK(result == inspection_result::damaged);
    CHECK(errors.ends_with("# " + second_name + ": position 4 is missing\n"));
}

TEST_CASE("cat does not miss a segment that is given up while it is read", "[backlog]") {
    small_journal journal;
    journal.write();
    test::faulty_files files{journal.disk};
    int opened = 0;
    files.before_each([&](const test::faulty_files::call& call) {
        if (call.kind != test::operation::open || call.path != directory / first_name) return;
        if (++opened == 2) journal.disk.remove(directory / first_name);
    });
    const auto [result, out, errors] = run(print_events, files, directory, event_printing{});
    CHECK(result == inspection_result::good);
    CHECK(errors.empty());
    CHECK(out.starts_with("4\t"));
}

TEST_CASE("cat tells segments that it cannot read, and prints the others", "[backlog]") {
    small_journal journal;
    std::fill_n(journal.first.text.begin(), 4096, 'x');
    journal.write();
    const auto [result, out, errors] = run(print_events, journal.disk, directory, event_printing{2});
    CHECK(result == inspection_result::damaged);
    CHECK(
        errors == "# " + first_name + ": its header cannot be read\n# " + first_name +
                      ": positions 2 to 3 are missing\n"
    );
    CHECK(out.starts_with("4\t"));
}

TEST_CASE("cat ends where nobody takes what it prints", "[backlog]") {
    small_journal journal;
    journal.write();
    std::ostringstream out;
    std::ostringstream errors;
    out.setstate(std::ios::badbit);
    CHECK_THROWS_WITH(
        print_events({journal.disk, directory, out, errors}, {}), "the events cannot be written out"
    );
}

namespace {

/// A journal in a real directory, which can be locked.
struct real_journal {
    test::temporary_directory place;
    file_system& files = real_file_system();
    cursors sinks{{"archive", {1, 7, 0}}, {"sqlite", {1, 3, 1}}};

    real_journal() {
        put(files, place / first_name, small_journal{}.first.text);
        put(files, place / second_name, small_journal{}.second.text);
        write_cursors(files, place.path(), sinks);
    }

    outcome forget(std::string_view sink) { return run(forget_sink, files, place.path(), sink); }

    cursors kept() { return peek_cursors(files, place.path()).all; }
};

} // namespace

TEST_CASE("a sink that is forgotten has no cursor any more", "[backlog]") {
    real_journal journal;
    const auto [result, out, errors] = journal.forget("sqlite");
    CHECK(result == inspection_result::good);
    CHECK(
        out == "forgot sqlite, which had got to position 3; if it is still configured, it begins anew where "
               "its `start` says\n"
    );
    CHECK(journal.kept() == cursors{{"archive", {1, 7, 0}}});
    CHECK(journal.forget("archive").result == inspection_result::good);
    CHECK(journal.kept().empty());
}

TEST_CASE("forgetting a sink that is not there names those that are, and changes nothing", "[backlog]") {
    real_journal journal;
    CHECK_THROWS_WITH(
        journal.forget("sqlit"),
        (journal.place / "cursors").string() + ": no sink is called \"sqlit\"; there is archive, sqlite"
    );
    CHECK(journal.kept() == journal.sinks);
    write_cursors(journal.files, journal.place.path(), {});
    CHECK_THROWS_WITH(
        journal.forget("a"),
        (journal.place / "cursors").string() + ": no sink is called \"a\"; there is no sink at all"
    );
}

TEST_CASE("no sink is forgotten while a daemon works on the journal", "[backlog]") {
    real_journal journal;
    const directory_lock daemon{journal.place.path()};
    CHECK_THROWS_WITH(
        journal.forget("sqlite"),
        Catch::Matchers::StartsWith("journal " + journal.place.path().string() + ": is in use by process")
    );
    CHECK(journal.kept() == journal.sinks);
}

TEST_CASE("no sink is forgotten where the cursors cannot be trusted", "[backlog]") {
    real_journal journal;
    journal.files.remove(journal.place / "cursors");
    put(journal.files, journal.place / "cursors", "x");
    CHECK_THROWS_WITH(journal.forget("sqlite"), Catch::Matchers::EndsWith("; nothing was changed"));
    CHECK(journal.files.list(journal.place.path()).size() == 4); // two segments, cursors, lock
}

TEST_CASE("verify says when a daemon works on the journal, and takes nothing from it", "[backlog]") {
    real_journal journal;
    const auto verify = [&] { return run(verify_journal, journal.files, journal.place.path()).out; };
    CHECK(verify() == "clean: 6 events in 2 segments, 0 positions missing, 2 cursors\n");
    {
        const directory_lock daemon{journal.place.path()};
        CHECK(verify().starts_with("the journal is in use: its newest commit may look torn\n"));
    }
    CHECK(verify().starts_with("clean"));
    const directory_lock again{journal.place.path()};
}

TEST_CASE("looking at a journal changes nothing in its directory", "[backlog]") {
    real_journal journal;
    const auto before = journal.files.list(journal.place.path());
    (void)run(list_journal, journal.files, journal.place.path());
    (void)run(verify_journal, journal.files, journal.place.path());
    (void)run(print_events, journal.files, journal.place.path(), event_printing{});
    CHECK(journal.files.list(journal.place.path()) == before);
    CHECK(journal.kept() == journal.sinks);
}
