// The body of one request as events: the part of the intake that knows no HTTP and no tracker.
#pragma once

#include "base/uuid7.hpp"
#include "intake/body_format.hpp"
#include "intake/json_document.hpp"
#include "intake/json_event.hpp"
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
};

/// What is known of a request before its body is looked at. All of it was checked.
struct request_facts {
    wall_time received_at;
    std::string_view content_type;    ///< empty: none
    std::string_view path_type;       ///< the type that the path gives; empty: none
    std::string_view idempotency_key; ///< the id of events that have none of their own; empty: none
    std::string_view source = {};     ///< of events that name none; empty: the reader's own
};

/// Turns bodies into events. Keeps its memory, so that ordinary requests allocate nothing. Confined to one
/// thread.
class event_reader {
public:
    static constexpr std::size_t max_idempotency_key_bytes = 200;

    explicit event_reader(event_reader_options options);

    /// Appends the events of the body, all or none of them.
    /// @param body at least 64 bytes behind its end can be read
    /// @return why there are none
    [[nodiscard]] std::optional<refusal> read(const request_facts& facts, std::string_view body, batch& out);

private:
    std::optional<refusal>
    read_json(const request_facts& facts, std::string_view body, body_format format, batch& out);
    std::optional<refusal>
    read_array(const request_facts& facts, json_event_rules rules, json_cursor at, batch& out);
    std::optional<refusal> read_lines(const request_facts& facts, std::string_view body, batch& out);
    bool read_lines_at_once(const request_facts& facts, std::string_view text, batch& out);
    std::optional<refusal>
    read_lines_one_by_one(const request_facts& facts, std::string_view text, batch& out);
    std::optional<refusal>
    read_line(const request_facts& facts, std::string_view line, std::size_t index, batch& out);
    std::optional<refusal> read_object(
        const request_facts& facts, json_event_rules rules, json_cursor& at, std::optional<std::size_t> index,
        batch& out
    );
    std::optional<refusal> read_json_data(
        const request_facts& facts, std::string_view body, std::string_view datacontenttype, batch& out
    );
    std::optional<refusal> read_opaque(
        const request_facts& facts, std::string_view body, std::string_view datacontenttype, batch& out
    );
    std::optional<refusal>
    append(event_view& event, const request_facts& facts, std::optional<std::size_t> index, batch& out);
    void release();

    event_reader_options options_;
    base::uuid7_generator ids_;
    json_document document_;
    json_event_reader objects_;
};

} // namespace trackd::intake
