// Drives a journal as the tracker would, and knows what it has promised: for tests that break the disk under it.
#pragma once

#include "support/catch.hpp"
#include "support/events.hpp"
#include "support/manual_clock.hpp"
#include "support/run.hpp"
#include "support/simulated_disk.hpp"
#include "support/temporary_directory.hpp"

#include <trackd/journal.hpp>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/strand.hpp>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace trackd::test {

inline const std::vector<std::string> run_sinks{"first", "second"};

/// What the journal has been given and has promised, over several runs of it.
struct promises {
    std::map<position, std::uint64_t> given; ///< the number of the event last given to it for that position
    std::uint64_t last_given = 0;
    std::atomic<position> stored = 1; ///< it said that all below is stored; any thread may look
    std::atomic<position> moved = 1;  ///< no sink needs what is below; is raised before the journal is told

    /// @return what is wrong with an event that was read back; empty if nothing is
    [[nodiscard]] std::string objection(position at, const event_view& found) const;
};

/// The event with that number: another size and other bytes each, from some ten bytes to some kilobytes.
struct numbered_event {
    explicit numbered_event(std::uint64_t number) : id{"event-" + std::to_string(number)} {
        const std::size_t bytes = number % 7 == 0 ? 9000 + number : 20 + number * 37 % 700;
        while (text.size() < bytes)
            text += id + ' ';
    }

    [[nodiscard]] event_view view() const {
        auto event = make_event(id);
        event.data = text;
        event.kind = data_kind::text;
        return event;
    }

    std::string id;
    std::string text;
};

inline std::string promises::objection(position at, const event_view& found) const {
    const auto number = given.find(at);
    if (number == given.end()) return "position " + std::to_string(at) + ": nothing was given for it";
    const numbered_event expected{number->second};
    if (found.id == expected.id && found.data == expected.text) return {};
    return "position " + std::to_string(at) + ": holds " + std::string{found.id} + ", not " + expected.id;
}

/// A small journal on simulated disks, whose directory exists outside of them too, as the lock does not go through
/// the file system.
class journal_place {
public:
    journal_place() { std::filesystem::create_directory(options.directory); }

    [[nodiscard]] std::unique_ptr<simulated_disk> new_disk() const {
        return std::make_unique<simulated_disk>(root_.path());
    }

private:
    temporary_directory root_;

public:
    journal_options options = [this] {
        journal_options small;
        small.directory = root_ / "journal";
        small.segment_bytes = 64 * 1024;
        small.max_bytes = 64 * small.segment_bytes;
        small.min_free_bytes = 0;
        return small;
    }();
};

/// One run of a journal: open until it is closed, at the latest by the destructor.
class journal_run {
public:
    /// @throws what opening the journal throws
    journal_run(
        const journal_options& options, journal::file_system& files, promises& made,
        const std::vector<std::string>& sinks = run_sinks
    )
        : made_{made}, journal_{make_journal_backlog(options, files)} {
        for (const auto& sink : sinks)
            cursors_[sink] = journal_->open_cursor(sink, sink_start::oldest, "");
        journal_->keep_new_sinks();
        journal_->start(strand_, clock_, {[this] { changed(); }, [](batch::mark) {}});
    }

    ~journal_run() {
        try {
            if (!closed_) close();
        } catch (const std::exception& failure) {
            UNSCOPED_INFO("closing the journal failed: " << failure.what());
        }
    }

    journal_run(const journal_run&) = delete;
    journal_run& operator=(const journal_run&) = delete;

    [[nodiscard]] backlog& journal() { return *journal_; }

    [[nodiscard]] backlog_condition condition() const { return journal_->condition(); }

    [[nodiscard]] const cursor& cursor_of(const std::string& sink) const { return cursors_.at(sink); }

    /// Gives it one batch, and does not wait.
    void give(std::size_t events) {
        batch some;
        for (std::size_t i = 0; i < events; ++i) {
            made_.given[journal_->end() + i] = ++made_.last_given;
            some.append(numbered_event{made_.last_given}.view());
        }
        journal_->append(std::move(some));
    }

