// Our own pixel, `GET /pixel.gif`: one event in a query.
#pragma once

#include "http/router.hpp"
#include "intake/admission.hpp"
#include "intake/client_record.hpp"
#include "intake/completion.hpp"
#include "intake/key_guard.hpp"

#include <trackd/lane.hpp>

#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace trackd::intake {

/// Takes the parameters of the query as the event's data, an object of strings, and `type` of them as its
/// type, too. Answers the image whatever becomes of the event, as nobody would read an error.
///
/// One an I/O thread, used on that thread only. Lives as long as the router that it was added to is used, and
/// not longer than its lane.
class pixel_endpoint {
public:
    /// @param guard may be null: then nobody needs a key. Outlives this
    pixel_endpoint(
        lane& lane, body_decoder& decoder, counters& counts, event_reader_options options,
        key_guard* guard = nullptr
    );
    pixel_endpoint(const pixel_endpoint&) = delete;
    pixel_endpoint& operator=(const pixel_endpoint&) = delete;

    void add_routes(http::router& router);

    /// From the next request on. What is recorded of clients stays as it is.
    void use(const event_reader_options& options) { options_ = options; }

    // What `admission` asks of a format.
    static constexpr auto is = wire_format::pixel;
    [[nodiscard]] std::optional<refusal>
    read(const http::request& req, const key* caller, std::string_view body, batch& events);
    void accept(const http::request& req, http::response& res, const new_events& added);
    [[nodiscard]] bool identify(
        const http::request& req, std::string_view body, http::response& res,
        std::shared_ptr<const key>& caller
    ) const;

private:
    admission admission_;
    key_guard* guard_;
    event_reader_options options_;
    event_completion completion_{options_};
    client_record clients_{options_.record_client};
    std::string data_; // of the last event; kept for its memory
};

} // namespace trackd::intake
