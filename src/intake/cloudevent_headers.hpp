// The binary mode of CloudEvents over HTTP: the attributes of an event in header fields, `ce-id` and so on.
#pragma once

#include "http/request.hpp"
#include "intake/refusal.hpp"
#include "intake/scratch.hpp"

#include <trackd/event.hpp>

#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace trackd::intake {

/// Reads the attributes of one request after the other, and keeps its memory. Confined to one thread.
///
/// A value is decoded as the binding wants it: first a quoted string with its backslashes, then one round of
/// percent-encoding, in which a `%` that begins no escape stands for itself; what comes of it must be UTF-8, and may be
/// an attribute like any other.
class cloudevent_headers {
public:
    /// @param path_type the type that the path gives; empty: none
    /// @param event gets all attributes but `datacontenttype`, which is the request's content type. The views
    ///              point into the request, and into this reader until the next call.
    [[nodiscard]] std::optional<refusal>
    read(const http::request& req, std::string_view path_type, event_view& event);

private:
    enum known : std::size_t { id, source, specversion, type, subject, time, known_count };

    static const std::array<std::string_view, known_count> known_names;

    std::optional<refusal> read_field(const http::request::header_field& field);
    std::optional<refusal> add_extension(std::string_view name, std::string_view value);
    std::optional<refusal> check_required(std::string_view path_type) const;
    std::optional<refusal> use(std::string_view path_type, event_view& event);
    std::optional<refusal>
    decode(std::string_view field_name, std::string_view value, std::string_view& text);

    [[nodiscard]] bool has(known which) const noexcept { return !given_[which].empty(); }

    std::array<std::string_view, known_count> given_; // decoded; empty: not there
    std::string extensions_;                          // and `dataschema`, which is kept with them
    scratch scratch_;
};

} // namespace trackd::intake
