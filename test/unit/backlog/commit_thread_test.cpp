#include "backlog/commit_thread.hpp"
#include "backlog/journal_reader.hpp"
#include "support/catch.hpp"
#include "unit/backlog/journal_parts.hpp"

#include <atomic>
#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <future>
#include <mutex>
#include <optional>
#include <sched.h>
#include <string>
#include <vector>

using namespace trackd;
using namespace std::chrono_literals;
using test::faulty_files;
using test::operation;

namespace {

using strings = std::vector<std::string>;

// The thread with all that it needs, on a disk that outlives it.
class working {
public:
    explicit working(test::journal_parts& in)
        : parts_{in}, thread_{std::move(parts_.writer), in.options, [this] {
                                  const std::lock_guard lock{mutex_};
                                  changed_.notify_all();
                              }} {}

    journal::commit_thread& operator*() { return thread_; }

    journal::commit_thread* operator->() { return &thread_; }

    // Each progress is told, so that what holds after one is seen.
    template <class Condition>
    void wait(Condition holds) {
        std::unique_lock lock{mutex_};
        const bool seen = changed_.wait_for(lock, 60s, [&] { return holds(thread_.progress()); });
        REQUIRE(seen);
    }

    void wait_for(position stored_end) {
        wait([&](const auto& now) { return now.stored_end == stored_end; });
    }

    void wait_for(backlog_condition condition) {
        wait([&](const auto& now) { return now.condition == condition; });
    }

private:
    std::mutex mutex_;
    std::condition_variable changed_;
    test::opened_parts parts_;
    journal::commit_thread thread_;
};

bool is_sync(const faulty_files::call& call) {
    return call.kind == operation::sync;
}

struct commit_fixture : test::journal_parts {
    // One event with this id.
    static std::shared_ptr<const batch> one(std::size_t id, std::size_t data_bytes = 100) {
        return test::events_at(id, 1, data_bytes);
    }

    // Stores one, so that there is a segment, of which nothing but commits is written from now on.
    void begin(working& thread) {
        thread->submit(one(1));
        thread.wait_for(2);
    }

    // The ids of all events that a later process would find.
    strings stored() {
        test::opened_parts later{*this};
        std::atomic<std::uint64_t> damaged = 0;
        journal::journal_reader reader{files, later.store, damaged};
        strings ids;
        for (position at = 1; at < later.found.goes_on.next;) {
            const auto found = reader.read(at, later.found.goes_on.next, {});
            REQUIRE(found.end() > at);
            REQUIRE(found.damaged == 0);
            for (const auto& event : found.events)
                ids.emplace_back(event.id);
            at = found.end();
        }
        return ids;
    }

    void no_room_left() { disk.limit(disk.used()); }

    void much_room() { disk.limit(options.max_bytes); }
};

} // namespace

TEST_CASE_METHOD(
    commit_fixture, "batches that gather during a commit share the next one", "[commit_thread]"
) {
    working thread{*this};
    begin(thread);
    CHECK(thread->progress().commits == 1);
    {
        test::gate held{files, is_sync};
        thread->submit(one(2));
        held.wait();
        for (std::size_t id = 3; id <= 6; ++id)
            thread->submit(one(id));
        CHECK(thread->progress().stored_end == 2);
        CHECK(thread->busy_for() > 0s);
        held.open();
        thread.wait_for(7);
    }
    CHECK(thread->progress().commits == 3);
    const auto events = thread->figures().events.read();
    CHECK(events.sum == 6);
    CHECK(events.buckets.at(0).count == 2); // of one event each
    CHECK(events.buckets.at(2).count == 1); // of four
    CHECK(thread->figures().microseconds.read().sum > 0);
    thread->close();
    CHECK(thread->busy_for() == 0s);
    CHECK(stored() == strings{"1", "2", "3", "4", "5", "6"});
}

TEST_CASE_METHOD(
    commit_fixture, "where processors are short, those who fill the next commit go first", "[commit_thread]"
) {
    test::opened_parts parts{*this};
    std::promise<int> policy; // of the thread, which is told of a commit on itself
    std::once_flag once;
    journal::commit_thread thread{std::move(parts.writer), options, [&] {
                                      std::call_once(once, [&] { policy.set_value(sched_getscheduler(0)); });
                                  }};
    thread.submit(one(1));
    CHECK(
        policy.get_future().get() ==
        (sched_getscheduler(0) == SCHED_OTHER ? SCHED_BATCH : sched_getscheduler(0))
    );
}

