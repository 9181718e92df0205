// What a journal does when the disk fails it, at every single operation.
#include "support/catch.hpp"
#include "support/faulty_files.hpp"
#include "support/simulated_disk.hpp"
#include "unit/backlog/journal_run.hpp"

#include <cerrno>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <thread>

using namespace trackd;
using test::faulty_files;
using test::operation;

namespace {

constexpr int batches_a_run = 18;

// The disk fails once, at the n-th operation.
struct trouble {
    std::uint64_t number = 0;
    int error = 0;
    bool short_write = false;
};

class broken_run {
public:
    /// @param small_disk it has no room for a second segment: the newest one is given up again and again
    explicit broken_run(const trouble& what, bool small_disk = false) : what_{what} {
        const auto segment = place_.options.segment_bytes;
        // Beside the segment the disk has room for the cursors, and for their new file after a sync that failed.
        if (small_disk) disk_->limit(2 * segment + segment / 4);
        files_.before_each([this](const faulty_files::call& call) {
            if (call.number == what_.number) fail(call);
        });
    }

    // Fills several segments, and gives some up; opens the journal a second time. Ends early when the disk has failed.
    void run() {
        while (runs_++ < 2 && !failed_) {
            const auto opened = open();
            if (opened) use(*opened);
        }
    }

    [[nodiscard]] std::uint64_t operations() const { return files_.count(); }

    [[nodiscard]] bool failed() const { return failed_; }

    /// How often it was full until room was made.
    [[nodiscard]] int fulls() const { return fulls_; }

    [[nodiscard]] std::optional<faulty_files::call> hit() const {
        for (const auto& call : files_.calls())
            if (call.number == what_.number) return call;
        return {};
    }

    // A file whose sync has failed, and that was synced again.
    [[nodiscard]] std::optional<faulty_files::call> synced_in_vain() const {
        std::set<std::uint64_t> failed;
        for (const auto& call : files_.calls()) {
            if (call.kind != operation::sync) continue;
            if (failed.contains(call.file)) return call;
            if (call.error != 0) failed.insert(call.file);
        }
        return {};
    }

    // As it is, and as it is when the machine goes down now.
    [[nodiscard]] std::string losses() {
        const auto stored = made_.stored.load();
        const auto moved = made_.moved.load();
        const auto after = disk_->after_power_cut(0);
        auto lost = test::losses(place_.options, *disk_, made_, stored, moved);
        if (lost.empty()) lost = test::losses(place_.options, *after, made_, stored, moved);
        return lost;
    }

private:
    void fail(const faulty_files::call& call) {
        if (call.kind == operation::sync && !what_.short_write)
            // This one: segments and cursors are synced by threads of their own.
            disk_->fail_next_sync(what_.error, std::this_thread::get_id());
        else
            files_.fail({{}, call.number, what_.error, false, what_.short_write});
    }

    std::unique_ptr<test::journal_run> open() {
        try {
            return std::make_unique<test::journal_run>(place_.options, files_, made_);
        } catch (const std::system_error& failure) {
            // The daemon ends. It would be started again, but only where the disk is sound may it be the same files.
            failed_ = what_.error == EIO;
        }
        return failed_ ? nullptr : std::make_unique<test::journal_run>(place_.options, files_, made_);
    }

    void use(test::journal_run& journal) {
        for (int i = 0; i < batches_a_run; ++i) {
            const auto events = 1 + static_cast<std::size_t>(i) % 4;
            if (!journal.store(events) && !(makes_room(journal) && journal.store(events))) break;
            if (i % 6 != 5) continue;
            journal.move(std::max(std::max(made_.stored.load(), position{5}) - 4, made_.moved.load()));
            journal.pass(std::chrono::seconds{2});
        }
        journal.close();
        failed_ = journal.condition() == backlog_condition::failed;
    }

