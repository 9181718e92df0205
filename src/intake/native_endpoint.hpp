// Our own way in: POST /events, /events/{type} and /, for CloudEvents, the short form, plain JSON and any
// other body.
#pragma once

#include "http/router.hpp"
#include "intake/admission.hpp"
#include "intake/client_record.hpp"
#include "intake/cloudevent_headers.hpp"
#include "intake/event_reader.hpp"

#include <trackd/lane.hpp>

#include <optional>

namespace trackd::intake {

/// Reads the events of a request, has the lane admit them, and answers as soon as the lane says that it may.
/// What it answers to what is in docs/http-api.md.
///
/// One an I/O thread, used on that thread only. Lives as long as the router that it was added to is used, and
/// not longer than its lane.
class native_endpoint {
public:
    native_endpoint(lane& lane, body_decoder& decoder, counters& counts, event_reader_options options);
    native_endpoint(const native_endpoint&) = delete;
    native_endpoint& operator=(const native_endpoint&) = delete;

    void add_routes(http::router& router);

    /// From the next request on. What is recorded of clients stays as it is.
    void use(const event_reader_options& options) { reader_.use(options); }

    // What `admission` asks of a format.
    static constexpr auto is = wire_format::native;
    [[nodiscard]] std::optional<refusal>
    read(const http::request& req, const key* caller, std::string_view body, batch& events);
    void accept(const http::request& req, http::response& res, const new_events& added);

private:
    [[nodiscard]] http::pending respond(const http::request& req, http::response& res);
    [[nodiscard]] std::optional<refusal>
    read_binary(const http::request& req, const request_facts& facts, std::string_view body, batch& events);

    admission admission_;
    client_record clients_;
    event_reader reader_;
    cloudevent_headers cloudevent_headers_;
};

} // namespace trackd::intake
