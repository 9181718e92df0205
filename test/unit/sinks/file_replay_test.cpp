// What the file sink knows again after a restart: each event is in its files once.
#include "file_lives.hpp"
#include "sinks/file_place.hpp"
#include "sinks/file_replay.hpp"
#include "support/captured_log.hpp"

#include <algorithm>

using namespace trackd;
using test::file_lives;
using test::ids_up_to;
using test::numbered_events;

namespace fs = std::filesystem;

namespace {

using strings = std::vector<std::string>;

// Two events whose place was kept, and three more whose place was not.
std::string two_and_three(file_lives& files) {
    const auto sink = files.begin();
    auto kept = files.write(*sink, numbered_events{2});
    files.write(*sink, numbered_events{3, 3});
    return kept;
}

} // namespace

TEST_CASE_METHOD(
    file_lives, "events that are there already are confirmed, and not written again", "[sinks][file]"
) {
    const auto kept = two_and_three(*this);
    const auto before = test::read_file(path);
    const auto sink = begin(kept);
    const auto result = sink->write(numbered_events{3, 3}, {});
    CHECK(result.confirmed == 3);
    CHECK(result.duplicates == 3);
    CHECK(test::read_file(path) == before);
    write(*sink, numbered_events{2, 6});
    CHECK(ids() == ids_up_to(7));
}

TEST_CASE_METHOD(
    file_lives, "of a batch of which a part is there, that part is confirmed first", "[sinks][file]"
) {
    const auto kept = two_and_three(*this);
    const auto sink = begin(kept);
    const numbered_events again{6, 3};
    const auto result = sink->write(again, {});
    CHECK(result.confirmed == 3);
    CHECK(result.duplicates == 3);
    CHECK(test::write_all(*sink, std::span<const event_view>{again}.subspan(3)) == 0);
    CHECK(ids() == ids_up_to(8));
}

TEST_CASE_METHOD(
    file_lives, "events that came before anything was kept are known again, too", "[sinks][file]"
) {
    std::string first;
    {
        const auto sink = begin();
        first = sink->bookmark();
        write(*sink, numbered_events{3});
    }
    CHECK(first == "start");
    write(*begin(first), numbered_events{4});
    CHECK(ids() == ids_up_to(4));
}

TEST_CASE_METHOD(file_lives, "a sink that is new on a file with lines begins behind them", "[sinks][file]") {
    write(*begin(), numbered_events{2});
    const auto first = begin()->bookmark();
    write(*begin(), numbered_events{2}); // the same again, which were not in this one's care
    CHECK(ids() == strings{"1", "2", "1", "2"});
    write(*begin(first), numbered_events{2});
    CHECK(ids() == strings{"1", "2", "1", "2"});
}

TEST_CASE_METHOD(file_lives, "a restart behind which nothing is left writes at once", "[sinks][file]") {
    const auto kept = write(*begin(), numbered_events{2});
    CHECK(test::write_all(*begin(kept), numbered_events{2, 3}) == 0);
    CHECK(ids() == ids_up_to(4));
}

TEST_CASE_METHOD(file_lives, "the bookmark follows while events are known again", "[sinks][file]") {
    const auto kept = two_and_three(*this);
    const auto second = begin(kept);
    CHECK(second->bookmark() == kept);
    auto place = *sinks::place_from(kept);
    const auto more = fs::file_size(path) - place.offset;
    CHECK(test::write_all(*second, numbered_events{1, 3}) == 1);
    place.offset += more / 3;
    CHECK(second->bookmark() == sinks::to_bookmark(place));
    // Killed again.
    const auto third = begin(second->bookmark());
    CHECK(test::write_all(*third, numbered_events{4, 4}) == 2);
    CHECK(ids() == ids_up_to(7));
}

TEST_CASE_METHOD(file_lives, "an event that differs is written, and nothing is taken back", "[sinks][file]") {
    const auto kept = two_and_three(*this);
    const auto sink = begin(kept);
    const auto other = test::make_event("3", R"({"n":1})");
    CHECK(test::write_all(*sink, {&other, 1}) == 0);
    CHECK(ids() == strings{"1", "2", "3", "4", "5", "3"});
    CHECK(test::write_all(*sink, numbered_events{1, 4}) == 0); // it looks no more
    CHECK(ids() == strings{"1", "2", "3", "4", "5", "3", "4"});
}

