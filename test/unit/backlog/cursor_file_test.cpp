// The sinks' cursors on disk: whole, or known not to be.
#include "backlog/cursor_file.hpp"
#include "base/crc32c.hpp"
#include "support/catch.hpp"
#include "support/simulated_disk.hpp"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <limits>
#include <stdexcept>
#include <string>
#include <system_error>

using namespace trackd;
using namespace trackd::journal;

namespace {

const std::filesystem::path directory = "/disk";

const cursors two{{"archive", {1, 1523, 7}}, {"sqlite", {900, 1600, 0}}};

const std::string two_as_text = "trackd cursors 1\n"
                                "archive start=1 at=1523 damaged=7\n"
                                "sqlite start=900 at=1600 damaged=0\n"
                                "checksum=fd31c762\n";

std::string content(file_system& files, const std::string& name) {
    const auto open = files.open(directory / name, open_mode::read);
    std::string text(open->size(), '\0');
    REQUIRE(read_fully(*open, 0, text) == text.size());
    return text;
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

/// What reading a file with this text gives, on a disk of its own.
kept_cursors read_text(std::string_view text) {
    test::simulated_disk disk;
    put(disk, "cursors", text);
    return read_cursors(disk, directory);
}

std::string problem_of_lines(const std::string& lines) {
    const auto kept = read_text(with_checksum("trackd cursors 1\n" + lines));
    CHECK(kept.all.empty());
    return kept.problem;
}

} // namespace

TEST_CASE("cursors that were written are read again", "[backlog]") {
    test::simulated_disk disk;
    for (const auto& all :
         {two, cursors{}, cursors{{"a", {1, 1, 0}}}, cursors{{std::string(64, 'x'), {3, 9, 6}}}}) {
        write_cursors(disk, directory, all);
        const auto kept = read_cursors(disk, directory);
        CHECK(kept.all == all);
        CHECK(kept.problem.empty());
    }
}

TEST_CASE("cursors go up to the largest position there is", "[backlog]") {
    test::simulated_disk disk;
    constexpr auto largest = std::numeric_limits<position>::max();
    const cursors all{{"a", {1, largest, largest - 1}}, {"b", {largest, largest, 0}}};
    write_cursors(disk, directory, all);
    CHECK(read_cursors(disk, directory).all == all);
}

TEST_CASE("the cursors' file is text with a line for each sink", "[backlog]") {
    test::simulated_disk disk;
    write_cursors(disk, directory, two);
    CHECK(content(disk, "cursors") == two_as_text);
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

TEST_CASE("cursors cut off anywhere are not trusted, and set aside", "[backlog]") {
    for (std::size_t size = 0; size < two_as_text.size(); ++size) {
        CAPTURE(size);
        test::simulated_disk disk;
        const auto text = two_as_text.substr(0, size);
        put(disk, "cursors", text);
        const auto kept = read_cursors(disk, directory);
        CHECK(kept.all.empty());
        CHECK(kept.problem.find("/disk/cursors.damaged") != std::string::npos);
        CHECK_FALSE(is_there(disk, "cursors"));
        CHECK(content(disk, "cursors.damaged") == text);
    }
}

TEST_CASE("cursors with one bit changed anywhere are not trusted", "[backlog]") {
    for (std::size_t bit = 0; bit < two_as_text.size() * 8; ++bit) {
        CAPTURE(bit);
        auto text = two_as_text;
        text[bit / 8] = static_cast<char>(text[bit / 8] ^ (1 << bit % 8));
        const auto kept = read_text(text);
        CHECK(kept.all.empty());
        CHECK_FALSE(kept.problem.empty());
    }
}

TEST_CASE("cursors with something behind them are not trusted", "[backlog]") {
    for (const std::string more : {"\n", " ", "x", "checksum=00000000\n"}) {
        CAPTURE(more);
        CHECK_FALSE(read_text(two_as_text + more).problem.empty());
    }
    CHECK_FALSE(read_text(two_as_text + two_as_text).problem.empty());
    CHECK_FALSE(read_text(two_as_text + std::string(100, '\0')).problem.empty());
}

TEST_CASE("a file too large for cursors is not trusted", "[backlog]") {
    test::simulated_disk disk;
    disk.open(directory / "cursors", open_mode::create)->truncate(std::uint64_t{17} << 20U);
    CHECK(peek_cursors(disk, directory).problem.find("larger than") != std::string::npos);
}

TEST_CASE("looking at damaged cursors changes nothing", "[backlog]") {
    test::simulated_disk disk;
    put(disk, "cursors", "x");
    const auto kept = peek_cursors(disk, directory);
    CHECK(kept.all.empty());
    CHECK(kept.problem == "/disk/cursors: the sinks' cursors cannot be trusted: its checksum does not hold");
    CHECK(disk.list(directory) == std::vector<std::string>{"cursors"});
}

TEST_CASE("cursors of a newer version are an error that says so, and stay", "[backlog]") {
    const auto text = with_checksum("trackd cursors 2\nwhatever it has\n");
    test::simulated_disk disk;
    put(disk, "cursors", text);
    const std::string message =
        "/disk/cursors: was written by a newer version of trackd (format 2; this one knows "
        "formats up to 1); run that version";
    CHECK_THROWS_WITH(read_cursors(disk, directory), message);
    CHECK_THROWS_WITH(peek_cursors(disk, directory), message);
    CHECK(content(disk, "cursors") == text);
}

TEST_CASE("a newer version without a checksum that holds is damage", "[backlog]") {
    CHECK_FALSE(read_text("trackd cursors 2\nchecksum=00000000\n").problem.empty());
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
    for (const std::string line :
         {"", "a", "a start=1 at=1", "a start=1 at=1 damaged=0 more=0", "a at=1 start=1 damaged=0",
          "a start=1  at=1 damaged=0", "a start=1 at=1 damaged=", "a start=01 at=1 damaged=0",
          "a start=+1 at=1 damaged=0", "a start=1 at=-1 damaged=0", "a start=1 at=0x1 damaged=0",
          "a start=1 at=18446744073709551616 damaged=0", " start=1 at=1 damaged=0",
          "a.b start=1 at=1 damaged=0", "a start=1 at=1 damaged=0 "}) {
        CAPTURE(line);
        CHECK(problem_of_lines(line + "\n").find("line 2 is not understood") != std::string::npos);
    }
    CHECK_FALSE(problem_of_lines(std::string(65, 'x') + " start=1 at=1 damaged=0\n").empty());
}

TEST_CASE("cursors that cannot be are not trusted", "[backlog]") {
    const std::string sound = "a start=1 at=1 damaged=0\n";
    for (const std::string line :
         {"b start=0 at=1 damaged=0", "b start=2 at=1 damaged=0", "b start=1 at=5 damaged=5"}) {
        CAPTURE(line);
        CHECK(problem_of_lines(sound + line + "\n").find("line 3 cannot be") != std::string::npos);
    }
    CHECK(read_text(with_checksum("trackd cursors 1\nb start=1 at=5 damaged=4\n")).problem.empty());
}

TEST_CASE("a sink that is there twice, or not in order, is not trusted", "[backlog]") {
    const std::string a = "a start=1 at=1 damaged=0\n";
    const std::string b = "b start=1 at=1 damaged=0\n";
    CHECK(problem_of_lines(a + a).find("line 3 has a name") != std::string::npos);
    CHECK(problem_of_lines(b + a).find("line 3 has a name") != std::string::npos);
    CHECK(read_text(with_checksum("trackd cursors 1\n" + a + b)).problem.empty());
}

TEST_CASE("a sink whose name would break its line is refused, and the file stays", "[backlog]") {
    test::simulated_disk disk;
    write_cursors(disk, directory, two);
    for (const std::string name : {"", "a b", "a\nb", "ä"}) {
        CAPTURE(name);
        CHECK_THROWS_AS(write_cursors(disk, directory, {{name, {}}}), std::invalid_argument);
    }
    CHECK(content(disk, "cursors") == two_as_text);
}

TEST_CASE("a write that never finished is not in the way of the next one", "[backlog]") {
    test::simulated_disk disk;
    put(disk, "cursors.new", std::string(1000, 'x'));
    write_cursors(disk, directory, two);
    CHECK(read_cursors(disk, directory).all == two);
    CHECK(disk.list(directory) == std::vector<std::string>{"cursors"});
}

TEST_CASE("whenever the power is cut there are the old cursors or the new ones", "[backlog]") {
    test::simulated_disk disk;
    const cursors before{{"sqlite", {1, 2, 0}}};
    write_cursors(disk, directory, before);
    std::size_t moments = 0;
    disk.after_each([&](std::uint64_t, const test::disk_image& now) {
        ++moments;
        for (std::uint64_t seed = 0; seed < 50; ++seed) {
            CAPTURE(moments, seed);
            const auto after = now.after_power_cut(seed);
            const auto kept = read_cursors(*after, directory);
            CHECK(kept.problem.empty());
            CHECK((kept.all == before || kept.all == two));
        }
    });
    write_cursors(disk, directory, two);
    CHECK(moments >= 4);
    disk.after_each({});
    for (std::uint64_t seed = 0; seed < 50; ++seed)
        CHECK(read_cursors(*disk.after_power_cut(seed), directory).all == two);
}

TEST_CASE("cursors that meet a full disk leave the old ones", "[backlog]") {
    test::simulated_disk disk;
    write_cursors(disk, directory, two);
    disk.limit(disk.used());
    CHECK_THROWS_AS(write_cursors(disk, directory, {{"sqlite", {1, 9, 0}}}), std::system_error);
    CHECK(read_cursors(disk, directory).all == two);
}
