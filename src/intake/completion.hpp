// What every event gets on its last step into the batch, whatever format it came in: the attributes that its
// client left out, the trace that its request belongs to, what is recorded of its client, and a look at its size.
#pragma once

#include "base/uuid7.hpp"
#include "intake/client_record.hpp"
#include "intake/refusal.hpp"

#include <trackd/batch.hpp>
#include <trackd/event.hpp>

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace trackd::intake {

struct event_reader_options {
    std::string default_source = "trackd";         ///< of events that name none; 1 to 1024 bytes of UTF-8
    std::size_t max_batch_events = 10'000;         ///< that one body may bring; at least 1
    std::size_t max_event_bytes = 1024UL * 1024UL; ///< data and attributes of one event; at least 1
    client_detail record_client = client_detail::none;
};

/// The longest key that becomes an id; what is appended to it in a batch comes on top.
inline constexpr std::size_t max_idempotency_key_bytes = 200;

/// What is known of a request before its body is looked at. All of it was checked.
struct request_facts {
    wall_time received_at;
    std::string_view content_type;        ///< empty: none
    std::string_view path_type;           ///< the type that the path gives; empty: none
    std::string_view idempotency_key;     ///< the id of events that have none of their own; empty: none
    std::string_view traceparent = {};    ///< the extension of events that have none; empty: none
    std::string_view tracestate = {};     ///< goes with it; empty: none
    std::string_view source = {};         ///< of events that name none; empty: the configured one
    const client_facts* client = nullptr; ///< extensions of events that have none of these names; null: none
};

/// Keeps its memory from event to event. Confined to one thread.
class event_completion {
public:
    /// @param options outlives this
    explicit event_completion(const event_reader_options& options) noexcept : options_{options} {}

    /// Fills in what the event lacks, and appends it.
    /// @param index of the event in its batch; nothing where the request is one event
    [[nodiscard]] std::optional<refusal>
    append(event_view& event, const request_facts& facts, std::optional<std::size_t> index, batch& out);

private:
    void add_extensions(event_view& event, const request_facts& facts);

    const event_reader_options& options_;
    base::uuid7_generator ids_;
    std::string extensions_; // of the last event that got any from its request
};

} // namespace trackd::intake