    // Where it is full only because the newest segment is full.
    bool makes_room(test::journal_run& journal) {
        if (journal.condition() != backlog_condition::full) return false;
        ++fulls_;
        journal.move(made_.stored);
        journal.wait([&] { // cursors that could not be written are tried again
            journal.pass(std::chrono::seconds{2});
            return journal.condition() != backlog_condition::full;
        });
        return journal.condition() == backlog_condition::good;
    }

    trouble what_;
    test::journal_place place_;
    std::unique_ptr<test::simulated_disk> disk_ = place_.new_disk();
    faulty_files files_{*disk_};
    test::promises made_;
    int runs_ = 0;
    int fulls_ = 0;
    bool failed_ = false;
};

// Which is opened under the name that it has before its header is on disk.
bool is_of_first_segment(const faulty_files::call& call) {
    return call.path.filename() == "00000000000000000001.segment.new";
}

// Has each operation of a run fail, and looks at what has become of it.
void at_each_operation(trouble what, const std::function<void(broken_run&)>& look, bool small_disk = false) {
    for (what.number = 1;; ++what.number) {
        CAPTURE(what.number, what.error);
        broken_run run{what, small_disk};
        REQUIRE_NOTHROW(run.run());
        const auto hit = run.hit();
        if (!hit) return; // the run was over
        CAPTURE(name(hit->kind), hit->path.string());
        CHECK(run.losses() == "");
        look(run);
    }
}

// Of a file that has been a segment, or will be; not of one that is only being prepared.
bool is_of_segment(const faulty_files::call& call) {
    return call.path.extension() == ".segment" || is_of_first_segment(call);
}

} // namespace

TEST_CASE("a run without faults loses nothing and uses several segments", "[journal][faults]") {
    broken_run run{{}};
    run.run();
    CHECK(run.losses() == "");
    CHECK_FALSE(run.failed());
    CHECK(run.operations() > 100);
}

TEST_CASE("no operation that meets a full disk loses what was stored", "[journal][faults]") {
    const auto error = GENERATE(ENOSPC, EDQUOT);
    at_each_operation({0, error}, [](const broken_run& run) {
        const auto kind = run.hit()->kind;
        if (kind == operation::write || kind == operation::reserve) CHECK_FALSE(run.failed());
    });
}

TEST_CASE("no write that is cut short by a full disk loses what was stored", "[journal][faults]") {
    at_each_operation({0, ENOSPC, true}, [](const broken_run& run) { CHECK_FALSE(run.failed()); });
}

TEST_CASE("a journal on a disk for one segment gives the newest one up, and goes on", "[journal][faults]") {
    broken_run run{{}, true};
    run.run();
    CHECK(run.fulls() >= 2);
    CHECK_FALSE(run.failed());
    CHECK(run.losses() == "");
}

TEST_CASE("no failure while the newest segment is given up loses what was stored", "[journal][faults]") {
    const auto error = GENERATE(ENOSPC, EIO);
    at_each_operation({0, error}, [](const broken_run&) {}, true);
}

TEST_CASE(
    "no operation that fails loses what was stored, and no failed sync is tried again", "[journal][faults]"
) {
    at_each_operation({0, EIO}, [](const broken_run& run) {
        const auto hit = *run.hit();
        if ((hit.kind == operation::write || hit.kind == operation::sync) && is_of_segment(hit))
            CHECK(run.failed());
        const auto in_vain = run.synced_in_vain();
        CAPTURE(in_vain ? in_vain->path.string() : "");
        CHECK_FALSE(in_vain);
    });
}

namespace {

struct fixture {
    test::journal_place place;
    std::unique_ptr<test::simulated_disk> disk = place.new_disk();
    faulty_files files{*disk};
    test::promises made;
    std::unique_ptr<test::journal_run> journal;

    void open() { journal = std::make_unique<test::journal_run>(place.options, files, made); }

    // Until nothing more is stored.
    void fill() {
        while (journal->store(3))
            continue;
        CHECK(journal->condition() == backlog_condition::full);
    }

    void wait_for_room() {
        journal->wait([&] { return journal->condition() == backlog_condition::good; });
    }

