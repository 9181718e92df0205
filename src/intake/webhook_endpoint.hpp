// RudderStack's webhook: whatever other services send of their own accord, as an event.
#pragma once

#include "http/router.hpp"
#include "intake/admission.hpp"
#include "intake/client_record.hpp"
#include "intake/completion.hpp"
#include "intake/json_document.hpp"

#include <trackd/lane.hpp>

#include <optional>
#include <string>
#include <string_view>

namespace trackd::intake {

/// Takes the JSON object of a `POST`, or the fields of a form or of a query, as the data of one event of the type
/// `webhook`. Nobody can be asked to name a user there.
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
    [[nodiscard]] std::optional<refusal> read_fields(std::string_view fields, std::string_view& data);
    [[nodiscard]] std::optional<refusal> read_object(std::string_view body, std::string_view& data);

    admission admission_;
    event_reader_options options_;
    client_record clients_{options_.record_client};
    event_completion completion_{options_};
    json_document document_;
    std::string fields_; // of the last event, as JSON; kept for its memory
};

} // namespace trackd::intake
