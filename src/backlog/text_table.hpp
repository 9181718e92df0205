// Rows of text in columns, for people.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace trackd::journal {

class text_table {
public:
    enum class align { left, right };

    struct column {
        std::string_view title;
        align side;
    };

    explicit text_table(std::vector<column> columns) : columns_{std::move(columns)} {}

    /// @param row as many as there are columns
    void add(std::vector<std::string> row) { rows_.push_back(std::move(row)); }

    /// A line for the titles, and one for each row.
    [[nodiscard]] std::string text() const;

private:
    std::vector<column> columns_;
    std::vector<std::vector<std::string>> rows_;
};

} // namespace trackd::journal