    // When the journal is closed, and then the machine goes down.
    [[nodiscard]] std::string losses() {
        journal.reset();
        return test::losses(place.options, *disk->after_power_cut(0), made, made.stored, made.moved);
    }
};

} // namespace

TEST_CASE_METHOD(fixture, "nothing is stored before its sync has returned", "[journal][faults]") {
    open();
    REQUIRE(journal->store(2));
    CHECK(made.stored == 3);
    {
        const faulty_files::hang hang{files};
        journal->give(2);
        journal->wait([&] { return files.hanging() == 1; });
        journal->pass(std::chrono::seconds{0});
        CHECK(made.stored == 3);
        CHECK(journal->journal().stored_end() == 3);
        CHECK(journal->journal().busy_for().count() > 0);
    }
    journal->wait([&] { return made.stored == 5; });
    CHECK(losses() == "");
}

TEST_CASE_METHOD(fixture, "a journal whose sync failed takes nothing any more", "[journal][faults]") {
    open();
    REQUIRE(journal->store(2));
    disk->fail_next_sync(EIO);
    CHECK_FALSE(journal->store(2));
    CHECK(journal->condition() == backlog_condition::failed);
    CHECK_FALSE(journal->store(2));
    CHECK(journal->journal().stored_end() == 3);
    const auto status = journal->journal().journal();
    REQUIRE(status);
    CHECK(status->last_error.find("fdatasync: Input/output error") != std::string::npos);
    CHECK(made.stored == 3);
    CHECK(losses() == "");
}

TEST_CASE_METHOD(fixture, "a full disk stops the journal until segments are given up", "[journal][faults]") {
    disk->limit(4 * place.options.segment_bytes);
    open();
    fill();
    CHECK(journal->journal().end() == made.stored); // the rest was dropped, and is answered so
    journal->move(made.stored);
    wait_for_room();
    CHECK(journal->store(3));
    CHECK(losses() == "");
}

TEST_CASE_METHOD(fixture, "a full disk stops the journal until others make room", "[journal][faults]") {
    disk->limit(3 * place.options.segment_bytes);
    open();
    fill();
    disk->limit(20 * place.options.segment_bytes);
    wait_for_room();
    CHECK(journal->store(3));
    CHECK(losses() == "");
}

TEST_CASE_METHOD(
    fixture, "what somebody was told is safe outlasts a full disk in memory", "[journal][faults]"
) {
    place.options.keep_unwritten = true;
    disk->limit(3 * place.options.segment_bytes);
    open();
    fill();
    const auto end = journal->journal().end();
    CHECK(end > made.stored);
    disk->limit(20 * place.options.segment_bytes);
    journal->wait([&] { return made.stored == end; });
    CHECK(journal->condition() == backlog_condition::good);
    CHECK(losses() == "");
}

TEST_CASE_METHOD(fixture, "a write that finds no room is made good elsewhere", "[journal][faults]") {
    const bool short_write = GENERATE(false, true);
    open();
    REQUIRE(journal->store(2));
    files.before_each([&](const faulty_files::call& call) {
        if (call.kind != operation::write || !is_of_first_segment(call)) return;
        files.before_each({});
        files.fail({{}, call.number, ENOSPC, false, short_write});
    });
    CHECK_FALSE(journal->store(2));
    CHECK(journal->condition() == backlog_condition::full);
    wait_for_room();
    CHECK(journal->store(2));
    CHECK(losses() == "");
}

TEST_CASE_METHOD(fixture, "what was dropped for want of room does not come back", "[journal][faults]") {
    open();
    REQUIRE(journal->store(2));
    disk->limit(disk->used()); // for no other segment
    files.before_each([&](const faulty_files::call& call) {
        if (call.kind != operation::write || !is_of_first_segment(call)) return;
        files.before_each({});
        files.fail({{}, call.number, ENOSPC, false, true}); // whole records of the commit are written
    });
    CHECK_FALSE(journal->store(20));
    CHECK(journal->condition() == backlog_condition::full);
    journal.reset();
    open();
    CHECK(journal->journal().end() == 3);
    CHECK(losses() == "");
}
