// The sinks' cursors on disk: whole, or known not to be, and written whatever fills the disk.
#include "backlog/cursor_file.hpp"
#include "base/crc32c.hpp"
#include "support/catch.hpp"
#include "support/faulty_files.hpp"
#include "support/simulated_disk.hpp"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <cerrno>
#include <limits>
#include <set>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

using namespace trackd;
using namespace trackd::journal;
using test::operation;

namespace {

const std::filesystem::path directory = "/disk";

constexpr std::size_t slot_bytes = 16384;
constexpr std::size_t file_bytes = 2 * slot_bytes;
constexpr auto largest = std::numeric_limits<position>::max();

const cursors two{{"archive", {1, 1523, 7}}, {"sqlite", {900, 1600, 0}}};

const std::string two_as_text = "trackd cursors 1\n"
                                "generation=1\n"
                                "archive start=1 at=1523 damaged=7\n"
                                "sqlite start=900 at=1600 damaged=0\n"
                                "checksum=7a95b066\n";

std::string content(file_system& files, const std::string& name) {
    const auto open = files.open(directory / name, open_mode::read);
    std::string text(open->size(), '\0');
    REQUIRE(read_fully(*open, 0, text) == text.size());
    return text;
}

/// What a slot holds, without the zeros behind it.
std::string text_in_slot(file_system& files, std::size_t which) {
    const auto text = content(files, "cursors").substr(which * slot_bytes, slot_bytes);
    return text.substr(0, text.find_last_not_of('\0') + 1);
}

void put(file_system& files, const std::string& name, std::string_view text) {
    write_fully(*files.open(directory / name, open_mode::create), 0, text);
}

bool is_there(file_system& files, const std::string& name) {
    const auto names = files.list(directory);
    return std::find(names.begin(), names.end(), name) != names.end();
}

std::string with_checksum(const std::string& text) {
    return text + fmt::format("checksum={:08x}\n", base::crc32c(text));
}

/// The text of a slot with one sink, `a`.
std::string a_at(position at, std::uint64_t generation) {
    return with_checksum(
        fmt::format("trackd cursors 1\ngeneration={}\na start=1 at={} damaged=0\n", generation, at)
    );
}

std::string file_of(std::string first, std::string second) {
    first.resize(slot_bytes);
    second.resize(slot_bytes);
    return first + second;
}

kept_cursors read_file(std::string_view bytes) {
    test::simulated_disk disk;
    put(disk, "cursors", bytes);
    return read_cursors(disk, directory);
}

/// What reading gives when nothing but this text is there.
kept_cursors read_text(const std::string& text) {
    return read_file(file_of(text, ""));
}

std::string problem_of_lines(const std::string& lines) {
    const auto kept = read_text(with_checksum("trackd cursors 1\ngeneration=1\n" + lines));
    CHECK(kept.all.empty());
    return kept.problem;
}

/// So many that they take several of the disk's sectors, all of them at one position.
cursors many_at(position at) {
    cursors all;
    for (int i = 0; i < 50; ++i)
        all[fmt::format("sink-{}", i)] = {1, at, 0};
    return all;
}

/// Whenever the power is cut while the work is done, reading gives one of these, and has no problem.
template <class Work>
void check_power_cuts(
    test::simulated_disk& disk, const std::vector<cursors>& allowed, std::size_t least_moments, Work work
) {
    std::size_t moments = 0;
    disk.after_each([&](std::uint64_t, const test::disk_image& now) {
        ++moments;
        for (std::uint64_t seed = 0; seed < 50; ++seed) {
            CAPTURE(moments, seed);
            const auto kept = read_cursors(*now.after_power_cut(seed), directory);
            CHECK(kept.problem.empty());
            CHECK(std::find(allowed.begin(), allowed.end(), kept.all) != allowed.end());
        }
    });
    work();
    disk.after_each({});
    CHECK(moments >= least_moments);
}

/// Whatever the power cut leaves of what is not safe.
void check_safe(const test::simulated_disk& disk, const cursors& all) {
    for (std::uint64_t seed = 0; seed < 50; ++seed) {
        CAPTURE(seed);
        CHECK(read_cursors(*disk.after_power_cut(seed), directory).all == all);
    }
}

} // namespace