TEST_CASE_METHOD(commit_fixture, "a commit is never larger than a segment", "[commit_thread]") {
    options.max_bytes = 64 * options.segment_bytes;
    working thread{*this};
    begin(thread);
    {
        test::gate held{files, is_sync};
        thread->submit(one(2));
        held.wait();
        for (std::size_t id = 3; id <= 300; ++id) // far more than a segment
            thread->submit(one(id, 1000));
        held.open();
        thread.wait_for(301);
    }
    thread->close();
    for (const auto& name : names()) {
        CAPTURE(name);
        CHECK(size(path(name)) == options.segment_bytes);
    }
    CHECK(thread->progress().commits > 5);
    CHECK(thread->progress().commits < 60);
    CHECK(stored().size() == 300);
}

TEST_CASE_METHOD(
    commit_fixture, "a batch larger than a segment is a commit all the same", "[commit_thread]"
) {
    working thread{*this};
    thread->submit(one(1, 3 * options.segment_bytes));
    thread->submit(one(2));
    thread.wait_for(3);
    thread->close();
    CHECK(stored() == strings{"1", "2"});
}

TEST_CASE_METHOD(commit_fixture, "a full disk is told, and stores nothing", "[commit_thread]") {
    no_room_left();
    working thread{*this};
    thread->submit(one(1));
    thread.wait_for(backlog_condition::full);
    const auto now = thread->progress();
    CHECK(now.stored_end == 1);
    CHECK(now.commits == 0);
    CHECK(now.fulls == 1);
    CHECK(now.error.find("journal.min_free_bytes") != std::string::npos);
    thread->close();
    CHECK(stored().empty());
}

TEST_CASE_METHOD(commit_fixture, "it finds room when it is told that there is some", "[commit_thread]") {
    no_room_left();
    working thread{*this};
    thread->submit(one(1));
    thread.wait_for(backlog_condition::full);
    much_room();
    thread->look_for_room();
    thread.wait_for(backlog_condition::good);
    thread.wait_for(2); // what waited was kept
    CHECK_FALSE(thread->progress().error.empty());
    thread->close();
    CHECK(stored() == strings{"1"});
}

TEST_CASE_METHOD(commit_fixture, "it finds room by itself", "[commit_thread]") {
    no_room_left();
    working thread{*this};
    thread->submit(one(1));
    thread.wait_for(backlog_condition::full);
    much_room();
    thread.wait_for(backlog_condition::good);
    thread.wait_for(2);
}

TEST_CASE_METHOD(commit_fixture, "it stays full where it is told of room in vain", "[commit_thread]") {
    no_room_left();
    working thread{*this};
    thread->submit(one(1));
    thread.wait_for(backlog_condition::full);
    {
        std::atomic<int> looks = 0;
        files.before_each([&](const faulty_files::call& call) {
            if (call.kind == operation::free_bytes) ++looks;
        });
        thread->look_for_room();
        thread.wait([&](const auto&) { return looks > 0; });
        files.before_each({});
    }
    CHECK(thread->progress().condition == backlog_condition::full);
    CHECK(thread->progress().stored_end == 1);
    CHECK(thread->progress().fulls == 1);
}

TEST_CASE_METHOD(
    commit_fixture, "it stays full where there is room for less than what waits", "[commit_thread]"
) {
    working thread{*this};
    begin(thread); // in whose segment there is room for another small one
    no_room_left();
    thread->submit(one(2, options.segment_bytes));
    thread.wait_for(backlog_condition::full);
    thread->close(); // which looks once more
    CHECK(thread->progress().condition == backlog_condition::full);
    CHECK(thread->progress().fulls == 1);
}

TEST_CASE_METHOD(
    commit_fixture, "what is forgotten on a full disk is not stored when room comes", "[commit_thread]"
) {
    working thread{*this};
    begin(thread);
    no_room_left();
    thread->submit(one(2, options.segment_bytes));
    thread.wait_for(backlog_condition::full);
    thread->submit(one(3));
    much_room(); // before anybody is told
    const auto then = thread->progress_or_discard();
    if (then.condition == backlog_condition::full) {
        CHECK(then.stored_end == 2);
        thread->look_for_room();
        thread.wait_for(backlog_condition::good);
        thread->submit(one(4));
        thread.wait_for(3);
        thread->close();
        CHECK(stored() == strings{"1", "4"});
    }
}

