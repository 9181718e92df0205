// What a full journal does: each bound x a sink that blocks or is skipped x events pending or not x bounds that a restart
// has made smaller. The table in docs/reliability.md shows the same.
#include "support/catch.hpp"
#include "support/fake_sink.hpp"
#include "support/faulty_files.hpp"
#include "support/manual_clock.hpp"
#include "support/run.hpp"
#include "support/simulated_disk.hpp"
#include "unit/backlog/journal_run.hpp"

#include <trackd/tracker.hpp>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <set>
#include <string>
#include <vector>

using namespace trackd;
using namespace std::chrono_literals;
namespace asio = boost::asio;
using boost::system::error_code;
using test::faulty_files;
using test::operation;

namespace {

enum class bound { max_bytes, min_free_bytes, disk, inodes, quota };

constexpr std::uint64_t kib = 1024;
constexpr std::uint64_t segment = 64 * kib;

// A disk that has room for so many segments more, by one of the bounds.
class bounded_place {
public:
    bounded_place() { place_.options.segment_bytes = segment; }

    void apply(bound what, std::uint64_t segments) {
        auto& options = place_.options;
        const auto used = disk_->used();
        const auto last_run = list().empty() ? 4 * kib : 0; // is still to be made
        const auto room = segments * segment + segment / 2 + last_run;
        switch (what) {
        case bound::max_bytes: options.max_bytes = std::max<std::uint64_t>(segments, 2) * segment; break;
        case bound::min_free_bytes:
            options.min_free_bytes = segment;
            disk_->limit(used + room + segment);
            break;
        case bound::disk: disk_->limit(used + room); break;
        case bound::inodes: limit_files(names() + segments); break;
        case bound::quota: limit_reserved(used + room); break;
        }
    }

    journal_options& options() { return place_.options; }

    faulty_files& files() { return files_; }

private:
    [[nodiscard]] std::size_t names() const { return list().size(); }

    [[nodiscard]] std::vector<std::string> list() const {
        try {
            return disk_->list(place_.options.directory);
        } catch (const std::system_error&) {
            return {}; // the directory is not made yet
        }
    }

    void limit_files(std::size_t most) {
        files_.before_each([this, most = std::max<std::size_t>(most, 3)](const faulty_files::call& call) {
            if (call.kind != operation::open) return;
            const auto all = list();
            const bool exists = std::ranges::find(all, call.path.filename().string()) != all.end();
            if (!exists && all.size() >= most) files_.fail({{}, call.number, ENOSPC});
        });
    }

    void limit_reserved(std::uint64_t most) {
        files_.before_each([this, most](const faulty_files::call& call) {
            if (call.kind == operation::reserve && disk_->used() + segment > most)
                files_.fail({{}, call.number, EDQUOT});
        });
    }

    test::journal_place place_;
    std::unique_ptr<test::simulated_disk> disk_ = place_.new_disk();
    faulty_files files_{*disk_};
};

// A process with a sink that works, and one that is optional. Events are as large as an eighth of a segment.
class process {
public:
    process(bounded_place& place, when_full policy, std::uint64_t& last) : last_{last} {
        std::vector<sink_spec> specs;
        specs.push_back(spec("good", good));
        specs.push_back(spec("optional", optional));
        specs.back().required = false;
        specs.back().when_full = policy;
        tracker_options options;
        options.ack = ack_mode::journaled;
        auto store = make_journal_backlog(place.options(), place.files());
        tracker_.emplace(context_.get_executor(), options, std::move(store), std::move(specs), time_);
        tracker_->start();
    }

    ~process() { test::run(context_, tracker_->drain(time_.now())); }

    process(const process&) = delete;
    process& operator=(const process&) = delete;

    error_code post() {
        batch events;
        const auto id = std::to_string(++last_);
        const std::string data(8000, 'x');
        auto event = test::make_event(id);
        event.data = data;
        event.kind = data_kind::text;
        events.append(event);
        const auto refused = test::run(context_, tracker_->track(std::move(events)));
        if (!refused) stored.insert(id);
        return refused;
    }

    // Within some seconds, as a client that tries again.
    bool post_in_time() {
        for (int tries = 0; tries < 3000; ++tries) {
            const auto refused = post();
            if (!refused) return true;
            REQUIRE(refused == errc::journal_full);
            pass(100ms);
        }
        return false;
    }

    bool post_all_in_time(int count) {
        for (int i = 0; i < count; ++i)
            if (!post_in_time()) return false;
        return true;
    }

    // Until nothing is taken any more, however long a client tries.
    bool fills_up() {
        int refused = 0;
        for (int tries = 0; tries < 1000 && refused < 5; ++tries) {
            refused = post() ? refused + 1 : 0;
            if (refused > 0) pass(2s);
        }
        return refused == 5;
    }

    void until_delivered(const std::string& sink) {
        test::run_until(context_, [&] { return books(sink).pending == 0; });
    }

    sink_status books(const std::string& sink) {
        for (const auto& one : test::run(context_, tracker_->status()).sinks)
            if (one.name == sink) return one;
        throw std::logic_error{"no such sink"};
    }

    [[nodiscard]] std::set<std::string> delivered(const test::fake_sink_script& script) const {
        const auto ids = script.ids();
        return {ids.begin(), ids.end()};
    }