TEST_CASE("cursors that were written are read again", "[backlog]") {
    test::simulated_disk disk;
    for (const auto& all :
         {two, cursors{}, cursors{{"a", {1, 1, 0}}}, cursors{{std::string(64, 'x'), {3, 9, 6}}}}) {
        write_cursors(disk, directory, all);
        CHECK(peek_cursors(disk, directory).all == all);
        const auto kept = read_cursors(disk, directory);
        CHECK(kept.all == all);
        CHECK(kept.problem.empty());
    }
}

TEST_CASE("cursors go up to the largest position there is", "[backlog]") {
    test::simulated_disk disk;
    const cursors all{{"a", {1, largest, largest - 1}}, {"b", {largest, largest, 0}}};
    write_cursors(disk, directory, all);
    CHECK(read_cursors(disk, directory).all == all);
}

TEST_CASE("the cursors' file is text with a line for each sink, and zeros behind it", "[backlog]") {
    test::simulated_disk disk;
    write_cursors(disk, directory, two);
    CHECK(content(disk, "cursors") == file_of(two_as_text, ""));
}

TEST_CASE("cursors are written to the two slots by turns", "[backlog]") {
    test::simulated_disk disk;
    std::string written[] = {"", ""};
    for (std::uint64_t generation = 1; generation <= 12; ++generation) {
        CAPTURE(generation);
        write_cursors(disk, directory, {{"a", {1, 100 - generation, 0}}});
        written[(generation - 1) % 2] = a_at(100 - generation, generation);
        CHECK(text_in_slot(disk, 0) == written[0]);
        CHECK(text_in_slot(disk, 1) == written[1]);
        CHECK(read_cursors(disk, directory).all.at("a").at == 100 - generation);
    }
}

TEST_CASE("the cursors of the greatest generation count, wherever they stand", "[backlog]") {
    CHECK(read_file(file_of(a_at(5, 9), a_at(6, 10))).all.at("a").at == 6);
    CHECK(read_file(file_of(a_at(6, 10), a_at(5, 9))).all.at("a").at == 6);
    CHECK(read_file(file_of("", a_at(6, 1))).all.at("a").at == 6);
}

TEST_CASE("no cursors' file is no cursors, and no problem", "[backlog]") {
    test::simulated_disk disk;
    CHECK(read_cursors(disk, directory).all.empty());
    CHECK(read_cursors(disk, directory).problem.empty());
    CHECK(peek_cursors(disk, directory).problem.empty());
}

TEST_CASE("a directory that is not there has no cursors", "[backlog]") {
    test::simulated_disk disk;
    CHECK(read_cursors(disk, "/disk/none").all.empty());
}

TEST_CASE("cursors of which none are whole are not trusted, and set aside", "[backlog]") {
    const auto torn = two_as_text.substr(0, two_as_text.size() - 1);
    for (const auto& bytes :
         {std::string{}, std::string{"x"}, std::string(file_bytes, '\0'), file_of(torn, ""),
          file_of("", torn), file_of(torn, torn), file_of(torn, "x")}) {
        test::simulated_disk disk;
        put(disk, "cursors", bytes);
        const auto kept = read_cursors(disk, directory);
        CHECK(kept.all.empty());
        CHECK(kept.problem.find("/disk/cursors.damaged") != std::string::npos);
        CHECK_FALSE(is_there(disk, "cursors"));
        CHECK(content(disk, "cursors.damaged") == bytes);
    }
}

TEST_CASE("cursors cut off anywhere leave those before that, or none", "[backlog]") {
    const auto before = a_at(5, 1);
    const auto after = a_at(6, 2);
    const auto whole = file_of(before, after);
    const auto check = [&](std::size_t size) {
        CAPTURE(size);
        const auto kept = read_file(std::string_view{whole}.substr(0, size));
        if (size < before.size()) {
            CHECK_FALSE(kept.problem.empty());
            CHECK(kept.all.empty());
            return;
        }
        CHECK(kept.problem.empty());
        CHECK(kept.all.at("a").at == (size < slot_bytes + after.size() ? 5 : 6));
    };
    for (const std::size_t slot : {std::size_t{0}, slot_bytes})
        for (std::size_t size = 0; size < 2 * after.size(); ++size)
            check(slot + size);
    for (std::size_t size = 0; size <= file_bytes; size += 512)
        check(size);
}

