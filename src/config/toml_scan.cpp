// Lines, table headers, and values that span several lines.
#include "config/toml_scan.hpp"

#include "config/load.hpp"
#include "config/toml.hpp"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace trackd::config {
namespace {

using path = std::vector<std::string>;

constexpr std::size_t max_value_lines = 64; // of an array that spans several
constexpr std::size_t max_retries = 10'000; // of values that span several lines, in the whole file

std::optional<table> parsed(const std::string& text) {
    try {
        return std::get<table>(parse_toml(text, "").content);
    } catch (const error&) {
        return {};
    }
}

std::string_view trimmed(std::string_view line) {
    constexpr std::string_view blank = " \t\r";
    line.remove_prefix(std::min(line.size(), line.find_first_not_of(blank)));
    line.remove_suffix(line.size() - (line.find_last_not_of(blank) + 1));
    return line;
}

std::vector<std::string_view> split_lines(std::string_view text) {
    constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";
    if (text.starts_with(byte_order_mark)) text.remove_prefix(byte_order_mark.size());
    std::vector<std::string_view> lines;
    while (!text.empty()) {
        const auto end = std::min(text.find('\n'), text.size());
        lines.push_back(trimmed(text.substr(0, end)));
        text.remove_prefix(std::min(text.size(), end + 1));
    }
    return lines;
}

/// The quotes of a string that begins on this line and goes on; nothing if there is none.
std::string_view opened_quotes(std::string_view line) {
    for (const std::string_view quotes : {R"(""")", "'''"}) {
        std::size_t count = 0;
        for (auto at = line.find(quotes); at != line.npos; at = line.find(quotes, at + quotes.size()))
            ++count;
        if (count % 2 == 1) return quotes;
    }
    return {};
}

void merge(table& into, table from) {
    for (auto& [key, where, content] : from) {
        auto* existing = find(into, key);
        if (!existing) {
            into.push_back({key, where, std::move(content)});
            continue;
        }
        auto* inner = std::get_if<table>(&existing->content);
        auto* added = std::get_if<table>(&content.content);
        if (inner && added) merge(*inner, std::move(*added));
    }
}

class scanner {
public:
    scanner(std::string_view text, std::span<const std::string_view> wanted)
        : lines_{split_lines(text)}, wanted_{wanted} {}

    table scan() {
        while (next_ < lines_.size()) {
            const auto line = lines_[next_++];
            if (line.empty() || line.front() == '#') continue;
            if (line.front() == '[')
                enter_table(line);
            else if (!is_relevant() || !take_value(line))
                skip_string(line);
        }
        return std::move(found_);
    }

private:
    // The keys after a header that cannot be read belong to an unknown table.
    void enter_table(std::string_view line) {
        path_.clear();
        known_ = false;
        const auto header = parsed(std::string{line});
        const auto* inner = header ? &*header : nullptr;
        if (!inner || inner->empty()) return;
        while (inner && !inner->empty()) {
            path_.push_back(inner->front().key);
            inner = std::get_if<table>(&inner->front().content.content);
        }
        known_ = inner != nullptr; // else an array of tables, none of which is wanted
    }

    [[nodiscard]] bool is_wanted(std::string_view key) const {
        return std::ranges::find(wanted_, key) != wanted_.end();
    }

    [[nodiscard]] bool is_relevant() const { return known_ && (path_.empty() || is_wanted(path_.front())); }

    /// @return whether the line, with some of those that follow, can be read
    bool take_value(std::string_view line) {
        std::string text{line};
        const bool may_go_on = line.find('[') != line.npos || !opened_quotes(line).empty();
        const auto most = may_go_on ? std::min(lines_.size(), next_ + max_value_lines) : next_;
        auto end = next_;
        auto content = parsed(text);
        for (; !content && end < most && retries_ < max_retries; ++end, ++retries_) {
            text.append("\n").append(lines_[end]);
            content = parsed(text);
        }
        if (!content) return false;
        next_ = end;
        keep(std::move(*content));
        return true;
    }

    void keep(table content) {
        for (auto name = path_.rbegin(); name != path_.rend(); ++name) {
            table outer;
            outer.push_back({*name, {}, {std::move(content), {}}});
            content = std::move(outer);
        }
        std::erase_if(content, [this](const member& entry) { return !is_wanted(entry.key); });
        merge(found_, std::move(content));
    }

    // The lines of a string that spans several are no keys, unless the string has no end.
    void skip_string(std::string_view line) {
        const auto quotes = opened_quotes(line);
        if (quotes.empty()) return;
        const auto rest = lines_.begin() + static_cast<std::ptrdiff_t>(next_);
        const auto last = std::find_if(rest, lines_.end(), [quotes](std::string_view later) {
            return later.find(quotes) != later.npos;
        });
        if (last != lines_.end()) next_ = static_cast<std::size_t>(last - lines_.begin()) + 1;
    }

    std::vector<std::string_view> lines_;
    std::span<const std::string_view> wanted_;
    std::size_t next_ = 0;    // the line that is read next
    std::size_t retries_ = 0; // with one more line
    path path_;               // of the table that the lines belong to
    bool known_ = true;       // false: it is not known which one that is
    table found_;
};

} // namespace

table scan_toml(std::string_view text, std::span<const std::string_view> wanted) {
    return scanner{text, wanted}.scan();
}

} // namespace trackd::config
