// A sink that stores events in a table of a PostgreSQL database, each once.
#pragma once

#include <trackd/sink.hpp>

#include <spdlog/logger.h>

#include <chrono>
#include <memory>
#include <string>

namespace trackd::sinks {

struct postgres_options {
    std::string connection{};     ///< as libpq takes it: `host=… dbname=…` or a URI; what is missing is PG*'s
    std::string table = "events"; ///< `TABLE` or `SCHEMA.TABLE`, with the letters' case as it stands
    bool create_table = false;    ///< where it is missing
    std::chrono::milliseconds connect_timeout{10'000};   ///< for each host
    std::chrono::milliseconds statement_timeout{60'000}; ///< of each statement, in the server
};

/// One transaction a write; when it returns, the server has committed it (as safely as its `synchronous_commit`
/// says). An event whose `(source, id)` is already there is left as it is, and counted as a duplicate. Nothing is written to
/// a table that does not take every event, and no setting of the session outlives the transaction.
///
/// `open` throws for options that can never work, and needs no server. An error of a statement leaves the connection open;
/// after another failure the next write begins with a new one.
/// @param log outlives the sink
[[nodiscard]] std::unique_ptr<sink> make_postgres_sink(postgres_options options, spdlog::logger& log);

} // namespace trackd::sinks