TEST_CASE("a write that was interrupted anywhere leaves the cursors before it, without a word", "[backlog]") {
    const auto before = file_of(a_at(600, 3), a_at(70000, 4));
    const auto after =
        file_of(a_at(8, 5), a_at(70000, 4)); // a shorter text, with some of the old one behind it
    for (std::size_t written = 0; written < 200; ++written) {
        CAPTURE(written);
        const auto left = after.substr(0, written) + before.substr(written);
        const auto kept = read_file(left);
        CHECK(kept.problem.empty());
        CHECK(kept.all.at("a").at == (left.starts_with(a_at(8, 5) + '\0') ? 8 : 70000));
    }
}

TEST_CASE("cursors with one bit changed anywhere are not trusted", "[backlog]") {
    for (std::size_t bit = 0; bit < two_as_text.size() * 8; ++bit) {
        CAPTURE(bit);
        auto text = two_as_text;
        text[bit / 8] = static_cast<char>(text[bit / 8] ^ (1 << bit % 8));
        const auto alone = read_text(text);
        CHECK(alone.all.empty());
        CHECK_FALSE(alone.problem.empty());
        for (const auto& bytes : {file_of(text, a_at(5, 7)), file_of(a_at(5, 0), text)}) {
            const auto kept = read_file(bytes);
            CHECK(kept.problem.empty());
            CHECK(kept.all == cursors{{"a", {1, 5, 0}}});
        }
    }
}

TEST_CASE("cursors with something right behind them are not trusted", "[backlog]") {
    for (const std::string more : {"\n", " ", "x", "checksum=00000000\n"}) {
        CAPTURE(more);
        CHECK_FALSE(read_text(two_as_text + more).problem.empty());
    }
    CHECK_FALSE(read_text(two_as_text + two_as_text).problem.empty());
}

TEST_CASE("what stands behind the zeros does not matter", "[backlog]") {
    CHECK(read_text(two_as_text + '\0' + "x" + std::string(100, '\0') + "y").all == two);
    CHECK(read_file(file_of(two_as_text, "x") + "x").all == two);
    CHECK(read_file(file_of(a_at(5, 0), two_as_text + '\0' + "x")).all == two);
}

TEST_CASE("looking at damaged cursors changes nothing", "[backlog]") {
    test::simulated_disk disk;
    put(disk, "cursors", "x");
    const auto kept = peek_cursors(disk, directory);
    CHECK(kept.all.empty());
    CHECK(
        kept.problem == "/disk/cursors: the sinks' cursors cannot be trusted: the first slot: its checksum "
                        "does not hold; the second slot: it is empty"
    );
    CHECK(disk.list(directory) == std::vector<std::string>{"cursors"});
}

TEST_CASE("cursors of a newer version are an error that says so, and stay", "[backlog]") {
    const auto text = with_checksum("trackd cursors 3\nwhatever it has\n");
    const std::string message =
        "/disk/cursors: was written by a newer version of trackd (format 3; this one knows "
        "formats up to 2); run that version";
    for (const auto& bytes :
         {text, file_of(text, ""), file_of(a_at(5, 9), text), file_of(text, a_at(5, 9))}) {
        test::simulated_disk disk;
        put(disk, "cursors", bytes);
        CHECK_THROWS_WITH(read_cursors(disk, directory), message);
        CHECK_THROWS_WITH(peek_cursors(disk, directory), message);
        CHECK_THROWS_WITH(write_cursors(disk, directory, two), message);
        CHECK(content(disk, "cursors") == bytes);
    }
}

TEST_CASE("a newer version without a checksum that holds is damage", "[backlog]") {
    CHECK_FALSE(read_text("trackd cursors 3\nchecksum=00000000\n").problem.empty());
}

