// The journal as a backlog: what the tracker sees of it. What it does when the disk fails is in journal_faults_test.cpp.
#include "backlog/cursor_file.hpp"
#include "backlog/inspect.hpp"
#include "support/catch.hpp"
#include "support/faulty_files.hpp"
#include "unit/backlog/journal_parts.hpp"
#include "unit/backlog/journal_run.hpp"

#include <atomic>
#include <cerrno>
#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

using namespace trackd;
using namespace std::chrono_literals;
namespace asio = boost::asio;
using test::faulty_files;
using test::operation;

namespace {

using strings = std::vector<std::string>;

struct beginning {
    beginning(sink_start start, std::string own = {}) : where{start}, bookmark{std::move(own)} {} // NOLINT

    sink_start where;
    std::string bookmark;
};

using sinks = std::map<std::string, beginning>;

constexpr read_limits much{100'000, std::size_t{1} << 30U};

// One process's use of a journal.
class session {
public:
    session(const journal_options& options, journal::file_system& files, const sinks& of)
        : journal_{make_journal_backlog(options, files)} {
        for (const auto& [name, begins] : of)
            cursors[name] = journal_->open_cursor(name, begins.where, begins.bookmark);
        journal_->keep_new_sinks();
        journal_->start(
            strand_, clock_,
            {[this] { ++changes; },
             [this](batch::mark one) {
                 released.events += one.events;
                 released.bytes += one.bytes;
             }}
        );
    }

    ~session() {
        if (!closed_) close();
    }

    session(const session&) = delete;
    session& operator=(const session&) = delete;

    backlog* operator->() { return journal_.get(); }

    // One batch, of events whose ids are their positions.
    void give(std::size_t events, std::size_t data_bytes = 100) {
        const auto some = test::events_at(journal_->end(), events, data_bytes);
        given.events += some->events();
        given.bytes += some->bytes();
        journal_->append(*some);
    }

    // Returns false if there is no room for it.
    bool store(std::size_t events, std::size_t data_bytes = 100) {
        give(events, data_bytes);
        const auto end = journal_->end();
        wait([&] { return journal_->stored_end() >= end || journal_->condition() != backlog_condition::good; }
        );
        return journal_->stored_end() >= end;
    }

    void store_until_full() {
        while (store(1, 9000))
            continue;
        REQUIRE(journal_->condition() == backlog_condition::full);
    }

    void wait_for(backlog_condition condition) {
        wait([&] { return journal_->condition() == condition; });
    }

    void wait_for_segments(std::uint64_t count) {
        wait([&] { return journal_->journal()->segments == count; });
    }

    void move(const std::string& sink, position to) {
        cursors.at(sink).at = to;
        journal_->move_cursor(sink, cursors.at(sink));
    }

    // The ids of what is read from there on, to where nothing more comes.
    strings read(position from, read_limits limits = much) {
        strings ids;
        for (;;) {
            const auto found = test::run(context_, journal_->read(from, limits));
            REQUIRE(found.first == from);
            if (found.end() == from) return ids;
            if (found.damaged > 0) ids.push_back(std::to_string(found.damaged) + " damaged");
            for (const auto& event : found.events)
                ids.emplace_back(event.id);
            from = found.end();
        }
    }

    void pass(clock::duration time) {
        clock_.advance(time);
        context_.restart();
        context_.poll();
    }

    template <class Done>
    void wait(Done done) {
        test::run_until(context_, done);
    }

    void close() {
        closed_ = true;
        bool ended = false;
        std::exception_ptr failure;
        asio::co_spawn(context_, journal_->close(), [&](std::exception_ptr how) {
            failure = how;
            ended = true;
        });
        wait([&] { return ended; });
        if (failure) std::rethrow_exception(failure);
    }

    std::map<std::string, cursor> cursors;
    batch::mark given;
    batch::mark released;
    std::size_t changes = 0; // that it was told of

private:
    test::manual_clock clock_;
    asio::io_context context_;
    asio::executor_work_guard<asio::io_context::executor_type> more_to_come_{context_.get_executor()};
    asio::strand<asio::io_context::executor_type> strand_{context_.get_executor()};
    std::unique_ptr<backlog> journal_;
    bool closed_ = false;
};

struct journal_fixture {
    session& open(const sinks& of = {{"first", sink_start::oldest}}) {
        now.reset();
        return now.emplace(place.options, files, of);
    }

    // As if the machine had gone down instead of ending.
    session& open_after_power_cut(const sinks& of = {{"first", sink_start::oldest}}) {
        auto after = disk->after_power_cut(0);
        now.reset();
        disk = std::move(after);
        disk_files.emplace(*disk);
        return now.emplace(place.options, *disk_files, of);
    }

    [[nodiscard]] strings names() const { return disk->list(place.options.directory); }

    [[nodiscard]] journal::cursors kept() {
        return journal::peek_cursors(*disk, place.options.directory).all;
    }

    // Those that a power cut at this moment leaves.
    [[nodiscard]] journal::cursors synced() {
        return journal::peek_cursors(*disk->after_power_cut(0), place.options.directory).all;
    }

    [[nodiscard]] std::pair<journal::inspection_result, std::string> verify() {
        std::ostringstream out;
        const auto result = journal::verify_journal({*disk, place.options.directory, out, out});
        return {result, out.str()};
    }

    // So many writes of cursors fail, beginning with the next one.
    void fail_cursor_writes(int count) {
        files.before_each([this, count](const faulty_files::call& call) {
            if (is_cursor_write(call) && cursor_writes++ < count) files.fail({{}, call.number, EIO});
        });
    }

    static bool is_cursor_write(const faulty_files::call& call) {
        return call.kind == operation::write && call.path.filename().string().starts_with("cursors");
    }

    static strings ids(position from, position end) {
        strings all;
        for (; from < end; ++from)
            all.push_back(std::to_string(from));
        return all;
    }

    test::journal_place place;
    std::unique_ptr<test::simulated_disk> disk = place.new_disk();
    faulty_files files{*disk};
    std::optional<faulty_files> disk_files;
    std::atomic<bool> broken{false};
    std::atomic<int> cursor_writes{0};
    std::optional<session> now;
};

} // namespace

TEST_CASE_METHOD(journal_fixture, "a journal begins at 1, is durable, and has room", "[journal]") {
    auto& journal = open();
    CHECK(journal->end() == 1);
    CHECK(journal->stored_end() == 1);
    CHECK(journal->durable());
    CHECK(journal->condition() == backlog_condition::good);
    CHECK(journal->room_at() == 1);
    CHECK(journal->max_batch_bytes() == place.options.max_bytes / 8);
    CHECK(journal->busy_for() == 0s);
    CHECK(journal.cursors["first"] == cursor{});
    CHECK(journal.read(1).empty());
}

TEST_CASE_METHOD(journal_fixture, "what is stored can be read", "[journal]") {
    auto& journal = open();
    REQUIRE(journal.store(3));
    CHECK(journal->end() == 4);
    CHECK(journal->stored_end() == 4);
    CHECK(journal.read(1) == ids(1, 4));
    CHECK(journal.read(3) == ids(3, 4));
}

TEST_CASE_METHOD(journal_fixture, "an empty batch is none", "[journal]") {
    auto& journal = open();
    journal->append({});
    REQUIRE(journal.store(1));
    CHECK(journal->end() == 2);
    CHECK(journal->journal()->commits == 1);
}

TEST_CASE_METHOD(journal_fixture, "positions and cursors go on in the next process", "[journal]") {
    {
        auto& journal = open();
        REQUIRE(journal.store(5));
        journal.move("first", 3);
        journal.close();
    }
    auto& journal = open();
    CHECK(journal->end() == 6);
    CHECK(journal->stored_end() == 6);
    CHECK(journal.cursors["first"] == cursor{1, 3, 0});
    CHECK(journal.read(3) == ids(3, 6));
    REQUIRE(journal.store(2));
    CHECK(journal.read(3) == ids(3, 8));
}

TEST_CASE_METHOD(journal_fixture, "damage that a sink has passed stays in its cursor", "[journal]") {
    {
        auto& journal = open();
        REQUIRE(journal.store(5));
        journal.cursors["first"].damaged = 2;
        journal.move("first", 4);
        journal.close();
    }
    CHECK(open().cursors["first"] == cursor{1, 4, 2});
}

TEST_CASE_METHOD(journal_fixture, "a new sink begins where it is told to", "[journal]") {
    REQUIRE(open().store(5));
    auto& journal =
        open({{"first", sink_start::oldest}, {"all", sink_start::oldest}, {"new", sink_start::newest}});
    CHECK(journal.cursors["all"] == cursor{1, 1, 0});
    CHECK(journal.cursors["new"] == cursor{6, 6, 0});
}

TEST_CASE_METHOD(journal_fixture, "a new sink's oldest event is the oldest that is kept", "[journal]") {
    {
        auto& journal = open();
        while (journal->journal()->segments < 3)
            REQUIRE(journal.store(1, 9000));
        journal.move("first", journal->stored_end());
        journal.wait_for_segments(1);
    }
    auto& journal = open({{"first", sink_start::oldest}, {"late", sink_start::oldest}});
    const auto oldest = *journal::first_position(names().front());
    CHECK(oldest > 1);
    CHECK(journal.cursors["late"] == cursor{oldest, oldest, 0});
    CHECK(journal.read(oldest) == ids(oldest, journal->end()));
}

TEST_CASE_METHOD(journal_fixture, "where a new sink began outlasts a power cut", "[journal]") {
    REQUIRE(open().store(5));
    open({{"first", sink_start::oldest}, {"new", sink_start::newest}});
    REQUIRE(now->store(2));
    auto& journal = open_after_power_cut({{"first", sink_start::oldest}, {"new", sink_start::newest}});
    CHECK(journal.cursors["new"] == cursor{6, 6, 0});
    CHECK(journal->end() == 8);
}

TEST_CASE_METHOD(journal_fixture, "a new sink misses nothing where the cursors are lost", "[journal]") {
    REQUIRE(open().store(5));
    now.reset();
    disk->remove(place.options.directory / "cursors");
    CHECK(open({{"first", sink_start::newest}}).cursors["first"] == cursor{1, 1, 0});
}

TEST_CASE_METHOD(journal_fixture, "a sink that is not configured any more keeps its events", "[journal]") {
    const sinks both{{"first", sink_start::oldest}, {"second", sink_start::oldest}};
    REQUIRE(open(both).store(1, 9000));
    {
        auto& journal = open();
        while (journal->journal()->segments < 4)
            REQUIRE(journal.store(1, 9000));
        journal.move("first", journal->stored_end());
        journal.pass(2s);
        CHECK(journal.released.events == journal.given.events);
        journal.close();
        CHECK(journal->journal()->segments >= 4);
    }
    auto& journal = open(both);
    CHECK(journal.cursors["second"] == cursor{1, 1, 0});
    CHECK(journal.cursors["first"].at == journal->end());
    CHECK(journal.read(1) == ids(1, journal->end()));
}

TEST_CASE_METHOD(journal_fixture, "a sink that is not configured any more keeps no memory", "[journal]") {
    REQUIRE(open({{"first", sink_start::oldest}, {"second", sink_start::oldest}}).store(1));
    auto& journal = open();
    REQUIRE(journal.store(4));
    journal.move("first", 6);
    const auto reads = files.count(operation::read);
    CHECK(journal.read(2) == ids(2, 6));
    CHECK(files.count(operation::read) > reads);
}

TEST_CASE_METHOD(journal_fixture, "a sink that keeps up is served from memory", "[journal]") {
    auto& journal = open();
    REQUIRE(journal.store(20, 1000));
    const auto reads = files.count(operation::read);
    CHECK(journal.read(1, {3, 1'000'000}) == ids(1, 21));
    CHECK(files.count(operation::read) == reads);
}

TEST_CASE_METHOD(journal_fixture, "what has left memory is read from the disk", "[journal]") {
    place.options.max_bytes = std::uint64_t{64} << 20U;
    place.options.segment_bytes = std::uint64_t{1} << 20U;
    auto& journal = open();
    for (int i = 0; i < 12; ++i)
        REQUIRE(journal.store(10, 100'000));
    const auto end = journal->end();
    const auto reads = files.count(operation::read);
    CHECK(journal.read(1, {7, 1'000'000}) == ids(1, end));
    CHECK(files.count(operation::read) > reads);
    const auto more = files.count(operation::read);
    CHECK(journal.read(end - 30) == ids(end - 30, end)); // the newest 8 MiB are still there
    CHECK(files.count(operation::read) == more);
}

TEST_CASE_METHOD(journal_fixture, "what a sink has passed leaves memory, and not the disk", "[journal]") {
    auto& journal = open({{"first", sink_start::oldest}, {"second", sink_start::oldest}});
    REQUIRE(journal.store(4));
    REQUIRE(journal.store(4));
    const auto reads = files.count(operation::read);
    journal.move("first", 9);
    CHECK(journal.read(1) == ids(1, 9));
    CHECK(files.count(operation::read) == reads); // the other one needs it
    journal.move("second", 5);
    CHECK(journal.read(1) == ids(1, 9));
    CHECK(files.count(operation::read) > reads);
}

TEST_CASE_METHOD(journal_fixture, "credit is given back when events are stored", "[journal]") {
    auto& journal = open();
    {
        const faulty_files::hang hang{files};
        journal.give(3);
        journal.give(4);
        journal.wait([&] { return files.hanging() == 1; });
        journal.pass(0s);
        CHECK(journal.released.events == 0);
    }
    journal.wait([&] { return journal->stored_end() == 8; });
    CHECK(journal.released.events == 7);
    CHECK(journal.released.bytes == journal.given.bytes);
    journal.move("first", 8);
    CHECK(journal.released.events == 7);
}

TEST_CASE_METHOD(journal_fixture, "credit is given back for what is dropped", "[journal]") {
    disk->limit(3 * place.options.segment_bytes);
    auto& journal = open();
    journal.store_until_full();
    journal.pass(0s);
    CHECK(journal->end() == journal->stored_end());
    CHECK(journal.released.events == journal.given.events);
    CHECK(journal.released.bytes == journal.given.bytes);
}

TEST_CASE_METHOD(journal_fixture, "a full journal that keeps events reads them from memory", "[journal]") {
    place.options.keep_unwritten = true;
    disk->limit(3 * place.options.segment_bytes);
    auto& journal = open();
    journal.store_until_full();
    journal.give(3);
    const auto end = journal->end();
    CHECK(end > journal->stored_end());
    CHECK(journal.read(journal->stored_end()) == ids(journal->stored_end(), end));
    CHECK(journal.read(1) == ids(1, end));
    CHECK(journal.released.events == journal->stored_end() - 1);

    // A sink that has taken them, too, does not make them forgotten.
    journal.move("first", end);
    journal.wait([&] { return journal->stored_end() == end; });
    CHECK(journal->condition() == backlog_condition::good);
    CHECK(journal.released.events == journal.given.events);
    CHECK(journal.released.bytes == journal.given.bytes);
}

TEST_CASE_METHOD(journal_fixture, "while all is well only what is stored is read", "[journal]") {
    auto& journal = open();
    REQUIRE(journal.store(2));
    {
        const faulty_files::hang hang{files};
        journal.give(3);
        journal.wait([&] { return files.hanging() == 1; });
        CHECK(journal.read(1) == ids(1, 3));
        CHECK(journal->end() == 6);
    }
}

TEST_CASE_METHOD(journal_fixture, "segments that every sink has passed are given up at once", "[journal]") {
    auto& journal = open({{"first", sink_start::oldest}, {"second", sink_start::oldest}});
    while (journal->journal()->segments < 4)
        REQUIRE(journal.store(1, 9000));
    const auto room = journal->room_at();
    CHECK(room > 1);
    CHECK(room < journal->stored_end());
    journal.move("first", journal->stored_end());
    journal.move("second", room - 1);
    journal.pass(0s);
    journal.pass(2s); // so that the cursors are written
    journal.wait([&] { return kept()["second"].at == room - 1; });
    CHECK(journal->journal()->segments == 4);
    journal.move("second", room);
    journal.wait_for_segments(3); // without time passing
    CHECK(kept()["second"].at == room);
    CHECK(journal->room_at() > room);
}

TEST_CASE_METHOD(
    journal_fixture, "segments are given up at once though cursors wait for their time", "[journal]"
) {
    auto& journal = open();
    while (journal->journal()->segments < 3)
        REQUIRE(journal.store(1, 9000));
    const auto room = journal->room_at();
    journal.move("first", room - 1);
    journal.pass(0s); // the cursor waits to be written, with others that may move
    journal.move("first", room);
    journal.wait_for_segments(2); // without time passing
    CHECK(kept()["first"].at == room);
}

TEST_CASE_METHOD(journal_fixture, "that segments were given up is told", "[journal]") {
    auto& journal = open();
    while (journal->journal()->segments < 3)
        REQUIRE(journal.store(1, 9000));
    const auto before = journal.changes;
    journal.move("first", journal->stored_end());
    journal.wait_for_segments(1);
    journal.wait([&] { return journal.changes > before; });
    CHECK(journal->condition() == backlog_condition::good);
}

TEST_CASE_METHOD(
    journal_fixture, "segments that a sink passed before they were stored are given up then", "[journal]"
) {
    auto& journal = open();
    REQUIRE(journal.store(1));
    {
        test::gate held{files, [](const faulty_files::call& call) {
                            return call.kind == operation::sync &&
                                   call.path.string().find(".segment") != std::string::npos;
                        }};
        for (int batches = 0; batches < 30; ++batches)
            journal.give(1, 9000);
        held.wait();
        journal.move("first", journal->end());
        journal.pass(0s);
        journal.pass(1s);
        journal.wait([&] { return kept()["first"].at == journal->end(); });
        CHECK(journal.read(1) == ids(1, 2)); // on the thread that wrote the cursors: it is done with them
    }
    journal.wait([&] { return journal->stored_end() == journal->end(); });
    journal.wait_for_segments(1); // though no cursor moves
}

TEST_CASE_METHOD(journal_fixture, "the files of segments that are given up are not kept open", "[journal]") {
    {
        auto& journal = open();
        while (journal->journal()->segments < 8)
            REQUIRE(journal.store(1, 9000));
    }
    auto& journal = open();
    CHECK(journal.read(1) == ids(1, journal->end())); // from the disk, through all of them
    journal.move("first", journal->stored_end());
    journal.wait_for_segments(1);
    journal.close();
    CHECK(disk->used() < journal->journal()->bytes + place.options.segment_bytes);
}

TEST_CASE_METHOD(journal_fixture, "cursors are written once a second", "[journal]") {
    auto& journal = open();
    REQUIRE(journal.store(9));
    journal.pass(0s);
    journal.move("first", 3);
    journal.pass(0s);
    journal.pass(999ms);
    CHECK(kept()["first"].at == 1);
    journal.move("first", 5);
    journal.pass(1ms);
    journal.wait([&] { return synced()["first"].at == 5; });
    CHECK(open_after_power_cut().cursors["first"].at == 5);
}

TEST_CASE_METHOD(
    journal_fixture, "cursors that could not be written are written though none moves", "[journal]"
) {
    auto& journal = open();
    REQUIRE(journal.store(9));
    fail_cursor_writes(1);
    journal.move("first", 5);
    journal.wait([&] {
        journal.pass(1s);
        return kept()["first"].at == 5;
    });
    CHECK(cursor_writes > 1);
}

TEST_CASE_METHOD(
    journal_fixture, "cursors that could not be written are not tried again at once", "[journal]"
) {
    auto& journal = open();
    while (journal->journal()->segments < 3)
        REQUIRE(journal.store(1, 9000));
    fail_cursor_writes(1000);
    journal.move("first", journal->stored_end());
    journal.wait([&] { return cursor_writes > 0; });
    CHECK(journal.read(1) == ids(1, journal->stored_end())); // on the thread that writes cursors, behind that
    const auto writes = cursor_writes.load();
    for (int reads = 0; reads < 10; ++reads)
        CHECK(journal.read(1) == ids(1, journal->stored_end()));
    CHECK(cursor_writes == writes);
    files.before_each({});
}

TEST_CASE_METHOD(
    journal_fixture, "segments are given up only once the cursors that allow it are on disk", "[journal]"
) {
    auto& journal = open();
    while (journal->journal()->segments < 3)
        REQUIRE(journal.store(1, 9000));
    files.before_each([&](const faulty_files::call& call) {
        if (call.kind != operation::write ||
            call.path.filename().string().find("cursors") == std::string::npos)
            return;
        ++cursor_writes;
        if (broken) files.fail({{}, call.number, EIO});
    });
    broken = true;
    journal.move("first", journal->stored_end());
    journal.wait([&] { return cursor_writes > 0; });
    for (int seconds = 0; seconds < 3; ++seconds) {
        const auto before = cursor_writes.load();
        journal.pass(1s);
        journal.wait([&] {
            journal.pass(100ms);
            return cursor_writes > before; // it is tried again
        });
        CHECK(journal->journal()->segments == 3);
    }
    CHECK(journal->condition() == backlog_condition::good);
    broken = false;
    journal.wait([&] {
        journal.pass(100ms);
        return journal->journal()->segments == 1;
    });
    CHECK(kept()["first"].at == journal->stored_end());
}

TEST_CASE_METHOD(
    journal_fixture, "a journal that was full finds room at its start, though no cursor moves", "[journal]"
) {
    place.options.max_bytes = 3 * place.options.segment_bytes;
    position end = 1;
    {
        auto& journal = open();
        journal.store_until_full();
        end = journal->stored_end();
        journal.close();
    }
    // It had got so far when it was killed, before anything was given up.
    journal::write_cursors(*disk, place.options.directory, {{"first", {1, end, 0}}});
    auto& journal = open();
    CHECK(journal.cursors["first"].at == end);
    CHECK(journal->end() == end);
    journal.wait_for_segments(1);
    journal.wait([&] { return journal.store(1, 9000); });
    CHECK(journal->condition() == backlog_condition::good);
    CHECK(journal.read(end) == ids(end, journal->end()));
}

TEST_CASE_METHOD(
    journal_fixture, "a full journal goes on as soon as a sink has passed a segment", "[journal]"
) {
    place.options.max_bytes = 3 * place.options.segment_bytes;
    auto& journal = open();
    for (int rounds = 0; rounds < 5; ++rounds) {
        journal.store_until_full();
        CHECK(journal->room_at() <= journal->stored_end());
        journal.move("first", journal->room_at());
        journal.wait_for(backlog_condition::good);
    }
    CHECK(journal->journal()->fulls == 5);
    CHECK(journal->journal()->bytes <= place.options.max_bytes);
}

TEST_CASE_METHOD(journal_fixture, "the largest batch fits once the one before it is delivered", "[journal]") {
    const bool many_small = GENERATE(false, true);
    place.options.max_bytes = 16 * place.options.segment_bytes;
    auto& journal = open();
    const auto most = journal->max_batch_bytes();
    const auto small = test::events_at(1000, 1, 0)->bytes();
    for (int rounds = 0; rounds < 6; ++rounds) {
        CAPTURE(rounds);
        REQUIRE((many_small ? journal.store(most / small, 0) : journal.store(1, most - small)));
        journal.move("first", journal->stored_end());
        journal.pass(2s);
    }
    CHECK(journal->journal()->bytes <= place.options.max_bytes);
}

TEST_CASE_METHOD(journal_fixture, "a journal that nothing was given to closes clean", "[journal]") {
    open().close();
    CHECK(names() == strings{"cursors", "last_run"});
    auto& journal = open();
    CHECK(journal->end() == 1);
    CHECK(journal.cursors["first"] == cursor{});
}

TEST_CASE_METHOD(journal_fixture, "a journal that was never started can be let go", "[journal]") {
    {
        const auto journal = make_journal_backlog(place.options, files);
        static_cast<void>(journal->open_cursor("first", sink_start::oldest, ""));
    }
    CHECK(names().empty());
    CHECK_NOTHROW(open());
}

TEST_CASE_METHOD(journal_fixture, "where a sink begins is on disk before the journal starts", "[journal]") {
    const auto journal = make_journal_backlog(place.options, files);
    static_cast<void>(journal->open_cursor("first", sink_start::oldest, ""));
    journal->keep_new_sinks();
    CHECK(names() == strings{"cursors", "last_run"});
}

TEST_CASE_METHOD(journal_fixture, "closing stores what was just given, and the cursors", "[journal]") {
    {
        auto& journal = open();
        journal.give(3);
        journal.give(4);
        journal.close();
        CHECK(journal->stored_end() == 8);
        CHECK(journal.released.events == 7);
    }
    now.reset();
    CHECK(verify().first == journal::inspection_result::good);
    CHECK(open().read(1) == ids(1, 8));
}

TEST_CASE_METHOD(journal_fixture, "a cursor that moves last is kept by closing", "[journal]") {
    {
        auto& journal = open();
        REQUIRE(journal.store(7));
        journal.move("first", 4);
        journal.pass(2s);
        journal.move("first", 6);
        journal.close();
    }
    CHECK(kept()["first"].at == 6);
}

TEST_CASE_METHOD(
    journal_fixture, "closing tries again to write cursors that it could not write", "[journal]"
) {
    auto& journal = open();
    REQUIRE(journal.store(7));
    fail_cursor_writes(1);
    journal.move("first", 4);
    journal.close();
    CHECK(kept()["first"].at == 4);
}

TEST_CASE_METHOD(journal_fixture, "closing gives up segments before it stores the rest", "[journal]") {
    place.options.keep_unwritten = true;
    place.options.max_bytes = 3 * place.options.segment_bytes;
    auto& journal = open();
    journal.store_until_full();
    const auto end = journal->end();
    REQUIRE(end > journal->stored_end());
    fail_cursor_writes(1);
    journal.move("first", journal->room_at()); // which would make room, and fails
    journal.wait([&] { return cursor_writes > 0; });
    CHECK(journal.read(1, {1, 1}).size() == end - 1); // behind that, on the thread that writes cursors
    CHECK(journal->stored_end() < end);
    journal.close(); // before it is tried again
    CHECK(journal->stored_end() == end);
}

TEST_CASE_METHOD(journal_fixture, "damage of the last commit can be told once there is a mark", "[journal]") {
    const bool closed = GENERATE(true, false);
    auto* journal = &open();
    REQUIRE(journal->store(3));
    REQUIRE(journal->store(3));
    auto left = disk->after_power_cut(0);
    if (closed) {
        journal->close();
        left = disk->after_power_cut(0);
    }
    now.reset();
    disk = std::move(left);
    {
        const auto open =
            disk->open(place.options.directory / journal::segment_name(1), journal::open_mode::write);
        journal::write_fully(
            *open, 8192 + 60, std::string(300, 'x')
        ); // from the second commit's first event on
    }
    const auto [result, text] = verify();
    CAPTURE(text);
    CHECK((result == journal::inspection_result::damaged) == closed);
    disk_files.emplace(*disk);
    journal = &now.emplace(place.options, *disk_files, sinks{{"first", sink_start::oldest}});
    CHECK((*journal)->end() == (closed ? 7 : 4));
    CHECK(((*journal)->journal()->torn_bytes == 0) == closed);
    const auto read = journal->read(1);
    CHECK((read.size() > 3) == closed);
    if (closed) CHECK(read[3].ends_with(" damaged"));
}

TEST_CASE_METHOD(journal_fixture, "damage is read as such, and counted", "[journal]") {
    {
        auto& journal = open();
        for (int i = 0; i < 4; ++i)
            REQUIRE(journal.store(1));
        journal.close();
    }
    const auto file = place.options.directory / journal::segment_name(1);
    journal::write_fully(*disk->open(file, journal::open_mode::write), 4096 + 4096 + 60, "broken");
    auto& journal = open();
    CHECK(journal->journal()->damaged_bytes == 0);
    CHECK(journal.read(1) == strings{"1", "1 damaged", "3", "4"});
    CHECK(journal->journal()->damaged_bytes > 0);
}

TEST_CASE_METHOD(journal_fixture, "it knows what the events in memory take", "[journal]") {
    auto& journal = open();
    REQUIRE(journal.store(3));
    journal.give(2);
    CHECK(journal->bytes_between(1, 6) == journal.given.bytes);
    CHECK(journal->bytes_between(2, 4) == test::events_at(2, 2)->bytes());
    CHECK(journal->bytes_between(6, 6) == 0);
}

TEST_CASE_METHOD(journal_fixture, "what events on disk take is estimated from their segments", "[journal]") {
    const auto are_about = [](std::uint64_t found, std::uint64_t bytes) {
        return found > bytes / 10 * 9 && found < bytes / 10 * 11;
    };
    place.options.segment_bytes = std::uint64_t{32} << 20U;
    place.options.max_bytes = std::uint64_t{256} << 20U;
    {
        auto& journal = open();
        for (int i = 0; i < 4; ++i)
            REQUIRE(journal.store(50, 60'000)); // more than is kept in memory, and a part of the segment
        CHECK(are_about(journal->bytes_between(1, 201), journal.given.bytes));
        CHECK(are_about(journal->bytes_between(11, 21), journal.given.bytes / 20));
    }
    auto& journal = open(); // nothing of it is in memory
    const auto before = test::events_at(1, 200, 60'000)->bytes();
    CHECK(are_about(journal->bytes_between(1, 201), before));
    REQUIRE(journal.store(100, 60'000));
    CHECK(are_about(journal->bytes_between(101, 301), before));
}

TEST_CASE_METHOD(journal_fixture, "it says how it is", "[journal]") {
    auto& journal = open();
    auto status = *journal->journal();
    CHECK(status.segments == 0);
    CHECK(status.bytes == 0);
    CHECK(status.max_bytes == place.options.max_bytes);
    REQUIRE(journal.store(1));
    REQUIRE(journal.store(1));
    status = *journal->journal();
    CHECK(status.segments == 1);
    CHECK(status.bytes >= place.options.segment_bytes);
    CHECK(status.commits == 2);
    CHECK(status.fulls == 0);
    CHECK(status.last_error.empty());
}

TEST_CASE_METHOD(journal_fixture, "a journal is one process's at a time", "[journal]") {
    open();
    CHECK_THROWS_AS(make_journal_backlog(place.options, files), std::runtime_error);
}

TEST_CASE_METHOD(journal_fixture, "the bookmark that a sink begins with outlasts a power cut", "[journal]") {
    open({{"first", {sink_start::oldest, "start"}}});
    CHECK(now->cursors["first"].bookmark == "start");
    auto& journal = open_after_power_cut({{"first", {sink_start::oldest, "another"}}});
    CHECK(journal.cursors["first"].bookmark == "start");
}

TEST_CASE_METHOD(journal_fixture, "a sink that had no bookmark may begin with one", "[journal]") {
    {
        auto& journal = open();
        REQUIRE(journal.store(3));
        journal.move("first", 3);
        journal.close();
    }
    auto& journal = open({{"first", {sink_start::oldest, "start"}}});
    CHECK(journal.cursors["first"].at == 3);
    CHECK(journal.cursors["first"].bookmark == "start");
}
