// Another program that has one of trackd's databases open.
#pragma once

#include <sqlite3.h>

#include <filesystem>
#include <stdexcept>
#include <string>
#include <vector>

namespace trackd::test {

/// Somebody else who looks at the database, or holds on to it.
class other_user {
public:
    explicit other_user(const std::filesystem::path& path) {
        if (::sqlite3_open(path.c_str(), &handle_) != SQLITE_OK)
            throw std::runtime_error{"cannot open " + path.string()};
    }

    ~other_user() { ::sqlite3_close(handle_); }

    other_user(const other_user&) = delete;
    other_user& operator=(const other_user&) = delete;

    void run(const std::string& sql) {
        if (::sqlite3_exec(handle_, sql.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK) {
            throw std::runtime_error{sql + ": " + ::sqlite3_errmsg(handle_)};
        }
    }

    /// All rows; each value with its type in front (`text:a`), as NULL, text, blob or integer.
    std::vector<std::vector<std::string>> rows(const std::string& sql) {
        sqlite3_stmt* query = nullptr;
        if (::sqlite3_prepare_v2(handle_, sql.c_str(), -1, &query, nullptr) != SQLITE_OK) {
            throw std::runtime_error{sql + ": " + ::sqlite3_errmsg(handle_)};
        }
        std::vector<std::vector<std::string>> all;
        while (::sqlite3_step(query) == SQLITE_ROW) {
            auto& row = all.emplace_back();
            for (int i = 0; i < ::sqlite3_column_count(query); ++i)
                row.push_back(value(query, i));
        }
        ::sqlite3_finalize(query);
        return all;
    }

    std::string one(const std::string& sql) { return rows(sql).at(0).at(0); }

private:
    static std::string value(sqlite3_stmt* query, int column) {
        const int type = ::sqlite3_column_type(query, column);
        if (type == SQLITE_NULL) return "NULL";
        const auto* bytes = static_cast<const char*>(::sqlite3_column_blob(query, column));
        const auto size = static_cast<std::size_t>(::sqlite3_column_bytes(query, column));
        const std::string content = size == 0 ? std::string{} : std::string{bytes, size};
        return (type == SQLITE_TEXT ? "text:" : type == SQLITE_BLOB ? "blob:" : "integer:") + content;
    }

    sqlite3* handle_ = nullptr;
};

inline std::string count(const std::filesystem::path& path) {
    return other_user{path}.one("SELECT count(*) FROM events");
}

} // namespace trackd::test
