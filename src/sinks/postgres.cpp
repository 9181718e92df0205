#include "sinks/postgres.hpp"

#include "sinks/destination_check.hpp"
#include "sinks/postgres_session.hpp"

#include <algorithm>
#include <optional>
#include <stdexcept>
#include <string_view>
#include <utility>
#include <vector>

namespace trackd::sinks {

namespace {

constexpr std::size_t few = 10;         // fewer rows are not worth the second round trip of COPY
constexpr int writes_without_copy = 16; // where there was one duplicate there are more
constexpr int failures_a_session = 16;
constexpr std::size_t all_events = std::size_t{1} << 30U;
constexpr std::size_t bytes_a_write = std::size_t{64} << 20U; // the server takes less than 1 GiB at once
constexpr std::size_t longest_event = std::size_t{256} << 20U;

std::size_t size_of(const event_view& event) {
    return event.id.size() + event.source.size() + event.type.size() + event.subject.size() +
           event.datacontenttype.size() + event.extensions.size() + event.data.size();
}

/// As many of the events as are written together; none, if the first one is too large.
std::span<const event_view> portion(std::span<const event_view> events) {
    if (size_of(events.front()) > longest_event) return {};
    std::size_t count = 1;
    for (auto bytes = size_of(events.front()); count < events.size(); ++count) {
        bytes += size_of(events[count]);
        if (bytes > bytes_a_write) break;
    }
    return events.first(count);
}

constexpr auto changed_again = ": it changes during each write";
constexpr auto skipped_by_trigger = ": a trigger has skipped the row without an error";

class postgres_sink final : public sink {
public:
    postgres_sink(postgres_options options, spdlog::logger& log) : options_{std::move(options)}, log_{log} {}

    void check() override { open(); } // which reads the options only

    void open() override {
        check_postgres_connection(options_.connection);
        sql_ = make_postgres_statements(options_.table);
    }

    write_result write(std::span<const event_view> events, std::stop_token stop) override {
        const auto now = portion(events.first(std::min(events.size(), most_events_)));
        if (now.empty()) return {.refusal = "it has more than 256 MiB, which PostgreSQL does not take"};
        try {
            const auto result = store(now, stop);
            failures_ = 0;
            contents_.confirmed(result.confirmed);
            return result;
        } catch (const postgres_stopped&) {
            session_.reset();
            return {};
        } catch (const postgres_error& error) {
            report(error);
        } catch (const events_refused&) {
            throw;
        } catch (...) {
            session_.reset();
            throw;
        }
    }

    void set_earlier_deliveries(const earlier_deliveries& before) override { contents_.expect(before); }

    [[nodiscard]] std::string warning() const override { return contents_.warning(); }

    void close() override { session_.reset(); }

private:
    write_result store(std::span<const event_view> events, const std::stop_token& stop) {
        if (stop.stop_requested()) throw postgres_stopped{};
        if (!session_ || !session_->is_alive()) connect(stop);
        try {
            return store_rows(events, stop);
        } catch (const postgres_error& error) {
            if (!postgres_session::is_about_change(error)) throw;
        }
        session_->check_table(stop);
        check_contents(stop);
        verifies_ = session_->table().has_row_triggers;
        return store_rows(events, stop);
    }

    void connect(const std::stop_token& stop) {
        session_.reset(); // the old one first: the server may be at its limit
        session_.emplace(options_, sql_, log_, stop);
        check_contents(stop);
        verifies_ = session_->table().has_row_triggers;
        failures_ = 0;
    }

    // Once a session, and after a change of the table. A look that fails, as by its timeout, is not repeated: the write
    // matters more.
    void check_contents(const std::stop_token& stop) {
        if (!contents_.expects_rows() || session_->table().row_security) return;
        const auto where = session_->describe(session_->where());
        if (session_->is_new()) return contents_.found_new(where);
        if (std::exchange(look_fails_, true)) return;
        if (!session_->has_rows(stop))
            contents_.found_empty(where);
        else if (const auto keys = contents_.take_last(); !keys.empty() && !has_any(keys, stop))
            contents_.found_none_of(keys.size(), where);
        look_fails_ = false;
    }

    bool has_any(const std::vector<destination_check::event_key>& keys, const std::stop_token& stop) {
        std::vector<event_view> events;
        for (const auto& key : keys) {
            auto& event = events.emplace_back();
            event.id = key.id;
            event.source = key.source;
        }
        return session_->has_any(events, stop);
    }

    // An error of one statement leaves the session usable. But a change of the user's settings reaches new sessions only.
    [[noreturn]] void report(const postgres_error& error) {
        const auto text = session_->describe(
            postgres_session::is_about_change(error) ? session_->where() + changed_again : error.what()
        );
        const bool is_about_events = postgres_session::is_about_events(error);
        if (++failures_ >= failures_a_session || is_about_session(error.sqlstate) || !session_->is_idle())
            session_.reset();
        if (is_about_events) throw events_refused{text};
        throw std::runtime_error{text};
    }

    [[noreturn]] void throw_missing() const {
        if (session_->table().has_row_triggers)
            throw events_refused{session_->describe(session_->where() + skipped_by_trigger)};
        // A partition's own trigger, which the table does not show; or a policy hides a row that is there.
        throw std::runtime_error{
            session_->describe(session_->where() + skipped_by_trigger + ", or a policy hides it")
        };
    }

    // A row that is neither written nor there already was skipped by a trigger. Once such a trigger is known, rows are
    // counted before the COMMIT, and the events before the first skipped one are written by themselves.
    write_result store_rows(std::span<const event_view> events, const std::stop_token& stop) {
        for (bool all = true;;) {
            const auto written = write_rows(events, stop);
            const auto missing =
                written < events.size() ? session_->find_missing(events, stop) : std::nullopt;
            if (!missing) {
                if (verifies_) session_->commit(stop);
                if (all) most_events_ = std::min(most_events_ * 2, all_events);
                return {.confirmed = events.size(), .duplicates = events.size() - written};
            }
            if (std::exchange(verifies_, true)) {
                all = false;
                session_->roll_back(stop);
                most_events_ = std::max(few, 2 * *missing);
                if (*missing == 0) throw_missing();
                events = events.first(*missing);
            }
        }
    }

    // COPY is by far the fastest, but fails as a whole if one event is already there.
    std::size_t write_rows(std::span<const event_view> events, const std::stop_token& stop) {
        const auto end = verifies_ ? postgres_session::ending::none : postgres_session::ending::commit;
        if (events.size() < few || session_->table().row_security) return session_->insert(events, end, stop);
        if (writes_until_copy_ > 0) {
            --writes_until_copy_;
            return session_->insert(events, end, stop);
        }
        try {
            return session_->copy(events, end, stop);
        } catch (const postgres_error& error) {
            if (!postgres_session::is_for_insert(error)) throw;
        }
        writes_until_copy_ = writes_without_copy;
        return session_->insert(events, end, stop);
    }

    const postgres_options options_;
    spdlog::logger& log_;
    postgres_statements sql_;
    std::optional<postgres_session> session_;
    std::size_t most_events_ = all_events;
    int writes_until_copy_ = 0;
    destination_check contents_;
    bool look_fails_ = false;
    int failures_ = 0;      // since the last success or the session's begin
    bool verifies_ = false; // counts the rows before the COMMIT
};

} // namespace

std::unique_ptr<sink> make_postgres_sink(postgres_options options, spdlog::logger& log) {
    return std::make_unique<postgres_sink>(std::move(options), log);
}

} // namespace trackd::sinks
