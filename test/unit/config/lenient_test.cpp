// What is read of a configuration that has errors.
#include "config/lenient.hpp"
#include "config/toml_scan.hpp"
#include "helpers.hpp"
#include "support/catch.hpp"

#include <string>
#include <vector>

using namespace trackd;
using namespace trackd::config;
using config::test::strings;
using config::test::temporary_file;
using config::test::variables;

namespace {

daemon_location location(std::string_view toml, variables environment = {}, strings set = {}) {
    const temporary_file file{toml};
    return load_location({file.path(), std::move(environment), std::move(set)});
}

const strings default_listen{"127.0.0.1:8081"};

} // namespace

TEST_CASE("the location of the daemon is read from any file that has it", "[config][lenient]") {
    struct row {
        const char* name;
        std::string toml;
        bool broken = true; // the file has no TOML, or one of the options read has an error
    };

    const std::string top = "data_dir = \"/d\"\n";
    const std::string admin = "[admin]\nlisten = \"127.0.0.1:9\"\ntoken = \"0123456789abcdef\"\n";
    const auto rows = std::vector<row>{
        {"right", top + admin, false},
        {"an unknown option", top + "colour = \"red\"\n" + admin, false},
        {"an unknown table", top + admin + "[unknown]\nx = 1\n", false},
        {"an unknown option of admin", top + admin + "colour = 1\n"},
        {"a wrong value elsewhere", top + "[http]\nthreads = \"many\"\n" + admin, false},
        {"a contradiction elsewhere", top + "[backlog]\nkind = \"memory\"\n" + admin, false},
        {"a secret that is not there", top + admin + "[[keys]]\nname = \"k\"\nsha256 = \"${file:/none}\"\n",
         false},
        {"a variable that is not set", top + admin + "[tracker]\nsource = \"${NONE}\"\n", false},
        {"no closing quote, later", top + admin + "[http]\nlisten = \"127.0.0.1:8\n"},
        {"no closing quote, before", "x = \"y\n" + top + admin},
        {"no closing quote, between", top + "[http]\nlisten = \"127.0.0.1:8\n" + admin},
        {"no closing bracket, later", top + admin + "[http\nthreads = 1\n"},
        {"no closing bracket, between", top + "[http\nlisten = \"127.0.0.1:8\"\n" + admin},
        {"no value", top + admin + "[http]\nthreads =\n"},
        {"no equals sign", top + "nonsense\n" + admin},
        {"a key twice", top + top + admin},
        {"a table twice", top + admin + admin},
        {"an array that is not closed", top + admin + "[http]\nlisten = [\"127.0.0.1:8\",\n"},
        {"a conflict of a merge", "<<<<<<< HEAD\n" + top + "=======\n>>>>>>> b\n" + admin},
        {"no UTF-8", top + admin + "x = \"\xff\"\n"},
        {"a string without an end", top + "x = \"\"\"\n" + admin},
        {"a byte order mark", "\xEF\xBB\xBF" + top + "nonsense\n" + admin},
        {"dotted keys", top + "admin.listen = \"127.0.0.1:9\"\nadmin.token = \"0123456789abcdef\"\nnonsense\n"
        },
        {"an inline table",
         top + "admin = { listen = \"127.0.0.1:9\", token = \"0123456789abcdef\" }\nnonsense\n"},
        {"quoted keys", "\"data_dir\" = '/d'\n[\"admin\"]\n\"listen\" = '127.0.0.1:9'\ntoken = "
                        "'0123456789abcdef'\nnonsense\n"},
        {"an array over lines", top + "[admin]\nlisten = [\n  \"127.0.0.1:9\", # here\n]\ntoken = "
                                      "\"0123456789abcdef\"\nnonsense\n"},
        {"a string over lines in another table",
         top + "[tracker]\nsource = \"\"\"\n[admin]\nlisten = \"127.0.0.1:7\"\n\"\"\"\n" + admin +
             "nonsense\n"},
        {"lines that end in CR LF",
         "data_dir = \"/d\"\r\nnonsense\r\n[admin]\r\nlisten = \"127.0.0.1:9\"\r\ntoken "
         "= \"0123456789abcdef\"\r\n"},
    };
    for (const auto& row : rows) {
        CAPTURE(row.name);
        const auto found = location(row.toml);
        CHECK(found.data_dir == "/d");
        CHECK(found.data_dir_given);
        CHECK(found.admin.listen == strings{"127.0.0.1:9"});
        CHECK(found.admin.token == "0123456789abcdef");
        CHECK(found.problem.empty() != row.broken);
    }
}

