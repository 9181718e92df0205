// All ways in of one I/O thread.
#pragma once

#include "intake/body_decoder.hpp"
#include "intake/client_answers.hpp"
#include "intake/counters.hpp"
#include "intake/native_endpoint.hpp"
#include "intake/pixel_endpoint.hpp"
#include "intake/segment_endpoint.hpp"
#include "intake/webhook_endpoint.hpp"

#include <memory>
#include <utility>

namespace trackd::intake {

/// Lives as long as the router that they were added to is used, and not longer than their lane.
class endpoints {
public:
    /// @param counts where it is counted what comes; outlives this
    /// @param clocks shared by all threads; null: a new one
    /// @param recorder likewise, of what is rejected; null: nothing is recorded
    endpoints(
        lane& lane, const event_reader_options& options, decoding_limits decoding, counters& counts,
        std::shared_ptr<key_guard> guard, std::shared_ptr<client_clocks> clocks = nullptr,
        std::shared_ptr<rejection_recorder> recorder = nullptr
    )
        : guard_{std::move(guard)}, decoder_{decoding}, native_{lane, decoder_, counts, options},
          segment_{lane, decoder_, counts, options, guard_.get(), std::move(clocks), recorder},
          rejections_{std::move(recorder)}, webhook_{lane, decoder_, counts, options},
          pixel_{lane, decoder_, counts, options, guard_.get()} {}

    void add_routes(http::router& router) {
        native_.add_routes(router); // first, as it is looked for first
        segment_.add_routes(router);
        webhook_.add_routes(router);
        pixel_.add_routes(router);
        router.say_errors_below("/v1/", say_to_segment);
        for (const auto* path : {"/beacon/", "/pixel/"})
            router.say_errors_below(path, say_to_rudderstack);
        router.set_rejection_observer(rejections_);
    }

    /// From the next request on these bounds hold, and this source for events that name none. What is recorded of
    /// clients stays as it is. On the lane's thread.
    void use(const event_reader_options& options, decoding_limits decoding) {
        decoder_.use(decoding);
        native_.use(options);
        segment_.use(options);
        webhook_.use(options);
        pixel_.use(options);
    }

private:
    std::shared_ptr<key_guard> guard_; // the router's, too
    body_decoder decoder_;
    native_endpoint native_;
    segment_endpoint segment_;
    std::shared_ptr<rejection_recorder> rejections_;
    webhook_endpoint webhook_;
    pixel_endpoint pixel_;
};

} // namespace trackd::intake