TEST_CASE_METHOD(commit_fixture, "nothing is forgotten while all is well", "[commit_thread]") {
    working thread{*this};
    begin(thread);
    {
        test::gate held{files, is_sync};
        thread->submit(one(2));
        held.wait();
        thread->submit(one(3));
        CHECK(thread->progress_or_discard().stored_end == 2);
        held.open();
        thread.wait_for(4);
    }
    thread->close();
    CHECK(stored() == strings{"1", "2", "3"});
}

TEST_CASE_METHOD(
    commit_fixture, "what comes while a commit finds no room stays behind it", "[commit_thread]"
) {
    working thread{*this};
    begin(thread);
    no_room_left();
    {
        test::gate held{files, [](const faulty_files::call& call) {
                            return call.kind == operation::free_bytes;
                        }};
        thread->submit(one(2, options.segment_bytes));
        held.wait();
        thread->submit(one(3));
        thread->submit(one(4));
        held.open();
        thread.wait_for(backlog_condition::full);
    }
    much_room();
    thread->look_for_room();
    thread.wait_for(5);
    thread->close();
    CHECK(stored() == strings{"1", "2", "3", "4"});
}

TEST_CASE_METHOD(
    commit_fixture, "a write that finds no room leaves nothing of its commit behind", "[commit_thread]"
) {
    const bool short_write = GENERATE(false, true);
    working thread{*this};
    begin(thread);
    files.fail({operation::write, files.count(operation::write) + 1, ENOSPC, false, short_write});
    thread->submit(test::events_at(2, 20, 1000)); // several blocks
    thread.wait([](const auto& now) { return now.fulls == 1; });
    static_cast<void>(thread->progress_or_discard());
    thread->look_for_room();
    thread.wait_for(backlog_condition::good);
    const auto end = thread->progress().stored_end; // maybe it found room before it was told to forget
    CHECK((end == 2 || end == 22));
    thread->close();
    CHECK(stored().size() == end - 1);
    CHECK(size(segment(1)) == 8192);
}

TEST_CASE_METHOD(commit_fixture, "a failed sync is the end, and nothing is tried again", "[commit_thread]") {
    working thread{*this};
    begin(thread);
    disk.fail_next_sync(EIO);
    thread->submit(one(2));
    thread.wait_for(backlog_condition::failed);
    CHECK(thread->progress().error.find("Input/output error") != std::string::npos);
    CHECK(thread->progress().stored_end == 2);
    const auto operations = files.count();
    thread->submit(one(3));
    thread->look_for_room();
    CHECK(thread->progress_or_discard().condition == backlog_condition::failed);
    thread->close();
    CHECK(files.count() == operations);
    CHECK(thread->progress().stored_end == 2);
    CHECK(thread->progress().commits == 1);
    CHECK(thread->progress().fulls == 0);
}

TEST_CASE_METHOD(commit_fixture, "a sync that finds no room is the end, too", "[commit_thread]") {
    working thread{*this};
    begin(thread);
    disk.fail_next_sync(ENOSPC);
    thread->submit(one(2));
    thread.wait_for(backlog_condition::failed);
}

TEST_CASE_METHOD(commit_fixture, "a failed write is the end", "[commit_thread]") {
    working thread{*this};
    begin(thread);
    files.fail({operation::write, files.count(operation::write) + 1, EIO});
    thread->submit(one(2));
    thread.wait_for(backlog_condition::failed);
    CHECK(thread->progress().stored_end == 2);
}

TEST_CASE_METHOD(commit_fixture, "closing stores what waits, and writes a mark", "[commit_thread]") {
    working thread{*this};
    begin(thread);
    {
        test::gate held{files, is_sync};
        thread->submit(one(2));
        held.wait();
        for (std::size_t id = 3; id <= 40; ++id)
            thread->submit(one(id, 1000)); // for more than one commit
        held.open();
        thread->close();
    }
    CHECK(thread->progress().stored_end == 41);
    CHECK(stored().size() == 40);
    const auto last = records(1).back();
    CHECK(last.head.kind == journal::record_kind::mark);
    CHECK(last.head.position == 41);
    CHECK(last.head.begins_commit);
}