TEST_CASE("an option that cannot be read has its default", "[config][lenient]") {
    struct row {
        std::string toml;
        std::string data_dir;
        strings listen;
    };

    const auto rows = std::vector<row>{
        {"", "./data", default_listen},
        {"nonsense", "./data", default_listen},
        {"data_dir = 5\n[admin]\nlisten = \"127.0.0.1:9\"", "./data", {"127.0.0.1:9"}},
        {"data_dir = \"${file:/none}\"\n[admin]\nlisten = \"nowhere\"", "./data", default_listen},
        {"data_dir = \"/d\"\nadmin = 1", "/d", default_listen},
        {"[http\nlisten = \"127.0.0.1:9\"", "./data", default_listen},
        {"[[sinks]]\nlisten = \"127.0.0.1:9\"\ndata_dir = \"/d\"\nnonsense", "./data", default_listen},
        {"[admin]\nlisten = [\"127.0.0.1:9\"\n[http]\nthreads = 1\n", "./data", default_listen},
    };
    for (const auto& row : rows) {
        CAPTURE(row.toml);
        const auto found = location(row.toml);
        CHECK(found.data_dir == row.data_dir);
        CHECK(found.data_dir_given == (row.data_dir != "./data"));
        CHECK(found.admin.listen == row.listen);
    }
}

TEST_CASE("a file that is not there is a problem, not an error", "[config][lenient]") {
    const auto found = load_location({"/no/such/file.toml", {}, {}});
    CHECK(found.problem == "/no/such/file.toml: cannot be read: No such file or directory");
    CHECK(found.admin.listen == default_listen);
    CHECK(load_location({}).problem.empty());
}

TEST_CASE("environment and --set lie over a broken file", "[config][lenient]") {
    const std::string broken =
        "nonsense\ndata_dir = \"/file\"\n[admin]\nlisten = \"127.0.0.1:1\"\ntoken = \"${T}\"\n";
    auto found = location(
        broken, {{"TRACKD_DATA_DIR", "/variable"},
                 {"TRACKD_ADMIN__LISTEN", "127.0.0.1:2"},
                 {"T", "0123456789abcdef"},
                 {"TRACKD_HTTP__THREADS", "wrong"}}
    );
    CHECK(found.data_dir == "/variable");
    CHECK(found.admin.listen == strings{"127.0.0.1:2"});
    CHECK(found.admin.token == "0123456789abcdef");
    CHECK_FALSE(found.listen_typed);
    CHECK_FALSE(found.token_typed);
    found = location(
        broken, {{"TRACKD_ADMIN__LISTEN", "127.0.0.1:2"}},
        {"admin.listen=127.0.0.1:3", "data_dir=/set", "admin.token=fedcba9876543210", "sinks.none.path=/x",
         "admin.tls.certificate=/c"}
    );
    CHECK(found.data_dir == "/set");
    CHECK(found.admin.listen == strings{"127.0.0.1:3"});
    CHECK(found.admin.token == "fedcba9876543210");
    CHECK((found.listen_typed && found.token_typed && found.certificate_typed));
}

TEST_CASE("an error in what was typed is one", "[config][lenient]") {
    for (const auto* set :
         {"nonsense", "colour=red", "admin.listen=nowhere", "admin.token=", "http.threads=many"}) {
        CAPTURE(set);
        const temporary_file file{"data_dir = \"/d\"\n"};
        const sources from{file.path(), {{"TRACKD_HTTP__THREADS", "wrong"}}, {set}};
        if (std::string_view{set} == "admin.token=")
            CHECK(load_location(from).admin.token.empty());
        else
            CHECK_THROWS_AS(load_location(from), error);
    }
}