TEST_CASE("cursors with a sound checksum but without sense are not trusted", "[backlog]") {
    CHECK_FALSE(read_text(with_checksum("")).problem.empty());
    for (const std::string first :
         {"trackd cursors 0", "trackd cursors", "trackd cursors 1 ", "trackd cursors 01", "x"}) {
        CAPTURE(first);
        CHECK(
            read_text(with_checksum(first + "\n")).problem.find("does not begin with") != std::string::npos
        );
    }
    for (const std::string second :
         {"", "generation=\n", "generation=01\n", "generation=-1\n", "generation=18446744073709551616\n",
          "a start=1 at=1 damaged=0\n"}) {
        CAPTURE(second);
        CHECK(
            read_text(with_checksum("trackd cursors 1\n" + second))
                .problem.find("line 2 is not understood") != std::string::npos
        );
    }
    for (const std::string line :
         {"",
          "a",
          "a start=1 at=1",
          "a start=1 at=1 damaged=0 more=0",
          "a at=1 start=1 damaged=0",
          "a start=1  at=1 damaged=0",
          "a start=1 at=9 damaged=0 filtered=0",
          "a start=1 at=9 damaged=0  filtered=1",
          "a start=1 at=9 damaged=0 filtered=1 ",
          "a start=1 at=9 damaged=0 filtered=1 filtered=1",
          "a start=1 at=9 damaged=0 skipped=1 filtered=1",
          "a start=1 at=9 damaged=0 filtered=x",
          "a start=1 at=9 damaged=0 bookmark=",
          "a start=1 at=9 damaged=0 bookmark=X",
          "a start=1 at=9 damaged=0 bookmark=x bookmark=x",
          "a start=1 at=9 damaged=0 bookmark=x filtered=1",
          "a start=1 at=9 damaged=0 bookmark=x more=1",
          "a start=1 at=1 damaged=",
          "a start=01 at=1 damaged=0",
          "a start=+1 at=1 damaged=0",
          "a start=1 at=-1 damaged=0",
          "a start=1 at=0x1 damaged=0",
          "a start=1 at=18446744073709551616 damaged=0",
          " start=1 at=1 damaged=0",
          "a.b start=1 at=1 damaged=0",
          "a start=1 at=1 damaged=0 "}) {
        CAPTURE(line);
        CHECK(problem_of_lines(line + "\n").find("line 3 is not understood") != std::string::npos);
    }
    CHECK_FALSE(problem_of_lines(std::string(65, 'x') + " start=1 at=1 damaged=0\n").empty());
}

TEST_CASE("cursors that cannot be are not trusted", "[backlog]") {
    const std::string sound = "a start=1 at=1 damaged=0\n";
    for (const std::string line :
         {"b start=0 at=1 damaged=0", "b start=2 at=1 damaged=0", "b start=1 at=5 damaged=5",
          "b start=1 at=5 damaged=2 skipped=3",
          "b start=1 at=5 damaged=0 filtered=18446744073709551615 skipped=2"}) {
        CAPTURE(line);
        CHECK(problem_of_lines(sound + line + "\n").find("line 4 cannot be") != std::string::npos);
    }
    CHECK(
        read_text(with_checksum("trackd cursors 1\ngeneration=1\nb start=1 at=5 damaged=4\n")).problem.empty()
    );
}

TEST_CASE("what a sink was not given is counted with its cursor, by reason", "[backlog]") {
    const cursors all{{"a", {1, 100, 1, 20, 3, 4}}, {"b", {1, 100, 0, 0, 0, 7}}, {"c", {1, 9, 0}}};
    test::simulated_disk disk;
    write_cursors(disk, directory, all);
    CHECK(read_cursors(disk, directory).all == all);
    CHECK(content(disk, "cursors")
              .starts_with("trackd cursors 2\n"
                           "generation=1\n"
                           "a start=1 at=100 damaged=1 filtered=20 dead_lettered=3 skipped=4\n"
                           "b start=1 at=100 damaged=0 skipped=7\n"
                           "c start=1 at=9 damaged=0\n"));
    CHECK(all.at("a").delivered() == 99 - 28);
}