TEST_CASE_METHOD(commit_fixture, "closing writes nothing where nothing was written", "[commit_thread]") {
    working thread{*this};
    thread->close();
    CHECK(names().empty());
    CHECK(files.count(operation::write) == 0);
}

TEST_CASE_METHOD(commit_fixture, "after a quiet time there is a mark", "[commit_thread]") {
    std::atomic<int> marks = 0;
    working thread{*this};
    begin(thread);
    std::mutex mutex;
    std::condition_variable written;
    files.before_each([&](const faulty_files::call& call) {
        if (call.kind != operation::sync) return;
        const std::lock_guard lock{mutex};
        ++marks;
        written.notify_all();
    });
    {
        std::unique_lock lock{mutex};
        CHECK(written.wait_for(lock, 60s, [&] { return marks == 1; }));
    }
    files.before_each({});
    thread->close();
    CHECK(marks == 1); // no second one
    const auto all = records(1);
    REQUIRE(all.size() == 2);
    CHECK(all.back().head.kind == journal::record_kind::mark);
    CHECK(all.back().head.position == 2);
}

TEST_CASE_METHOD(commit_fixture, "closing ends where the disk is full", "[commit_thread]") {
    working thread{*this};
    begin(thread);
    no_room_left();
    thread->submit(one(2, options.segment_bytes));
    thread.wait_for(backlog_condition::full);
    thread->close();
    CHECK(thread->progress().condition == backlog_condition::full);
    CHECK(stored() == strings{"1"});
}

TEST_CASE_METHOD(commit_fixture, "closing looks once more for room", "[commit_thread]") {
    working thread{*this};
    begin(thread);
    no_room_left();
    thread->submit(one(2, options.segment_bytes));
    thread->submit(one(3));
    thread.wait_for(backlog_condition::full);
    much_room();
    thread->close();
    CHECK(thread->progress().condition == backlog_condition::good);
    CHECK(stored() == strings{"1", "2", "3"});
}

TEST_CASE_METHOD(commit_fixture, "what waits is not stored where nobody closes it", "[commit_thread]") {
    std::atomic<bool> ends = false;
    {
        working thread{*this};
        begin(thread);
        no_room_left();
        thread->submit(one(2, options.segment_bytes));
        thread.wait_for(backlog_condition::full);
        files.before_each([&](const faulty_files::call& call) {
            if (call.kind == operation::free_bytes && ends) much_room(); // for the look that ends it
        });
        ends = true;
    }
    files.before_each({});
    CHECK(stored() == strings{"1"});
}

TEST_CASE_METHOD(
    commit_fixture, "between two syncs of an interval what is written counts as stored", "[commit_thread]"
) {
    options.sync = journal_sync::interval;
    options.sync_interval = 1h;
    working thread{*this};
    begin(thread);
    {
        test::gate held{files, is_sync};
        thread->submit(one(2));
        thread.wait_for(3);
        held.open();
    }
    thread->close();
    const auto after = disk.after_power_cut(0);
    CHECK(stored() == strings{"1", "2"});
    CHECK(after->open(segment(1), journal::open_mode::read)->size() == options.segment_bytes);
}

TEST_CASE_METHOD(commit_fixture, "what is not synced yet is synced when it closes", "[commit_thread]") {
    options.sync = GENERATE(journal_sync::interval, journal_sync::never);
    options.sync_interval = 1h;
    {
        working thread{*this};
        begin(thread);
        thread->submit(one(2));
        thread.wait_for(3);
        thread->close();
    }
    const auto calls = files.calls();
    std::uint64_t last_write = 0;
    std::uint64_t last_sync = 0;
    for (const auto& call : calls) {
        if (call.kind == operation::write) last_write = call.number;
        if (call.kind == operation::sync) last_sync = call.number;
    }
    CHECK((last_sync > last_write) == (options.sync == journal_sync::interval));
}

TEST_CASE_METHOD(commit_fixture, "a mark is written only behind what is synced", "[commit_thread]") {
    options.sync = journal_sync::interval;
    options.sync_interval = 1h;
    {
        working thread{*this};
        begin(thread);
        thread->submit(one(2));
        thread.wait_for(3);
        thread->close();
    }
    std::string order;
    for (const auto& call : files.calls())
        if (call.kind == operation::write || call.kind == operation::sync)
            order += call.kind == operation::write ? 'w' : 's';
    CHECK(order.ends_with("wsws")); // the last commit, and the mark
}
