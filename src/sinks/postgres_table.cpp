#include "sinks/postgres_table.hpp"

#include "sinks/postgres_rows.hpp"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <array>
#include <utility>

namespace trackd::sinks {

namespace {

constexpr std::size_t most_reported = 5;

std::string_view name_of_type(std::uint32_t type) {
    switch (type) {
    case 17: return "bytea";
    case 25: return "text";
    case 1184: return "timestamp with time zone";
    default: return "jsonb";
    }
}

std::string_view name_of_kind(char kind) {
    switch (kind) {
    case 'v': return "a view";
    case 'm': return "a materialized view";
    case 'f': return "a foreign table";
    case 'S': return "a sequence";
    case 'i':
    case 'I': return "an index";
    default: return "no table";
    }
}

/// Collects what does not fit, the first ones with their texts.
class misfit_list {
public:
    void add(std::string_view sqlstate, const std::string& text) {
        if (count_ == 0) found_.sqlstate = sqlstate;
        if (count_ < most_reported) found_.text.append(count_ == 0 ? "" : "; ").append(text);
        ++count_;
    }

    [[nodiscard]] std::optional<postgres_misfit> take() && {
        if (count_ == 0) return std::nullopt;
        if (count_ > most_reported) found_.text += fmt::format("; and {} more", count_ - most_reported);
        return std::move(found_);
    }

private:
    postgres_misfit found_;
    std::size_t count_ = 0;
};

const postgres_table_column* find_column(const postgres_table& table, std::string_view name) {
    const auto found = std::ranges::find(table.columns, name, &postgres_table_column::name);
    return found == table.columns.end() ? nullptr : &*found;
}

bool is_written(std::string_view name) {
    return std::ranges::find(postgres_columns, name, &postgres_column::name) != postgres_columns.end();
}

bool is_key(std::string_view name) {
    return name == "id" || name == "source";
}

void check_kind(const postgres_table& table, misfit_list& misfits) {
    if (table.kind != 'r' && table.kind != 'p')
        misfits.add("42809", fmt::format("it is {}, expected a table", name_of_kind(table.kind)));
    else if (table.persistence == 't')
        misfits.add("42809", "it is a temporary table, expected a permanent one");
}

void check_types(const postgres_table& table, misfit_list& misfits) {
    for (const auto& written : postgres_columns) {
        if (find_column(table, written.name) == nullptr)
            misfits.add(
                "42703",
                fmt::format("column {} is missing, expected {}", written.name, name_of_type(written.type))
            );
    }
    for (const auto& written : postgres_columns) {
        const auto* column = find_column(table, written.name);
        if (column == nullptr) continue;
        if (column->type != written.type)
            misfits.add(
                "42804", fmt::format(
                             "column {} is {}, expected {}", written.name, column->type_name,
                             name_of_type(written.type)
                         )
            );
        if (column->is_generated)
            misfits.add(
                "428C9", fmt::format("column {} is generated, expected one that is written", written.name)
            );
    }
}

// A trigger may fill such a column in.
void check_other_columns(const postgres_table& table, misfit_list& misfits) {
    if (table.has_row_triggers) return;
    for (const auto& column : table.columns) {
        if (is_written(column.name) || !column.not_null || column.has_default || column.is_generated)
            continue;
        misfits.add(
            "23502",
            fmt::format(
                "column {} is NOT NULL and has no default, expected a default or NULL allowed", column.name
            )
        );
    }
}

/// What ON CONFLICT (source, id) chooses: each of them has to do.
bool is_chosen(const postgres_table_index& index) {
    return index.columns == "id, source" && index.is_valid && !index.has_expressions && !index.is_partial;
}

/// Empty if it is a key as it should be.
std::string fault_of(const postgres_table_index& index) {
    if (index.columns != "id, source") return "on (" + index.columns + ")";
    if (index.has_expressions) return "with an expression";
    if (index.is_partial) return "partial";
    if (!index.is_valid) return "invalid";
    if (!index.is_immediate) return "deferrable";
    return index.is_deterministic ? "" : "with a collation that takes different texts as equal";
}

void check_key(const postgres_table& table, misfit_list& misfits) {
    std::string others;
    bool has_key = false;
    bool is_sound = true;
    for (const auto& index : table.unique_indexes) {
        const auto fault = fault_of(index);
        has_key |= fault.empty();
        is_sound &= fault.empty() || !is_chosen(index);
        if (!fault.empty())
            others.append(others.empty() ? "" : ", ").append(index.name).append(" ").append(fault);
    }
    if (!has_key || !is_sound)
        misfits.add(
            "42P10", fmt::format(
                         "the key is {}, expected a unique index on (source, id) that is valid, not partial "
                         "and not deferrable",
                         others.empty() ? "missing" : "not usable (found " + others + ")"
                     )
        );
}

void check_rules(const postgres_table& table, misfit_list& misfits) {
    if (!table.rules.empty())
        misfits.add("0A000", "it has the rules " + table.rules + ", expected none for INSERT and UPDATE");
}

void check_privileges(const postgres_table& table, misfit_list& misfits) {
    std::string insert;
    std::string select;
    for (const auto& column : table.columns) {
        if (!is_written(column.name)) continue;
        if (!column.can_insert) insert.append(insert.empty() ? "" : ", ").append(column.name);
        if (!column.can_select && is_key(column.name))
            select.append(select.empty() ? "" : ", ").append(column.name);
    }
    for (const auto& [privilege, columns] : {std::pair{"INSERT", insert}, std::pair{"SELECT", select}}) {
        if (!columns.empty())
            misfits.add("42501", fmt::format("the user {} lacks {} on {}", table.user, privilege, columns));
    }
}

} // namespace

std::optional<postgres_misfit> find_misfit(const postgres_table& table) {
    misfit_list misfits;
    check_kind(table, misfits);
    if (auto misfit = std::move(misfits).take()) return misfit;
    misfit_list others;
    check_types(table, others);
    check_other_columns(table, others);
    check_key(table, others);
    check_rules(table, others);
    check_privileges(table, others);
    return std::move(others).take();
}

} // namespace trackd::sinks