TEST_CASE("a sink's bookmark is kept with its cursor, behind all that is counted", "[backlog]") {
    cursors all{{"a", {1, 100, 1, 20}}, {"b", {1, 9, 0}}, {"c", {1, 9, 0}}};
    all["a"].bookmark = "0123456789abcdef:4096";
    all["b"].bookmark = std::string(max_bookmark_bytes, '-');
    test::simulated_disk disk;
    write_cursors(disk, directory, all);
    CHECK(read_cursors(disk, directory).all == all);
    CHECK(content(disk, "cursors")
              .starts_with(
                  "trackd cursors 2\n"
                  "generation=1\n"
                  "a start=1 at=100 damaged=1 filtered=20 bookmark=0123456789abcdef:4096\n"
                  "b start=1 at=9 damaged=0 bookmark=" +
                  all["b"].bookmark +
                  "\n"
                  "c start=1 at=9 damaged=0\n"
              ));
}

TEST_CASE("a bookmark that would break its line is refused, and the file stays", "[backlog]") {
    test::simulated_disk disk;
    write_cursors(disk, directory, two);
    for (const auto& bookmark :
         {std::string{"a b"}, std::string{"a\nb"}, std::string{"A"}, std::string{"a=b"}, std::string{"\0", 1},
          std::string(max_bookmark_bytes + 1, 'x')}) {
        CAPTURE(bookmark);
        auto all = two;
        all["sqlite"].bookmark = bookmark;
        CHECK_THROWS_WITH(
            write_cursors(disk, directory, all),
            "sink sqlite: its bookmark cannot be kept; expected small letters, digits, colons, dots and "
            "hyphens, at most 64"
        );
        CHECK_THROWS_AS(check_fit(directory, all), std::invalid_argument);
    }
    CHECK(content(disk, "cursors") == file_of(two_as_text, ""));
}

TEST_CASE("a sink that is there twice, or not in order, is not trusted", "[backlog]") {
    const std::string a = "a start=1 at=1 damaged=0\n";
    const std::string b = "b start=1 at=1 damaged=0\n";
    CHECK(problem_of_lines(a + a).find("line 4 has a name") != std::string::npos);
    CHECK(problem_of_lines(b + a).find("line 4 has a name") != std::string::npos);
    CHECK(read_text(with_checksum("trackd cursors 1\ngeneration=1\n" + a + b)).problem.empty());
}

TEST_CASE("a sink whose name would break its line is refused, and the file stays", "[backlog]") {
    test::simulated_disk disk;
    write_cursors(disk, directory, two);
    for (const std::string name : {"", "a b", "a\nb", "ä"}) {
        CAPTURE(name);
        CHECK_THROWS_AS(check_sink_name(name), std::invalid_argument);
        CHECK_THROWS_AS(write_cursors(disk, directory, {{name, {}}}), std::invalid_argument);
    }
    CHECK_THROWS_WITH(
        check_sink_name(std::string(65, 'x')),
        "sink name \"" + std::string(65, 'x') + "\": expected letters, digits, - and _, 1 to 64 bytes"
    );
    CHECK(content(disk, "cursors") == file_of(two_as_text, ""));
}

TEST_CASE("a sink's name that the file can hold is let through", "[backlog]") {
    for (const auto& name : {std::string{"a"}, std::string{"Az-09_"}, std::string(64, 'x')})
        CHECK_NOTHROW(check_sink_name(name));
}

TEST_CASE("as many sinks as are let through fit at every position", "[backlog]") {
    const auto sinks = [](std::size_t count, const cursor& at) {
        cursors all;
        for (std::size_t i = 0; i < count; ++i)
            all[fmt::format("{:064}", i)] = at;
        return all;
    };
    // No cursor can be as wide as what is reckoned with, so there is always room for the widest that can be.
    const auto third = largest / 4;
    const cursor widest{1, largest, third, third, third, third - 1, std::string(max_bookmark_bytes, 'x')};
    std::size_t most = 0;
    test::simulated_disk disk;
    for (; most < 1000; ++most) {
        try {
            write_cursors(disk, directory, sinks(most + 1, {1, 1, 0}));
        } catch (const std::length_error&) {
            break;
        }
    }
    CHECK(most == 52);
    write_cursors(disk, directory, sinks(most, widest));
    write_cursors(disk, directory, sinks(most, widest));
    CHECK(read_cursors(disk, directory).all == sinks(most, widest));
    CHECK(content(disk, "cursors").size() == file_bytes);
    CHECK_THROWS_WITH(
        write_cursors(disk, directory, sinks(most + 1, widest)),
        "/disk/cursors: the cursors of 53 sinks may take 16656 bytes, and there is room for 16383; expected "
        "fewer sinks, or shorter names"
    );
    CHECK(read_cursors(disk, directory).all == sinks(most, widest));
}