TEST_CASE_METHOD(file_lives, "lines of something else between are gone over", "[sinks][file]") {
    const auto first = begin();
    const auto kept = write(*first, numbered_events{2});
    write(*first, numbered_events{1, 100}); // a dead letter that was delivered
    write(*first, numbered_events{2, 3});
    test::append_to_file(path, "# somebody's\n" + std::string(300'000, 'x') + '\n');
    write(*first, numbered_events{1, 5});
    const auto sink = begin(kept);
    CHECK(test::write_all(*sink, numbered_events{4, 3}) == 3);
    const auto text = test::read_file(path);
    for (int id = 1; id <= 6; ++id)
        CHECK(test::count(text, R"("id":")" + std::to_string(id) + '"') == 1);
}

TEST_CASE_METHOD(file_lives, "an unfinished line that a crash left is no event", "[sinks][file]") {
    const auto kept = two_and_three(*this);
    fs::resize_file(path, fs::file_size(path) - 10);
    CHECK(test::write_all(*begin(kept), numbered_events{3, 3}) == 2);
    CHECK(ids() == ids_up_to(5));
}

TEST_CASE_METHOD(file_lives, "where the file is gone everything is written again", "[sinks][file]") {
    const auto kept = two_and_three(*this);
    SECTION("removed") {
        fs::remove(path);
    }
    SECTION("renamed by others") {
        fs::rename(path, directory / "events.jsonl.1");
    }
    SECTION("emptied") {
        fs::resize_file(path, 0);
    }
    CHECK(test::write_all(*begin(kept), numbered_events{3, 3}) == 0);
    CHECK(ids() == strings{"3", "4", "5"});
}

TEST_CASE_METHOD(file_lives, "a bookmark that is no place in the file is none", "[sinks][file]") {
    const auto kept = *sinks::place_from(two_and_three(*this));
    const auto size = fs::file_size(path);
    std::string bookmark;
    SECTION("within a line") {
        bookmark = sinks::to_bookmark({kept.fingerprint, kept.offset - 1});
    }
    SECTION("behind the end") {
        bookmark = sinks::to_bookmark({kept.fingerprint, size + 1});
    }
    SECTION("of another file") {
        bookmark = sinks::to_bookmark({"0123456789abcdef", kept.offset});
    }
    SECTION("of another sink") {
        bookmark = "12.34";
    }
    CHECK(test::write_all(*begin(bookmark), numbered_events{3, 3}) == 0);
    CHECK(ids() == strings{"1", "2", "3", "4", "5", "3", "4", "5"});
}

TEST_CASE_METHOD(
    file_lives, "events in files that were closed meanwhile are known again", "[sinks][file][rotation]"
) {
    options.compression = GENERATE(sinks::file_compression::none, sinks::file_compression::zstd);
    options.rotate_bytes = 2 * test::line_bytes();
    options.sync = true;
    const auto first = begin();
    const auto kept = write(*first, numbered_events{1});
    write(*first, numbered_events{6, 2}); // 1 2 | 3 4 | 5 6 | 7
    REQUIRE(files().size() == 4);
    CHECK(test::write_all(*begin(kept), numbered_events{8, 2}) == 6);
    CHECK(ids() == ids_up_to(9));
}

TEST_CASE_METHOD(
    file_lives, "a bookmark in a closed file goes on in the next ones", "[sinks][file][rotation]"
) {
    options.compression = GENERATE(sinks::file_compression::none, sinks::file_compression::zstd);
    options.rotate_bytes = 2 * test::line_bytes();
    const auto first = begin();
    const auto kept = write(*first, numbered_events{1});
    write(*first, numbered_events{6, 2});
    const auto second = begin(kept);
    CHECK(test::write_all(*second, numbered_events{3, 2}) == 3);
    const auto third = begin(second->bookmark()); // killed again, in the middle of a file that is closed
    CHECK(test::write_all(*third, numbered_events{4, 5}) == 3);
    CHECK(ids() == ids_up_to(8));
}

TEST_CASE_METHOD(
    file_lives, "a sink that is killed between two files knows where it is", "[sinks][file][rotation]"
) {
    options.compression = GENERATE(sinks::file_compression::none, sinks::file_compression::zstd);
    options.rotate_bytes = 2 * test::line_bytes();
    write(*begin(), numbered_events{3});
    fs::remove(path); // only 1 and 2 are left, in a closed file
    const auto sink = begin();
    CHECK(sink->bookmark().ends_with(':' + std::to_string(options.rotate_bytes)));
    const auto first = sink->bookmark();
    write(*sink, numbered_events{1, 3});
    CHECK(test::write_all(*begin(first), numbered_events{2, 3}) == 1);
    CHECK(ids() == ids_up_to(4));
}

TEST_CASE_METHOD(
    file_lives, "where a packed file is damaged its events are written again", "[sinks][file][rotation]"
) {
    options.compression = sinks::file_compression::zstd;
    options.rotate_bytes = 2 * test::line_bytes();
    const auto first = begin();
    const auto kept = write(*first, numbered_events{1});
    write(*first, numbered_events{4, 2}); // 1 2 | 3 4 | 5
    const auto closed = files().at(1);
    fs::resize_file(closed, fs::file_size(closed) - 5);
    const auto sink = begin(kept);
    const auto duplicates = test::write_all(*sink, numbered_events{4, 2});
    CHECK(duplicates >= 1);
    CHECK(duplicates < 4);
    const auto text = test::read_file(path);
    CHECK(test::contains(text, R"("id":"5")"));
}

TEST_CASE_METHOD(
    file_lives, "a bookmark at the end of a packed file goes on in the next, whatever its size",
    "[sinks][file][rotation]"
) {
    options.compression = sinks::file_compression::zstd;
    options.rotate_bytes = 1;
    const std::uint64_t bytes = GENERATE(131'072U, 262'144U);
    write(*begin(), numbered_events{1});
    const std::string filler(bytes - fs::file_size(path), 'x');
    fs::remove(path);
    auto large = test::make_event("1");
    const auto data = '"' + filler + '"'; // instead of {}
    large.data = data;
    const auto sink = begin();
    const auto kept = write(*sink, {&large, 1});
    REQUIRE(kept.ends_with(':' + std::to_string(bytes)));
    write(*sink, numbered_events{1, 2});
    CHECK(test::write_all(*begin(kept), numbered_events{1, 2}) == 1);
    CHECK(ids() == ids_up_to(2));
}

TEST_CASE_METHOD(
    file_lives, "damage right behind the bookmark is said, and what comes is written",
    "[sinks][file][rotation]"
) {
    options.compression = sinks::file_compression::zstd;
    options.rotate_bytes = test::line_bytes();
    const auto first = begin();
    const auto kept = write(*first, numbered_events{1});
    write(*first, numbered_events{2, 2}); // 1 | 2 | 3
    const auto closed = files().at(1);
    fs::resize_file(closed, 12);
    const test::captured_log log;
    CHECK(test::write_all(*begin(kept), numbered_events{2, 2}) == 0);
    CHECK(
        log.lines("may be there twice") ==
        strings{
            "warning " + closed.string() +
            " is cut off: it ends before its zstd frame does: what comes again may be there twice"
        }
    );
}

// A file that is there, is a regular one, and can be read by nobody: memory that has nothing at its front.
constexpr auto unreadable = "/proc/self/mem";

TEST_CASE_METHOD(
    file_lives, "a closed file that cannot be read is said, and holds no event up", "[sinks][file][rotation]"
) {
    options.rotate_bytes = test::line_bytes();
    const auto first = begin();
    const auto kept = write(*first, numbered_events{1});
    write(*first, numbered_events{2, 2}); // 1 | 2 | 3
    const auto all = files();
    const test::captured_log log;
    SECTION("behind the bookmark") {
        fs::remove(all.at(1));
        fs::create_symlink(unreadable, all.at(1));
        CHECK(test::write_all(*begin(kept), numbered_events{2, 2}) == 0);
        CHECK(
            log.lines("may be there twice") ==
            strings{
                "warning cannot read " + all.at(1).string() +
                ": Input/output error: what comes again may be there twice"
            }
        );
    }
    SECTION("with the bookmark in it") {
        fs::remove(all.at(0));
        fs::create_symlink(unreadable, all.at(0));
        CHECK(test::write_all(*begin(kept), numbered_events{2, 2}) == 0);
        CHECK(log.lines("cannot read " + all.at(0).string() + ": Input/output error").size() == 1);
        CHECK(log.lines("is in none of the files any more").size() == 1);
    }
}

TEST_CASE_METHOD(
    file_lives, "a file that was removed meanwhile is an error, and no damage", "[sinks][file]"
) {
    two_and_three(*this);
    const auto gone = (directory / "gone").string();
    const auto begin_again = [&] {
        static_cast<void>(sinks::file_replay::begin({path, gone}, *sinks::end_of(path), {}));
    };
    CHECK(test::error_of(begin_again) == "cannot open " + gone + ": No such file or directory");
}

TEST_CASE_METHOD(file_lives, "a sink that stops looks no further", "[sinks][file]") {
    const auto kept = two_and_three(*this);
    const auto sink = begin(kept);
    std::stop_source stop;
    stop.request_stop();
    CHECK(sink->write(numbered_events{3, 3}, stop.get_token()).confirmed == 0);
    CHECK(sink->bookmark() == kept);
    CHECK(test::write_all(*sink, numbered_events{3, 3}) == 3);
}

namespace {

constexpr std::size_t some = 2; // of the events that come again, until the next kill

// What a process that was killed after so many bytes has left of these files. At the end of one it may have closed it.
void leave(const file_lives& files, const strings& contents, std::size_t bytes, bool closed, bool pack) {
    for (const auto& file : fs::directory_iterator{files.directory.path()})
        fs::remove(file);
    for (const auto& text : contents) {
        const bool current = bytes < text.size() || (bytes == text.size() && !closed);
        const auto name = current ? files.path : sinks::rotated_files{files.path}.next(files.now);
        test::write_file(name, text.substr(0, bytes));
        if (current) return;
        bytes -= text.size();
        if (!pack) continue;
        REQUIRE(sinks::pack_file(name, files.directory / "new", sinks::rotated_files::packed(name), {}));
        if (bytes % 2 == 0) fs::remove(name); // or it was killed before that
    }
}

// The same events again, with another kill among them.
void deliver_again(file_lives& files, const std::string& kept, std::span<const event_view> again) {
    auto sink = files.begin(kept);
    const auto later = files.write(*sink, again.first(some));
    files.write(*sink, again.subspan(some, 1));
    sink = files.begin(later);
    files.write(*sink, again.subspan(some));
}

} // namespace

TEST_CASE_METHOD(
    file_lives, "a sink that is killed after any byte has each event once in the end",
    "[sinks][file][rotation]"
) {
    const auto line = test::line_bytes();
    options.rotate_bytes = 2 * line;
    const auto first = begin();
    const auto kept = write(*first, numbered_events{1});
    write(*first, numbered_events{4, 2}); // 1 2 | 3 4 | 5
    strings contents;
    for (const auto& file : files())
        contents.push_back(test::read_file(file));
    REQUIRE(contents.size() == 3);
    const bool pack = GENERATE(false, true);
    options.compression = pack ? sinks::file_compression::zstd : sinks::file_compression::none;
    for (auto bytes = line; bytes <= 5 * line; bytes += pack ? 17 : 1) {
        for (const bool closed : {false, true}) {
            if (closed && bytes % options.rotate_bytes != 0) continue;
            CAPTURE(bytes, pack, closed);
            leave(*this, contents, bytes, closed, pack);
            deliver_again(*this, kept, numbered_events{4, 2});
            REQUIRE(ids() == ids_up_to(5));
        }
    }
}
