// The documents say what the table of options says: docs/configuration.md and config/trackd.toml.
#include "config/assign.hpp"
#include "config/options.hpp"
#include "config/write.hpp"
#include "helpers.hpp"
#include "support/catch.hpp"

#include <iterator>
#include <sstream>

using namespace trackd::config;
using namespace trackd::config::test;

namespace {

const std::string root = TRACKD_SOURCE_DIR;

std::string content(const std::string& path) {
    std::ifstream file{path};
    REQUIRE(file);
    return {std::istreambuf_iterator<char>{file}, {}};
}

bool is_required(std::string_view key) {
    return key == "name" || key == "kind" || key == "sha256";
}

/// What the option can be set to, for people.
std::string values(const expectation& expected, const slot& in) {
    switch (expected.written) {
    case form::flag: return "`true`, `false`";
    case form::count: return "number, " + range(expected);
    case form::bytes: return "size, " + range(expected);
    case form::duration: return "duration, " + range(expected);
    case form::text:
    case form::secret: return "string, " + range(expected);
    case form::name: return "letters, digits, `-`, `_`, " + range(expected);
    case form::path: return "path";
    case form::address_list: return "address, or array of addresses";
    case form::text_list:
    case form::secret_list: return "string, or array of strings";
    case form::networks: return "network, or array of networks";
    case form::web_origins: return "origin, or array of origins";
    case form::statuses: return "status, or array of statuses";
    case form::sha256: return "64 hexadecimal digits, or array of " + range(expected) + " of them";
    case form::text_map: return "table of strings, whole numbers and flags";
    case form::choice: break;
    }
    std::string words;
    for (const auto word : choices(in)) {
        words.append(words.empty() ? "`\"" : ", `\"").append(word).append("\"`");
    }
    return words;
}

/// The options as a table of Markdown.
template <class Owner>
std::string markdown(std::span<const option<Owner>> options) {
    std::string text = "| Key | Default | Values | Changed by | Meaning |\n|---|---|---|---|---|\n";
    Owner defaults;
    for (const auto& row : options) {
        const auto in = row.in(defaults);
        const bool required = !std::is_same_v<Owner, settings> && is_required(row.key);
        text.append("| `").append(row.key).append("` | ");
        text.append(required ? "required" : "`" + literal(in, row.written) + "`").append(" | ");
        text.append(values(expectation_of(row), in)).append(" | ");
        text.append(row.takes_effect == changed_by::reload ? "reload" : "restart").append(" | ");
        text.append(row.sentence).append(" |\n");
    }
    return text;
}

/// What a line of the default file is about.
struct documented {
    std::string key;
    std::string literal;
    std::string comment; ///< what stands above it, on one line
};

/// Reads the file by lines: `# prose`, `key = value`, and `#key = value` for what is not in force.
std::vector<documented> documented_options(const std::string& text) {
    std::vector<documented> found;
    std::string table;
    std::string kind;
    std::string comment;
    std::istringstream lines{text};
    for (std::string line; std::getline(lines, line);) {
        if (line.starts_with("# ")) {
            comment += (comment.empty() ? "" : " ") + line.substr(2);
            continue;
        }
        if (line.starts_with('#')) line.erase(0, 1);
        if (line.starts_with('[')) {
            const auto begin = line.find_first_not_of('[');
            table = line.substr(begin, line.find(']') - begin) + '.';
        } else if (const auto equals = line.find(" = "); equals != std::string::npos) {
            const auto key = line.substr(0, equals);
            const auto value = line.substr(equals + 3);
            if (table == "sinks." && key == "kind") kind = value.substr(1, value.size() - 2) + '.';
            const bool own = table == "sinks." && !find(sink_options(), key);
            found.push_back({table + (own ? kind : "") + key, value, comment});
        }
        comment.clear();
    }
    return found;
}

/// Checks that the file has the option once or more, and each time with its default.
template <class Owner>
void check_documented(
    const std::vector<documented>& lines, const std::string& prefix, std::span<const option<Owner>> options
) {
    Owner defaults;
    for (const auto& row : options) {
        const auto key = prefix + std::string{row.key};
        const auto in = row.in(defaults);
        const auto explanation =
            std::string{row.sentence} + " Values: " + values(expectation_of(row), in) + '.';
        CAPTURE(key, explanation);
        bool found = false;
        bool explained = false;
        for (const auto& line : lines) {
            if (line.key != key) continue;
            found = true;
            explained = explained || line.comment == explanation;
            if (prefix.empty() || !is_required(row.key)) {
                CHECK(line.literal == literal(in, row.written));
            }
        }
        CHECK(found);
        CHECK(explained);
    }
}

std::string with_all_in_force(const std::string& text) {
    std::string result;
    std::istringstream lines{text};
    for (std::string line; std::getline(lines, line);) {
        const bool off = line.size() > 1 && line[0] == '#' && line[1] != ' ';
        result.append(line, off ? 1 : 0).append("\n");
    }
    return result;
}

} // namespace

TEST_CASE("docs/configuration.md has the table of options as it is", "[config]") {
    const auto document = content(root + "/docs/configuration.md");
    std::vector<std::string> tables{markdown(options()), markdown(sink_options()), markdown(key_options())};
    for (const auto kind : sink_kinds()) {
        if (!sink_options(kind).empty()) tables.push_back(markdown(sink_options(kind)));
    }
    for (const auto& table : tables) {
        INFO("expected in the document:\n" << table);
        CHECK(document.find('\n' + table + '\n') != std::string::npos);
    }
}

TEST_CASE("config/trackd.toml is the default", "[config]") {
    CHECK(load({root + "/config/trackd.toml", {}, {}}) == load({}));
}

TEST_CASE("config/trackd.toml names and explains every option with its default", "[config]") {
    const auto lines = documented_options(content(root + "/config/trackd.toml"));
    check_documented(lines, "", options());
    check_documented(lines, "sinks.", sink_options());
    check_documented(lines, "keys.", key_options());
    for (const auto kind : sink_kinds()) {
        check_documented(lines, "sinks." + std::string{to_string(kind)} + '.', sink_options(kind));
    }
}

TEST_CASE("config/trackd.toml stays right when all that is commented out is put in force", "[config]") {
    const auto all = load_text(with_all_in_force(content(root + "/config/trackd.toml")));
    CHECK(all.sinks.size() == sink_kinds().size());
    CHECK(all.keys.size() == 1);
}