TEST_CASE("a write that never finished is not in the way of the next one", "[backlog]") {
    test::simulated_disk disk;
    put(disk, "cursors.new", std::string(1000, 'x'));
    write_cursors(disk, directory, two);
    CHECK(read_cursors(disk, directory).all == two);
    CHECK(disk.list(directory) == std::vector<std::string>{"cursors"});
}

TEST_CASE("a file that cannot be written in place is made anew", "[backlog]") {
    const auto whole = file_of(a_at(5, 1), a_at(6, 2));
    for (const auto& bytes :
         {std::string{}, file_of("", ""), file_of("x", "x"), whole + '\0', whole.substr(0, file_bytes - 1),
          a_at(5, 1)}) {
        CAPTURE(bytes.size());
        test::simulated_disk disk;
        put(disk, "cursors", bytes);
        write_cursors(disk, directory, two);
        CHECK(content(disk, "cursors") == file_of(two_as_text, ""));
        CHECK(disk.list(directory) == std::vector<std::string>{"cursors"});
        CHECK(disk.used() == file_bytes);
    }
}

TEST_CASE("all of a new file is written, not only reserved", "[backlog]") {
    test::simulated_disk disk;
    test::faulty_files files{disk};
    files.leave_out(operation::reserve);
    write_cursors(files, directory, two);
    CHECK(files.count(operation::reserve) == 1);
    CHECK(disk.used() == file_bytes);
}

TEST_CASE("a file that is there is written in place, and synced once", "[backlog]") {
    test::simulated_disk disk;
    test::faulty_files files{disk};
    write_cursors(files, directory, two);
    const auto before = files.calls();
    write_cursors(files, directory, many_at(5));
    std::vector<operation> changing;
    for (const auto& call : files.calls()) {
        if (call.number <= before.size() || call.kind == operation::read || call.kind == operation::size)
            continue;
        changing.push_back(call.kind);
    }
    CHECK(changing == std::vector{operation::open, operation::write, operation::sync});
}

TEST_CASE("cursors can be written again and again on a disk that is full", "[backlog]") {
    test::simulated_disk disk;
    write_cursors(disk, directory, two);
    disk.limit(disk.used());
    REQUIRE_THROWS_AS(put(disk, "more", "x"), std::system_error);
    for (position at = 1; at <= 5; ++at) {
        write_cursors(disk, directory, many_at(at));
        check_safe(disk, many_at(at));
    }
}

TEST_CASE("cursors that find no room for their first file get there when there is some", "[backlog]") {
    test::simulated_disk disk;
    disk.limit(file_bytes - 1);
    CHECK_THROWS_AS(write_cursors(disk, directory, two), std::system_error);
    CHECK(read_cursors(disk, directory).problem.empty());
    disk.limit(file_bytes);
    write_cursors(disk, directory, two);
    CHECK(read_cursors(disk, directory).all == two);
}

TEST_CASE("whenever the power is cut there are the old cursors or the new ones", "[backlog]") {
    test::simulated_disk disk;
    write_cursors(disk, directory, many_at(1));
    for (position at = 2; at <= 5; ++at) {
        check_power_cuts(disk, {many_at(at - 1), many_at(at)}, 2, [&] {
            write_cursors(disk, directory, many_at(at));
        });
        check_safe(disk, many_at(at));
    }
}

