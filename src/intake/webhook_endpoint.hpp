// RudderStack's webhook: whatever other services send of their own accord, as an event.
#pragma once

#include "http/router.hpp"
#include "intake/admission.hpp"
#include "intake/client_record.hpp"
#include "intake/completion.hpp"
#include "intake/json_document.hpp"

#include <trackd/lane.hpp>

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace trackd::intake {

/// Takes the JSON object of a `POST`, or the fields of a form or of a query, as the data of one event; of a JSON array
/// each element. The type is the name that the sender gives the event in the header section, else `webhook`; the id is the
/// `Idempotency-Key`, else the sender's id of the delivery. No user need be named.
///
/// One an I/O thread, used on that thread only. Lives as long as the router that it was added to is used, and
/// not longer than its lane.
class webhook_endpoint {
public:
    webhook_endpoint(lane& lane, body_decoder& decoder, counters& counts, event_reader_options options);
    webhook_endpoint(const webhook_endpoint&) = delete;
    webhook_endpoint& operator=(const webhook_endpoint&) = delete;

    void add_routes(http::router& router);

    /// From the next request on. What is recorded of clients stays as it is.
    void use(const event_reader_options& options) { options_ = options; }

    // What `admission` asks of a format.
    static constexpr auto is = wire_format::webhook;
    [[nodiscard]] std::optional<refusal>
    read(const http::request& req, const key* caller, std::string_view body, batch& events);
    void accept(const http::request& req, http::response& res, const new_events& added);

private:
    [[nodiscard]] std::optional<refusal>
    read_fields(std::string_view fields, const request_facts& facts, const event_view& event, batch& events);
    [[nodiscard]] std::optional<refusal> read_parts(
        std::string_view content_type, std::string_view body, const request_facts& facts,
        const event_view& event, batch& events
    );
    [[nodiscard]] std::optional<refusal>
    read_json(std::string_view body, const request_facts& facts, const event_view& event, batch& events);
    [[nodiscard]] std::optional<refusal>
    read_array(const request_facts& facts, const event_view& event, batch& events);
    [[nodiscard]] std::optional<refusal> append(
        event_view event, std::string_view data, const request_facts& facts, std::optional<std::size_t> index,
        batch& events
    );

    admission admission_;
    event_reader_options options_;
    client_record clients_{options_.record_client};
    event_completion completion_{options_};
    json_document document_;
    std::string fields_; // of the last event, as JSON; kept for its memory
};

} // namespace trackd::intake
