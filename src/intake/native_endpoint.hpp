// Our own way in: POST /events, /events/{type} and /, for CloudEvents, the short form, plain JSON and any
// other body.
#pragma once

#include "http/router.hpp"
#include "http/task.hpp"
#include "intake/body_decoder.hpp"
#include "intake/event_reader.hpp"

#include <trackd/lane.hpp>

#include <optional>
#include <string>

namespace trackd::intake {

/// Reads the events of a request, has the lane admit them, and answers as soon as the lane says that it may.
/// What it answers to what is in docs/http-api.md.
///
/// One an I/O thread, used on that thread only. Lives as long as the router that it was added to is used, and
/// not longer than its lane.
class native_endpoint {
public:
    native_endpoint(lane& lane, event_reader_options options, decoding_limits decoding = {});
    native_endpoint(const native_endpoint&) = delete;
    native_endpoint& operator=(const native_endpoint&) = delete;

    void add_routes(http::router& router);

private:
    [[nodiscard]] http::pending respond(const http::request& req, http::response& res);
    [[nodiscard]] std::optional<refusal> read(const http::request& req);
    [[nodiscard]] http::task<void> confirm(http::response& res);
    void write_answer(batch::mark start, bool with_ids);

    lane& lane_;
    event_reader reader_;
    body_decoder decoder_;
    std::string answer_; // of the last success; kept for its memory
};

} // namespace trackd::intake
