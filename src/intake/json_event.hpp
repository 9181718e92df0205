// One JSON object as an event. It is one of three: a CloudEvent, our short form, or plain data.
#pragma once

#include "intake/json_cursor.hpp"
#include "intake/refusal.hpp"
#include "intake/scratch.hpp"

#include <trackd/event.hpp>

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace trackd::intake {

/// What the request around an object has to say about it.
struct json_event_rules {
    std::string_view path_type;    ///< the type that the path gives; empty: none
    bool cloudevents_only = false; ///< the content type promised CloudEvents
};

/// Reads objects one after the other, and keeps its memory from one to the next. Confined to one thread.
///
/// - With a member `specversion`: a CloudEvent 1.0 in the JSON format.
/// - With `data`, and else no members but `id`, `source`, `type`, `time`, `subject` and `datacontenttype`: the short form.
///   Where the path gives the type, with `data` alone.
/// - Any other object is the data, byte for byte; a string in its member `type` is the type, too, unless the path gives it.
class json_event_reader {
public:
    /// To be called before the first object of a text.
    void begin(std::string_view text) {
        scratch_.prepare(2 * text.size());
        has_escapes_ = text.find('\\') != std::string_view::npos;
    }

    /// Reads the object that the cursor stands on, and passes it.
    /// @param event gets what the object says; the rest is left as it was. The views point into the text,
    ///              and into this reader until the next call.
    [[nodiscard]] std::optional<refusal>
    read(json_cursor& at, const json_event_rules& rules, event_view& event);

    /// Gives memory back if an object was far larger than usual.
    void release();

private:
    // The members that mean something in one of the forms.
    enum known : std::size_t {
        id,
        source,
        type,
        time,
        subject,
        datacontenttype,
        dataschema,
        specversion,
        data,
        data_base64,
        known_count
    };

    static constexpr std::array<std::string_view, known_count> known_names{
        "id",         "source",      "type", "time",        "subject", "datacontenttype",
        "dataschema", "specversion", "data", "data_base64",
    };

    struct member {
        std::string_view name;  // unescaped
        std::string_view value; // as it came
    };

    static known identify(std::string_view name) noexcept; // known_count: none of them
    void collect(json_cursor& at);

    // Each returns whether all is well; the first one that finds something wrong leaves the refusal.
    bool read_object(json_cursor& at, const json_event_rules& rules, event_view& event);
    bool read_cloudevent(const json_event_rules& rules, event_view& event);
    bool read_short_form(const json_event_rules& rules, event_view& event);
    bool read_plain(std::string_view object, const json_event_rules& rules, event_view& event);

    bool check_cloudevent_members(const json_event_rules& rules);
    bool check_given_once(std::uint32_t members);
    bool read_attributes(const json_event_rules& rules, event_view& event);
    bool read_type(const json_event_rules& rules, event_view& event);
    bool read_time(event_view& event);
    bool read_data(event_view& event);
    bool read_data_base64(event_view& event);
    bool read_extensions(event_view& event);
    bool add_extension(const member& extension);

    bool read_text(known which, std::string_view& text);
    bool read_text(std::string_view name, std::string_view value, std::string_view& text);

    std::string_view unescaped(std::string_view escaped) {
        return has_escapes_ ? unescape(escaped) : escaped; // nearly always as it came
    }

    std::string_view unescape(std::string_view escaped);

    bool refuse(std::string detail);
    bool refuse_value(std::string_view name, std::string_view value, std::string_view expected);
    bool refuse_missing(std::string_view name);

    [[nodiscard]] bool is_short_form(const json_event_rules& rules) const noexcept;

    [[nodiscard]] bool has(std::size_t which) const noexcept { return (given_ >> which & 1U) != 0; }

    std::uint32_t given_ = 0;                          // one bit for each of the known
    std::uint32_t given_twice_ = 0;                    // the same
    std::array<std::string_view, known_count> values_; // of those that are given, as they came
    bool has_escapes_ = false;                         // anywhere in the text
    std::vector<member> others_;
    std::string extensions_;
    scratch scratch_;
    std::optional<refusal> refused_; // of the object that is being read
};

} // namespace trackd::intake
