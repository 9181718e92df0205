#include "sinks/postgres.hpp"

#include "sinks/postgres_connection.hpp"
#include "sinks/postgres_errors.hpp"
#include "sinks/postgres_rows.hpp"

#include <spdlog/fmt/fmt.h>

#include <array>
#include <optional>
#include <stdexcept>
#include <string_view>
#include <utility>

namespace trackd::sinks {

namespace {

// docs/sinks.md shows it, too.
constexpr auto schema = R"((
    id              text NOT NULL,
    source          text NOT NULL,
    type            text NOT NULL,
    time            timestamptz NOT NULL,
    received_at     timestamptz NOT NULL,
    subject         text,
    datacontenttype text,
    data            jsonb,
    data_text       text,
    data_bytes      bytea,
    extensions      jsonb,
    PRIMARY KEY (source, id)
))";

constexpr std::size_t few = 10;         // fewer rows are not worth the second round trip of COPY
constexpr int writes_without_copy = 16; // where there was one duplicate there are more
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

/// `SCHEMA.TABLE`, each part in quotes.
std::string quoted_table(const std::string& table) {
    std::string out;
    std::string_view rest = table;
    for (int parts = 1;; ++parts) {
        const auto dot = rest.find('.');
        const auto part = rest.substr(0, dot);
        if (part.empty() || part.size() > 63 || parts > 2)
            throw std::runtime_error{
                "table: found \"" + table + "\", expected TABLE or SCHEMA.TABLE, each 1 to 63 bytes long"
            };
        out += '"';
        for (const char c : part)
            out.append(c == '"' ? 2 : 1, c);
        out += '"';
        if (dot == rest.npos) return out;
        out += '.';
        rest.remove_prefix(dot + 1);
    }
}

std::string column_names() {
    std::string names;
    for (const auto& column : postgres_columns)
        names.append(names.empty() ? "" : ", ").append(column.name);
    return names;
}

std::string insert_into(const std::string& table) {
    std::string arrays;
    for (std::size_t i = 1; i <= postgres_columns.size(); ++i)
        arrays += fmt::format("{}${}", i == 1 ? "" : ", ", i);
    return fmt::format(
        "INSERT INTO {} ({}) SELECT * FROM unnest({}) ON CONFLICT (source, id) DO NOTHING", table,
        column_names(), arrays
    );
}

class postgres_sink final : public sink {
public:
    postgres_sink(postgres_options options, spdlog::logger& log) : options_{std::move(options)}, log_{log} {}

    void open() override {
        check_postgres_connection(options_.connection);
        const auto table = quoted_table(options_.table);
        copy_ = fmt::format("COPY {} ({}) FROM STDIN (FORMAT binary)", table, column_names());
        insert_ = insert_into(table);
        create_ = fmt::format("CREATE TABLE IF NOT EXISTS {} {}", table, schema);
    }

    write_result write(std::span<const event_view> events, std::stop_token stop) override {
        const auto now = portion(events);
        if (now.empty()) return {.refusal = "it has more than 256 MiB, which PostgreSQL does not take"};
        try {
            const auto inserted = store(now, stop);
            return {.confirmed = now.size(), .duplicates = now.size() - inserted};
        } catch (const postgres_stopped&) {
            connection_.reset();
            return {};
        } catch (const postgres_error& error) {
            if (!is_about_rows(error.sqlstate)) {
                connection_.reset();
                throw std::runtime_error{named(error)};
            }
            throw events_refused{named(error)};
        } catch (...) {
            connection_.reset();
            throw;
        }
    }

    void close() override { connection_.reset(); }

private:
    /// @return how many of the events were not there before
    std::size_t store(std::span<const event_view> events, const std::stop_token& stop) {
        if (stop.stop_requested()) throw postgres_stopped{};
        if (!connection_ || !connection_->is_alive()) connect(stop);
        try {
            return store_in_table(events, stop);
        } catch (const postgres_error& error) {
            if (error.sqlstate != "42P01" || !options_.create_table) throw;
        }
        create_table(stop);
        return store_in_table(events, stop);
    }

    void connect(const std::stop_token& stop) {
        connection_.reset(); // the old one first: the server may be at its limit
        try {
            connection_.emplace(options_, stop);
        } catch (const postgres_error& error) { // whatever it is about, no event was sent
            throw std::runtime_error{error.what()};
        }
    }

    // COPY is by far the fastest, but fails as a whole if one event is already there.
    std::size_t store_in_table(std::span<const event_view> events, const std::stop_token& stop) {
        if (events.size() < few) return insert(events, stop);
        if (writes_until_copy_ > 0) {
            --writes_until_copy_;
            return insert(events, stop);
        }
        try {
            connection_->copy(copy_, copy_stream(events), stop);
            return events.size();
        } catch (const postgres_error& error) {
            if (!is_about_copy(error.sqlstate)) throw;
        }
        writes_until_copy_ = writes_without_copy;
        return insert(events, stop);
    }

    std::size_t insert(std::span<const event_view> events, const std::stop_token& stop) {
        const auto arrays = column_arrays(events);
        std::array<postgres_parameter, postgres_columns.size()> parameters{};
        for (std::size_t i = 0; i < arrays.size(); ++i)
            parameters[i] = {postgres_columns[i].array, arrays[i]};
        return connection_->run(insert_, parameters, stop);
    }

    // Whatever the server has against it, it is not the events' fault.
    void create_table(const std::stop_token& stop) {
        try {
            connection_->run(create_, {}, stop);
        } catch (const postgres_error& error) {
            throw std::runtime_error{"cannot make " + named(error)};
        }
        log_.info("table {} made in {}", options_.table, connection_->where());
    }

    [[nodiscard]] std::string named(const postgres_error& error) const {
        return "table " + options_.table + " of " + error.what();
    }

    const postgres_options options_;
    spdlog::logger& log_;
    std::string copy_;
    std::string insert_;
    std::string create_;
    std::optional<postgres_connection> connection_;
    int writes_until_copy_ = 0;
};

} // namespace

std::unique_ptr<sink> make_postgres_sink(postgres_options options, spdlog::logger& log) {
    return std::make_unique<postgres_sink>(std::move(options), log);
}

} // namespace trackd::sinks
