#include "backlog/text_table.hpp"

#include <algorithm>

namespace trackd::journal {

std::string text_table::text() const {
    std::vector<std::size_t> widths;
    for (std::size_t i = 0; i < columns_.size(); ++i) {
        auto width = columns_[i].title.size();
        for (const auto& row : rows_)
            width = std::max(width, row[i].size());
        widths.push_back(width);
    }
    std::string all;
    const auto put = [&](std::size_t i, std::string_view cell) {
        const bool last = i + 1 == columns_.size();
        const std::string fill(widths[i] - cell.size(), ' ');
        if (columns_[i].side == align::right) all += fill;
        all += cell;
        if (columns_[i].side == align::left && !last) all += fill;
        all += last ? "\n" : "  ";
    };
    for (std::size_t i = 0; i < columns_.size(); ++i)
        put(i, columns_[i].title);
    for (const auto& row : rows_) {
        for (std::size_t i = 0; i < columns_.size(); ++i)
            put(i, row[i]);
    }
    return all;
}

} // namespace trackd::journal
