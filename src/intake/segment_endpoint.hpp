// The way in for the clients of Segment and RudderStack, which believe that they talk to their own servers.
#pragma once

#include "http/router.hpp"
#include "intake/admission.hpp"
#include "intake/client_record.hpp"
#include "intake/key_guard.hpp"
#include "intake/rejection_recorder.hpp"
#include "intake/segment_reader.hpp"

#include <trackd/lane.hpp>

#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace trackd::intake {

/// What it answers to what is in docs/analytics-clients.md.
///
/// One an I/O thread, used on that thread only. Lives as long as the router that it was added to is used, and
/// not longer than its lane.
class segment_endpoint {
public:
    /// @param guard may be null: then nobody needs a key. Outlives this
    /// @param clocks may be shared by all threads; null: a new one
    /// @param recorder of the calls that batches lose; null: they are only counted
    segment_endpoint(
        lane& lane, body_decoder& decoder, counters& counts, event_reader_options options,
        key_guard* guard = nullptr, std::shared_ptr<client_clocks> clocks = nullptr,
        std::shared_ptr<rejection_recorder> recorder = nullptr
    );
    segment_endpoint(const segment_endpoint&) = delete;
    segment_endpoint& operator=(const segment_endpoint&) = delete;

    void add_routes(http::router& router);

    /// From the next request on. What is recorded of clients stays as it is.
    void use(const event_reader_options& options) { reader_.use(options); }

private:
    /// The `POST` requests of one path, as `admission` sees them.
    struct call_format {
        static constexpr auto is = wire_format::segment;

        [[nodiscard]] std::optional<refusal>
        read(const http::request& req, const key* caller, std::string_view body, batch& events) const;
        void accept(const http::request& req, http::response& res, const new_events& added) const;
        [[nodiscard]] bool identify(
            const http::request& req, std::string_view body, http::response& res,
            std::shared_ptr<const key>& caller
        ) const;
        void record_rejections(const http::request& req, const key* caller) const;

        segment_reader& reader;
        client_record& clients;
        key_guard* guard;
        std::optional<segment_kind> kind; ///< none: a batch
        bool is_rudderstack;              ///< whatever its client calls itself
        counters& counts;
        rejection_recorder* recorder; ///< null: there is none
    };

    /// Images that carry one call in their query.
    struct pixel_format {
        static constexpr auto is = wire_format::segment;

        [[nodiscard]] std::optional<refusal>
        read(const http::request& req, const key* caller, std::string_view body, batch& events);
        void accept(const http::request& req, http::response& res, const new_events& added) const;
        [[nodiscard]] bool identify(
            const http::request& req, std::string_view body, http::response& res,
            std::shared_ptr<const key>& caller
        );

        [[nodiscard]] std::optional<refusal> write_call(std::string_view query);

        [[nodiscard]] std::string_view written() const noexcept {
            return std::string_view{call}.substr(0, call.size() - http::request::body_padding);
        }

        segment_reader& reader;
        client_record& clients;
        key_guard* guard;
        segment_kind kind;
        std::string call = {}; ///< as JSON, and room behind it; kept for its memory
    };

    void
    add_calls(http::router& router, std::optional<segment_kind> kind, std::string path, bool rudderstack);
    void add_pixel(http::router& router, segment_kind kind, std::string path);

    admission admission_;
    client_record clients_;
    segment_reader reader_;
    key_guard* guard_;
    counters& counts_;
    std::shared_ptr<rejection_recorder> recorder_;
    std::deque<call_format> calls_; // they stay in place
    std::deque<pixel_format> pixels_;
};

} // namespace trackd::intake