    /// Gives it one batch, and waits until it is stored.
    /// @return false if it cannot be, because the disk is full or has failed
    bool store(std::size_t events) {
        give(events);
        const auto end = journal_->end();
        const auto dropped = [&] { return condition() != backlog_condition::good || journal_->end() < end; };
        wait([&] { return journal_->stored_end() >= end || dropped(); });
        return journal_->stored_end() >= end;
    }

    void move(position to) {
        made_.moved = to;
        for (const auto& sink : run_sinks)
            move(sink, to);
    }

    void move(const std::string& sink, position to) {
        cursors_.at(sink).at = to;
        journal_->move_cursor(sink, cursors_.at(sink));
    }

    /// Lets time pass, so that cursors are written.
    void pass(clock::duration time) {
        clock_.advance(time);
        context_.restart();
        context_.poll();
    }

    template <class Done>
    void wait(Done done) {
        run_until(context_, done);
    }

    /// @throws what `forget_cursor` throws
    std::uint64_t forget(const std::string& sink) { return run(context_, journal_->forget_cursor(sink)); }

    /// Reads all from the oldest cursor to the end of what is stored.
    /// @return what is wrong, or missing below `below`; empty if nothing is
    std::string read_all(position below) {
        auto at = journal_->end();
        for (const auto& [sink, place] : cursors_)
            at = std::min(at, place.at);
        while (at < journal_->stored_end()) {
            const auto read = run(context_, journal_->read(at, {50, 100'000}));
            if (read.first != at || read.end() == at) return "nothing is read at " + std::to_string(at);
            if (read.damaged > 0 && at < below) return "damage at " + std::to_string(at);
            for (std::size_t i = 0; i < read.events.size(); ++i)
                if (auto wrong = made_.objection(at + i, read.events[i]); !wrong.empty()) return wrong;
            at = read.end();
        }
        return at < below ? "only positions below " + std::to_string(at) + " are there" : "";
    }

    void close() {
        closed_ = true;
        boost::asio::co_spawn(context_, journal_->close(), [this](std::exception_ptr failure) {
            failure_ = failure;
            ended_ = true;
        });
        wait([this] { return ended_; });
        if (failure_) std::rethrow_exception(failure_);
    }

private:
    void changed() { made_.stored = std::max(made_.stored.load(), journal_->stored_end()); }

    promises& made_;
    manual_clock clock_;
    boost::asio::io_context context_;
    boost::asio::executor_work_guard<boost::asio::io_context::executor_type> more_to_come_{
        context_.get_executor()
    };
    boost::asio::strand<boost::asio::io_context::executor_type> strand_{context_.get_executor()};
    std::map<std::string, cursor> cursors_;
    std::unique_ptr<backlog> journal_;
    bool closed_ = false;
    bool ended_ = false;
    std::exception_ptr failure_;
};

/// Opens the journal on a disk that was broken before, reads it, and closes it again.
/// @param stored what it had said to be stored
/// @param moved  what no sink needed any more
/// @return what was lost or is wrong; empty if nothing is
inline std::string losses(
    const journal_options& options, journal::file_system& files, promises& made, position stored,
    position moved
) {
    try {
        journal_run again{options, files, made};
        if (again.journal().end() < stored)
            return "it goes on at " + std::to_string(again.journal().end()) + ", where " +
                   std::to_string(stored) + " had been reached";
        for (const auto& sink : run_sinks)
            if (again.cursor_of(sink).at > moved)
                return "sink " + sink + " goes on at " + std::to_string(again.cursor_of(sink).at) +
                       ", where it had only got to " + std::to_string(moved);
        auto wrong = again.read_all(stored);
        again.close();
        return wrong;
    } catch (const std::exception& failure) {
        return std::string{"it does not open: "} + failure.what();
    }
}

} // namespace trackd::test
