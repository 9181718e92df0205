// All ways in of one I/O thread.
#pragma once

#include "intake/body_decoder.hpp"
#include "intake/native_endpoint.hpp"
#include "intake/pixel_endpoint.hpp"
#include "intake/segment_endpoint.hpp"

namespace trackd::intake {

/// Lives as long as the router that they were added to is used, and not longer than their lane.
class endpoints {
public:
    endpoints(lane& lane, const event_reader_options& options, decoding_limits decoding)
        : decoder_{decoding}, native_{lane, decoder_, options}, segment_{lane, decoder_, options},
          pixel_{lane, decoder_, options} {}

    void add_routes(http::router& router) {
        native_.add_routes(router); // first, as it is looked for first
        segment_.add_routes(router);
        pixel_.add_routes(router);
    }

private:
    body_decoder decoder_;
    native_endpoint native_;
    segment_endpoint segment_;
    pixel_endpoint pixel_;
};

} // namespace trackd::intake
