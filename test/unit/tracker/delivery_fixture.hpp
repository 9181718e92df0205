// A delivery between a backlog in memory and a sink that does what it is told.
#pragma once

#include "base/task_group.hpp"
#include "support/events.hpp"
#include "support/fake_dead_letters.hpp"
#include "support/fake_sink.hpp"
#include "support/manual_clock.hpp"
#include "support/run.hpp"
#include "tracker/delivery.hpp"

#include <functional>
#include <string>
#include <vector>

namespace trackd::test {

/// The sink gets three events a write, unless the test wants it otherwise.
struct delivery_fixture {
    explicit delivery_fixture(
        std::function<void(delivery_fixture&, sink_spec&)> change = {}, retry_options retry = {},
        const std::string& bookmark = {}
    )
        : change_{std::move(change)}, retry_{retry},
          place_{store->open_cursor("fake", sink_start::oldest, bookmark)} {
        store->start(strand, clock, {[] {}, [](batch::mark) {}});
        tasks.spawn("delivery", loop.run());
    }

    ~delivery_fixture() {
        script->release();
        loop.give_up();
        until([this] { return tasks.size() == 0; });
    }

    template <class Done>
    void until(Done done) {
        run_until(context, done);
    }

    void append(std::size_t count) {
        store->append(make_batch(count, store->end()));
        loop.wake();
    }

    /// Until the sink was asked so often, and is not to be asked again before some time has passed.
    void until_it_waits_after(std::size_t attempts) {
        until([this, attempts] { return clock.waiting() == 1 && script->attempts() == attempts; });
    }

    [[nodiscard]] std::vector<std::string> dead() const {
        std::vector<std::string> ids;
        for (const auto& letter : letters->all())
            ids.push_back(letter.id);
        return ids;
    }

    boost::asio::io_context context;
    manual_clock clock;
    wall_time wall{std::chrono::hours{1}};
    std::shared_ptr<fake_sink_script> script = std::make_shared<fake_sink_script>();
    std::shared_ptr<kept_letters> letters = std::make_shared<kept_letters>();
    std::unique_ptr<backlog> store = make_memory_backlog();
    tracker_strand strand = boost::asio::make_strand(boost::asio::any_io_executor{context.get_executor()});

private:
    sink_spec spec() {
        sink_spec made;
        made.name = "fake";
        made.kind = "fake";
        made.sink = std::make_unique<fake_sink>(script);
        made.batch = {3, 1'000'000};
        if (change_) change_(*this, made);
        return made;
    }

    std::function<void(delivery_fixture&, sink_spec&)> change_;
    retry_options retry_;
    cursor place_;

public:
    std::vector<cursor> moves; ///< all places that the delivery has told of
    delivery loop{
        strand,
        clock,
        [this] { return wall; },
        spec(),
        *store,
        place_,
        retry_,
        [this] { moves.push_back(loop.place()); }
    };
    base::task_group<boost::asio::any_io_executor> tasks{strand, base::log_failed_task};
};

} // namespace trackd::test
