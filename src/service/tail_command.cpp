#include "service/tail_command.hpp"

#include "admin/client.hpp"
#include "base/json_text.hpp"
#include "service/ask_daemon.hpp"

#include <boost/json/parse.hpp>

#include <chrono>
#include <ostream>
#include <stdexcept>
#include <string>
#include <string_view>

namespace trackd::service {

namespace json = boost::json;

namespace {

// Without a comment that it is still there, which comes every 15 seconds, it is not.
constexpr std::chrono::seconds patience{45};

bool stays_as_it_is(char c) {
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    return letter || (c >= '0' && c <= '9') || std::string_view{"-._~*!,"}.find(c) != std::string_view::npos;
}

void add_parameter(std::string& path, std::string_view name, std::string_view value) {
    if (value.empty()) return;
    constexpr std::string_view digits = "0123456789ABCDEF";
    path += path.find('?') == std::string::npos ? '?' : '&';
    path.append(name).append("=");
    for (const char c : value) {
        const auto byte = static_cast<unsigned char>(c);
        if (stays_as_it_is(c))
            path += c;
        else
            path.append("%").append(1, digits[byte >> 4U]).append(1, digits[byte & 0xFU]);
    }
}

std::string path_of(const tail_line& line) {
    std::string path{"/events/tail"};
    add_parameter(path, "type", line.types);
    add_parameter(path, "source", line.sources);
    add_parameter(path, "key", line.keys);
    add_parameter(path, "rate", line.rate);
    return path;
}

// Turns the lines of the stream into lines for people, or for programs.
class printer {
public:
    printer(const tail_line& line, std::ostream& out, std::ostream& errors)
        : json_{line.json}, out_{out}, errors_{errors} {}

    void take(std::string_view line) {
        constexpr std::string_view event = "event: ";
        constexpr std::string_view data = "data: ";
        if (line.empty())
            event_.clear();
        else if (line.starts_with(event))
            event_ = line.substr(event.size());
        else if (line.starts_with(data))
            take_data(line.substr(data.size()));
    }

    [[nodiscard]] bool has_ended() const noexcept { return ended_; }

private:
    void take_data(std::string_view text) {
        if (event_ == "skipped") {
            errors_ << "# skipped " << number(text, "events") << " events\n" << std::flush;
        } else if (event_ == "end") {
            ended_ = true;
            errors_ << "# the daemon ends it: " << json::parse(as_json(text)).at("reason").as_string()
                    << '\n';
        } else if (event_.empty()) {
            if (json_)
                out_ << text;
            else
                print(text);
            out_ << '\n' << std::flush;
            if (!out_) throw std::runtime_error{"standard output cannot be written to"};
        }
    }

    // Attributes as JSON strings, so that nothing in them can break a line or speak to the terminal.
    void print(std::string_view text) {
        const auto event = json::parse(as_json(text));
        const auto quoted = [&event](const char* name) {
            const auto& value = event.at(name).as_string();
            return base::json_string({value.data(), value.size()});
        };
        const auto& time = event.at("receivedat").as_string();
        out_ << std::string_view{time.data(), time.size()} << '\t' << quoted("type") << '\t'
             << quoted("source") << '\t' << quoted("id") << '\t' << data_of(text);
        if (event.as_object().contains("cut")) out_ << "... of " << number(text, "data_bytes") << " bytes";
    }

    // As it was sent. Within a string the quotes would be escaped.
    static std::string_view data_of(std::string_view event) {
        for (const std::string_view name : {R"(,"data":)", R"(,"data_base64":)"}) {
            const auto at = event.find(name);
            if (at == event.npos) continue;
            event.remove_prefix(at + name.size());
            return event.substr(0, event.size() - 1);
        }
        return {};
    }

    static json::string_view as_json(std::string_view text) { return {text.data(), text.size()}; }

    static std::uint64_t number(std::string_view text, const char* name) {
        return json::parse(as_json(text)).at(name).to_number<std::uint64_t>();
    }

    const bool json_;
    std::ostream& out_;
    std::ostream& errors_;
    std::string event_; // the name of the one whose lines come
    bool ended_ = false;
};

} // namespace

int run_tail_command(
    const tail_line& line, const daemon_contact& daemon, std::ostream& out, std::ostream& errors
) {
    const admin::question what{.path = path_of(line), .token = daemon.token};
    printer print{line, out, errors};
    bool heard = false;
    const auto on_line = [&](std::string_view text) {
        heard = true;
        print.take(text);
    };
    try {
        const auto how = admin::follow(endpoint_of(daemon), what, patience, daemon.certificate, on_line);
        if (how.interrupted || print.has_ended()) return 0;
        if (how.got.code == boost::beast::http::status::unauthorized)
            errors << "trackd: " << unknown_token(daemon) << '\n';
        else if (how.got.code != boost::beast::http::status::ok)
            errors << "trackd: the daemon at " << daemon.address << " refused: " << how.got.body << '\n';
        else
            errors << "trackd: the daemon at " << daemon.address << " broke off\n";
    } catch (const std::exception& why) {
        if (!out) throw;
        errors << "trackd: " << (heard ? "the daemon broke off at " : "no daemon answers at ")
               << with_notes(place_of(daemon) + ": " + why.what(), daemon.notes) << '\n';
    }
    return 1;
}

} // namespace trackd::service
