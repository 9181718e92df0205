// The body of one request as events: the part of the intake that knows no HTTP and no tracker.
#pragma once

#include "intake/body_format.hpp"
#include "intake/completion.hpp"
#include "intake/json_document.hpp"
#include "intake/json_event.hpp"
#include "intake/refusal.hpp"

#include <trackd/batch.hpp>
#include <trackd/event.hpp>

#include <cstddef>
#include <optional>
#include <string_view>

namespace trackd::intake {

/// Turns bodies into events. Keeps its memory, so that ordinary requests allocate nothing. Confined to one
/// thread.
class event_reader {
public:
    explicit event_reader(event_reader_options options);
    event_reader(const event_reader&) = delete;
    event_reader& operator=(const event_reader&) = delete;

    /// From the next body on.
    void use(const event_reader_options& options) { options_ = options; }

    /// Appends the events of the body, all or none of them.
    /// @param body at least 64 bytes behind its end can be read
    /// @return why there are none
    [[nodiscard]] std::optional<refusal> read(const request_facts& facts, std::string_view body, batch& out);

    /// Appends the one event that has the body for its data: any bytes, or JSON where the content type says
    /// so, or nothing where the body is empty.
    /// @param event its attributes, all but `datacontenttype`
    [[nodiscard]] std::optional<refusal>
    read_as_data(const request_facts& facts, event_view event, std::string_view body, batch& out);

private:
    /// What the document has found in a text.
    struct found_objects {
        std::size_t first; ///< the index of the first one in its batch
        std::size_t count;
        bool within_lines = false; ///< none may go on in the next line
    };

    std::optional<refusal>
    read_json(const request_facts& facts, std::string_view body, body_format format, batch& out);
    std::optional<refusal>
    read_array(const request_facts& facts, json_event_rules rules, json_cursor at, batch& out);
    std::optional<refusal> read_sequence(
        const request_facts& facts, std::string_view body, const json_fault& after_first, batch& out
    );
    std::optional<refusal> read_lines(const request_facts& facts, std::string_view body, batch& out);
    bool read_lines_at_once(const request_facts& facts, std::string_view text, batch& out);
    bool read_objects(const request_facts& facts, std::string_view text, found_objects found, batch& out);
    std::optional<refusal>
    read_lines_one_by_one(const request_facts& facts, std::string_view text, batch& out);
    std::optional<refusal> read_one_by_one(
        const request_facts& facts, std::string_view text, std::size_t begin, std::size_t& index, batch& out
    );
    std::optional<refusal> read_object(
        const request_facts& facts, json_event_rules rules, json_cursor& at, std::optional<std::size_t> index,
        batch& out
    );
    std::optional<refusal> read_data(
        const request_facts& facts, event_view event, std::string_view body, const body_description& is,
        batch& out
    );
    std::optional<refusal> check_json_data(std::string_view body, std::string_view datacontenttype);
    void release();

    event_reader_options options_;
    event_completion completion_{options_};
    json_document document_;
    json_event_reader objects_;
};

} // namespace trackd::intake