TEST_CASE("whenever the power is cut over the first cursors there are none or all", "[backlog]") {
    test::simulated_disk disk;
    check_power_cuts(disk, {{}, many_at(1)}, 7, [&] { write_cursors(disk, directory, many_at(1)); });
    check_safe(disk, many_at(1));
}

TEST_CASE(
    "whenever the power is cut over a file that is made anew there is the old or the new one", "[backlog]"
) {
    test::simulated_disk disk;
    put(disk, "cursors", a_at(5, 1));
    disk.open(directory / "cursors", open_mode::write)->sync();
    disk.sync_directory(directory);
    check_power_cuts(disk, {{{"a", {1, 5, 0}}}, many_at(1)}, 7, [&] {
        write_cursors(disk, directory, many_at(1));
    });
    check_safe(disk, many_at(1));
}

TEST_CASE("a write that fails anywhere leaves the old cursors, on the disk too", "[backlog]") {
    for (const auto kind :
         {operation::open, operation::read, operation::size, operation::write, operation::sync}) {
        for (const bool half : {false, true}) {
            if (half && kind != operation::write) continue;
            CAPTURE(test::name(kind), half);
            test::simulated_disk disk;
            write_cursors(disk, directory, many_at(1));
            test::faulty_files files{disk};
            files.fail({kind, 1, EIO, false, half});
            CHECK_THROWS_AS(write_cursors(files, directory, many_at(2)), std::system_error);
            CHECK(read_cursors(*disk.after_power_cut(0), directory).all == many_at(1));
            CHECK(peek_cursors(disk, directory).all == many_at(1));
        }
    }
}

TEST_CASE("after a sync that failed the next write does not touch what is safe", "[backlog]") {
    test::simulated_disk disk;
    write_cursors(disk, directory, many_at(1));
    disk.fail_next_sync(EIO);
    CHECK_THROWS_AS(write_cursors(disk, directory, many_at(2)), std::system_error);
    CHECK(peek_cursors(disk, directory).all == many_at(1));
    check_power_cuts(disk, {many_at(1), many_at(3)}, 2, [&] { write_cursors(disk, directory, many_at(3)); });
    check_safe(disk, many_at(3));
}

TEST_CASE("a file whose sync failed is not synced again but made anew", "[backlog]") {
    test::simulated_disk disk;
    write_cursors(disk, directory, many_at(1));
    write_cursors(disk, directory, many_at(2));
    test::faulty_files files{disk};
    SECTION("when it was written") {
        files.fail({operation::sync, 1});
        CHECK_THROWS_AS(write_cursors(files, directory, many_at(3)), std::system_error);
    }
    SECTION("when it was read") {
        files.fail({operation::sync, 1});
        CHECK_THROWS_AS(read_cursors(files, directory), std::system_error);
    }
    CHECK(read_cursors(files, directory).all == many_at(2));
    CHECK(files.count(operation::sync) == 1);
    write_cursors(files, directory, many_at(4));
    CHECK(files.count(operation::rename) == 1);
    CHECK(read_cursors(files, directory).all == many_at(4));
    std::set<std::uint64_t> failed;
    for (const auto& call : files.calls()) {
        if (call.kind != operation::sync) continue;
        CHECK_FALSE(failed.contains(call.file));
        if (call.error != 0) failed.insert(call.file);
    }
    CHECK(failed.size() == 1);
    check_safe(disk, many_at(4));
}

TEST_CASE("a new file whose name may not be safe is made once more", "[backlog]") {
    test::simulated_disk disk;
    test::faulty_files files{disk};
    files.fail({operation::sync_directory, 1});
    CHECK_THROWS_AS(write_cursors(files, directory, two), std::system_error);
    write_cursors(files, directory, two);
    check_safe(disk, two);
}

TEST_CASE("what a killed process had not synced is safe once it is read", "[backlog]") {
    test::simulated_disk disk;
    test::faulty_files files{disk};
    files.leave_out(operation::sync_directory);
    write_cursors(files, directory, many_at(1));
    files.leave_out(operation::sync);
    write_cursors(files, directory, many_at(2));
    CHECK(read_cursors(disk, directory).all == many_at(2));
    check_safe(disk, many_at(2));
}