    std::shared_ptr<test::fake_sink_script> good = std::make_shared<test::fake_sink_script>();
    std::shared_ptr<test::fake_sink_script> optional = std::make_shared<test::fake_sink_script>();
    std::set<std::string> stored; // the ids that were acknowledged

private:
    static sink_spec spec(const std::string& name, const std::shared_ptr<test::fake_sink_script>& script) {
        sink_spec made;
        made.name = name;
        made.kind = "fake";
        made.sink = std::make_unique<test::fake_sink>(script);
        return made;
    }

    void pass(clock::duration time) {
        time_.advance(time);
        context_.restart();
        context_.run_for(1ms);
    }

    std::uint64_t& last_;
    asio::io_context context_;
    test::manual_clock time_;
    std::optional<tracker> tracker_;
};

struct matrix {
    bounded_place place;
    std::uint64_t last = 0; // event
};

bound any_bound() {
    return GENERATE(bound::max_bytes, bound::min_free_bytes, bound::disk, bound::inodes, bound::quota);
}

when_full any_policy() {
    return GENERATE(when_full::block, when_full::skip);
}

// An earlier process with larger bounds, whose one segment is larger than the later bounds allow for.
void run_with_larger_bounds(matrix& in, when_full policy, bool pending) {
    in.place.options().segment_bytes = 4 * segment;
    {
        process before{in.place, policy, in.last};
        if (pending) before.optional->hold();
        REQUIRE(before.post_all_in_time(20));
        before.until_delivered("good");
        if (!pending) before.until_delivered("optional");
    }
    in.place.options().segment_bytes = segment;
}

} // namespace

TEST_CASE_METHOD(matrix, "with nothing pending, a full journal goes on", "[full]") {
    const auto what = any_bound();
    const auto policy = any_policy();
    const auto segments = GENERATE(std::uint64_t{1}, std::uint64_t{4});
    CAPTURE(static_cast<int>(what), static_cast<int>(policy), segments);
    place.apply(what, segments);
    process running{place, policy, last};
    CHECK(running.post_all_in_time(50));
    running.until_delivered("good");
    running.until_delivered("optional");
    CHECK(running.delivered(*running.good) == running.stored);
}

TEST_CASE_METHOD(matrix, "a sink that blocks keeps a full journal full until it works", "[full]") {
    const auto what = any_bound();
    const auto segments = GENERATE(std::uint64_t{1}, std::uint64_t{4});
    CAPTURE(static_cast<int>(what), segments);
    place.apply(what, segments);
    process running{place, when_full::block, last};
    running.optional->hold();
    CHECK(running.fills_up());
    running.until_delivered("good");
    CHECK(running.post() == errc::journal_full);
    CHECK(running.books("optional").skipped == 0);
    running.optional->release();
    CHECK(running.post_all_in_time(20));
    running.until_delivered("optional");
    CHECK(running.delivered(*running.optional) == running.stored);
}

TEST_CASE_METHOD(matrix, "a sink that may be skipped keeps no journal full", "[full]") {
    const auto what = any_bound();
    const auto segments = GENERATE(std::uint64_t{1}, std::uint64_t{4});
    CAPTURE(static_cast<int>(what), segments);
    place.apply(what, segments);
    process running{place, when_full::skip, last};
    running.optional->hold();
    CHECK(running.post_all_in_time(60));
    running.until_delivered("good");
    CHECK(running.delivered(*running.good) == running.stored);
    CHECK(running.books("optional").skipped > 0);
    running.optional->release();
    running.until_delivered("optional");
    const auto books = running.books("optional");
    CHECK(books.accepted == books.delivered + books.skipped);
}

TEST_CASE_METHOD(
    matrix, "with nothing pending, bounds that a restart has made smaller do not stop it", "[full]"
) {
    const auto what = any_bound();
    const auto policy = any_policy();
    CAPTURE(static_cast<int>(what), static_cast<int>(policy));
    run_with_larger_bounds(*this, policy, false);
    place.apply(what, 0);
    process running{place, policy, last};
    CHECK(running.post_all_in_time(20));
    running.until_delivered("good");
    CHECK(running.delivered(*running.good) == running.stored);
}

TEST_CASE_METHOD(
    matrix, "a sink that blocks keeps a journal full whose bounds became smaller, until it works", "[full]"
) {
    const auto what = any_bound();
    CAPTURE(static_cast<int>(what));
    run_with_larger_bounds(*this, when_full::block, true);
    place.apply(what, 0);
    process running{place, when_full::block, last};
    running.optional->hold();
    CHECK(running.fills_up());
    CHECK(running.stored.size() < 10); // the restart has cut the reserved rest of the larger segment off
    running.optional->release();
    CHECK(running.post_all_in_time(20));
    running.until_delivered("optional");
    CHECK(running.books("optional").skipped == 0);
    CHECK(running.books("optional").delivered == 20 + running.stored.size());
}

TEST_CASE_METHOD(
    matrix, "a sink that may be skipped keeps no journal full whose bounds became smaller", "[full]"
) {
    const auto what = any_bound();
    CAPTURE(static_cast<int>(what));
    run_with_larger_bounds(*this, when_full::skip, true);
    place.apply(what, 0);
    process running{place, when_full::skip, last};
    running.optional->hold();
    CHECK(running.post_all_in_time(20));
    CHECK(running.books("optional").skipped > 0);
    running.until_delivered("good");
    CHECK(running.delivered(*running.good) == running.stored);
}
