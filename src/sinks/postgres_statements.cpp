#include "sinks/postgres_statements.hpp"

#include "sinks/postgres_rows.hpp"

#include <spdlog/fmt/fmt.h>

#include <stdexcept>

namespace trackd::sinks {

namespace {

// docs/sinks.md shows it, too.
constexpr auto schema = R"((
    id              text NOT NULL,
    source          text NOT NULL,
    type            text NOT NULL,
    time            timestamptz NOT NULL,
    received_at     timestamptz NOT NULL,
    subject         text,
    datacontenttype text,
    data            jsonb,
    data_text       text,
    data_bytes      bytea,
    extensions      jsonb,
    PRIMARY KEY (source, id)
))";

// The transactions that have changed the table, its columns, indexes or triggers; a rule changes the table. Each is found
// through an index of the catalogue: about 0.4 ms of the server's processor time.
constexpr auto versions = R"(ARRAY(
    SELECT xmin::text FROM pg_catalog.pg_class WHERE oid = {oid}
    UNION ALL SELECT xmin::text FROM pg_catalog.pg_attribute WHERE attrelid = {oid} AND attnum > 0
    UNION ALL SELECT xmin::text FROM pg_catalog.pg_index WHERE indrelid = {oid}
    UNION ALL SELECT xmin::text FROM pg_catalog.pg_trigger WHERE tgrelid = {oid} ORDER BY 1))";

// tgtype: 1 for each row, 2 before, 4 insert. ev_type: 2 update, 3 insert.
constexpr auto describe_table = R"(SELECT c.oid, {versions}, c.relkind, c.relpersistence,
    pg_catalog.row_security_active(c.oid),
    EXISTS (SELECT FROM pg_catalog.pg_trigger t WHERE t.tgrelid = c.oid AND t.tgtype & 7 = 7
        AND t.tgenabled IN ('O', 'A')),
    coalesce((SELECT pg_catalog.string_agg(r.rulename, ', ' ORDER BY r.rulename) FROM pg_catalog.pg_rewrite r
        WHERE r.ev_class = c.oid AND r.ev_type IN ('2', '3')), ''),
    current_user
FROM pg_catalog.pg_class c WHERE c.oid = pg_catalog.to_regclass({name});
)";

// The type of a domain is the one that it is made of.
constexpr auto describe_columns = R"(SELECT a.attname, pg_catalog.format_type(a.atttypid, a.atttypmod),
    (WITH RECURSIVE base(oid, modifier) AS (
        SELECT a.atttypid, a.atttypmod
        UNION ALL SELECT t.typbasetype, t.typtypmod FROM base JOIN pg_catalog.pg_type t ON t.oid = base.oid
        WHERE t.typtype = 'd')
     SELECT CASE base.modifier WHEN -1 THEN base.oid::text ELSE '0' END
     FROM base JOIN pg_catalog.pg_type t ON t.oid = base.oid WHERE t.typtype <> 'd'),
    a.attnotnull OR y.typnotnull,
    a.atthasdef OR a.attidentity <> '' OR y.typdefault IS NOT NULL,
    a.attgenerated <> '',
    pg_catalog.has_column_privilege(a.attrelid, a.attnum, 'INSERT'),
    pg_catalog.has_column_privilege(a.attrelid, a.attnum, 'SELECT')
FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_type y ON y.oid = a.atttypid
WHERE a.attrelid = pg_catalog.to_regclass({name}) AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum;
)";

constexpr auto describe_indexes = R"(SELECT n.relname,
    coalesce((SELECT pg_catalog.string_agg(a.attname, ', ' ORDER BY a.attname) FROM pg_catalog.pg_attribute a
        WHERE a.attrelid = i.indrelid AND a.attnum = ANY (i.indkey[0:i.indnkeyatts - 1])), ''),
    i.indexprs IS NOT NULL, i.indpred IS NOT NULL, i.indisvalid, i.indimmediate,
    NOT EXISTS (SELECT FROM pg_catalog.pg_collation o
        WHERE o.oid = ANY (i.indcollation) AND NOT o.collisdeterministic)
FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class n ON n.oid = i.indexrelid
WHERE i.indrelid = pg_catalog.to_regclass({name}) AND i.indisunique ORDER BY n.relname)";

std::string quoted(std::string_view text, char quote, char escaped = '\0') {
    std::string out{quote};
    for (const char c : text)
        out.append(c == quote || c == escaped ? 2 : 1, c);
    return out += quote;
}

/// `"SCHEMA"."TABLE"`.
std::string quoted_table(const std::string& table) {
    std::string out;
    std::string_view rest = table;
    for (int parts = 1;; ++parts) {
        const auto dot = rest.find('.');
        const auto part = rest.substr(0, dot);
        if (part.empty() || part.size() > 63 || parts > 2)
            throw std::runtime_error{
                "table: found \"" + table + "\", expected TABLE or SCHEMA.TABLE, each 1 to 63 bytes long"
            };
        out += quoted(part, '"');
        if (dot == rest.npos) return out;
        out += '.';
        rest.remove_prefix(dot + 1);
    }
}

// With E, whatever standard_conforming_strings says.
std::string literal(std::string_view text) {
    return "E" + quoted(text, '\'', '\\');
}

std::string column_names() {
    std::string names;
    for (const auto& column : postgres_columns)
        names.append(names.empty() ? "" : ", ").append(column.name);
    return names;
}

std::string insert_into(const std::string& table) {
    std::string arrays;
    for (std::size_t i = 1; i <= postgres_columns.size(); ++i)
        arrays += fmt::format("{}${}", i == 1 ? "" : ", ", i);
    return fmt::format(
        "INSERT INTO {} ({}) SELECT * FROM unnest({}) ON CONFLICT (source, id) DO NOTHING", table,
        column_names(), arrays
    );
}

std::string versions_of(std::string_view oid) {
    return fmt::format(versions, fmt::arg("oid", oid));
}

std::string describe(const std::string& table) {
    return fmt::format(
               describe_table, fmt::arg("versions", versions_of("c.oid")), fmt::arg("name", literal(table))
           ) +
           fmt::format(describe_columns, fmt::arg("name", literal(table))) +
           fmt::format(describe_indexes, fmt::arg("name", literal(table)));
}

} // namespace

postgres_statements make_postgres_statements(const std::string& name) {
    const auto table = quoted_table(name);
    return {
        .table = table,
        .create = fmt::format("CREATE TABLE IF NOT EXISTS {} {}", table, schema),
        .describe = describe(table),
        .lock = fmt::format("SELECT FROM ONLY {} WHERE false", table),
        .copy = fmt::format("COPY {} ({}) FROM STDIN (FORMAT binary)", table, column_names()),
        .insert = insert_into(table),
        .find_missing = fmt::format(
            "SELECT pg_catalog.min(n) FROM unnest($1, $2) WITH ORDINALITY AS sent(id, source, n) "
            "WHERE NOT EXISTS (SELECT FROM {} stored WHERE stored.source = sent.source AND stored.id = "
            "sent.id)",
            table
        ),
        .has_rows = fmt::format("SELECT EXISTS (SELECT id FROM {})", table),
        .has_any = fmt::format(
            "SELECT EXISTS (SELECT FROM unnest($1, $2) AS sent(id, source) "
            "JOIN {} stored ON stored.source = sent.source AND stored.id = sent.id)",
            table
        ),
    };
}

std::string make_postgres_guard(const postgres_statements& statements, const postgres_table& table) {
    return fmt::format(
        "/* trackd: has the table changed? */ SELECT 1 / coalesce(pg_catalog.to_regclass({}) = "
        "{}::pg_catalog.regclass AND {} = '{}', false)::int",
        literal(statements.table), table.oid, versions_of(std::to_string(table.oid)), table.versions
    );
}

} // namespace trackd::sinks
