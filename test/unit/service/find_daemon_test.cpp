// Which daemon a command asks, and what it shows there.
#include "service/find_daemon.hpp"
#include "support/catch.hpp"
#include "support/temporary_directory.hpp"

#include <filesystem>
#include <fstream>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

using namespace trackd;
using service::choose_contact;
using service::parse_admin_option;

namespace {

const service::admin_access left_by_daemon{42, {"127.0.0.1:2", "unix:/s"}, "/left.pem", "left"};

config::daemon_location configured(std::string listen = "127.0.0.1:1") {
    config::daemon_location location;
    location.data_dir = "/d";
    location.admin.listen = {std::move(listen)};
    location.admin.token = "configured";
    location.admin.tls.certificate = "/configured.pem";
    return location;
}

service::found_admin_file left() {
    return {left_by_daemon, {}};
}

std::string chosen(const service::daemon_contact& contact) {
    return contact.address + ' ' + contact.source + ' ' + contact.certificate + ' ' + contact.token;
}

} // namespace

TEST_CASE("the order is --admin, --set, what the daemon left, the configuration", "[service][find_daemon]") {
    struct row {
        const char* admin;
        bool set;
        bool left;
        const char* expected;
    };

    const auto rows = std::vector<row>{
        {"", false, false, "127.0.0.1:1 admin.listen /configured.pem configured"},
        {"", true, false, "127.0.0.1:1 admin.listen /configured.pem configured"},
        {"", false, true, "127.0.0.1:2 /d/admin.json /left.pem left"},
        {"", true, true, "127.0.0.1:1 admin.listen /configured.pem configured"},
        {"127.0.0.1:3", false, false, "127.0.0.1:3 --admin /configured.pem configured"},
        {"127.0.0.1:3", true, true, "127.0.0.1:3 --admin /configured.pem configured"},
        {"127.0.0.1:2", false, true, "127.0.0.1:2 --admin /left.pem left"},
        {"https://127.0.0.1:2", false, true, "127.0.0.1:2 --admin /left.pem left"},
        {"http://127.0.0.1:2", false, true, "127.0.0.1:2 --admin  left"},
        {"unix:/s", true, true, "unix:/s --admin /left.pem left"},
        {"unix:/other", true, true, "unix:/other --admin /configured.pem configured"},
        {"trackd.example:2", false, true, "trackd.example:2 --admin /configured.pem configured"},
    };
    for (const auto& row : rows) {
        CAPTURE(row.expected, row.admin, row.set, row.left);
        const std::string admin{row.admin};
        auto location = configured();
        location.listen_typed = row.set;
        const auto typed = admin.empty() ? std::nullopt : std::optional{parse_admin_option(admin)};
        const auto contact =
            choose_contact(typed, "", location, row.left ? left() : service::found_admin_file{});
        CHECK(chosen(contact) == row.expected);
        CHECK(contact.runs == (row.left && !row.set && admin.empty()));
        CHECK(contact.notes.empty());
    }
}

TEST_CASE("what is typed beats what the daemon left", "[service][find_daemon]") {
    auto location = configured();
    CHECK(choose_contact({}, "typed", location, left()).token == "typed");
    CHECK(choose_contact({}, "typed", location, {}).token == "typed");
    location.token_typed = true;
    CHECK(choose_contact({}, "", location, left()).token == "configured");
    CHECK(choose_contact({}, "", location, left()).certificate == "/left.pem");
    location.certificate_typed = true;
    CHECK(choose_contact({}, "", location, left()).certificate == "/configured.pem");
    location.listen_typed = true;
    location.admin.listen = {"127.0.0.1:0"};
    CHECK(choose_contact({}, "", location, left()).address == "127.0.0.1:2");
}

TEST_CASE("a listener of all interfaces is known by loopback", "[service][find_daemon]") {
    const auto token = [](const std::string& bound, const std::string& asked) {
        const service::found_admin_file found{service::admin_access{1, {bound}, {}, "left"}, {}};
        auto location = configured();
        location.admin.tls.certificate.clear();
        return choose_contact(parse_admin_option(asked), "", location, found).token;
    };
    CHECK(token("0.0.0.0:2", "127.0.0.1:2") == "left");
    CHECK(token("[::]:2", "localhost:2") == "left");
    CHECK(token("[::]:2", "*:2") == "left");
    CHECK(token("[::]:2", "[::1]:2") == "left");
    CHECK(token("[::]:2", "127.0.0.1:3") == "configured");
    CHECK(token("[::]:2", "192.0.2.1:2") == "configured");
    CHECK(token("127.0.0.1:2", "[::1]:2") == "configured");
}

TEST_CASE("the first address of the configuration that leads somewhere is asked", "[service][find_daemon]") {
    auto location = configured();
    location.admin.listen = {"systemd", "127.0.0.1:0", "unix:/s", "127.0.0.1:1"};
    CHECK(choose_contact({}, "", location, {}).address == "unix:/s");
    location.admin.listen = {"systemd:admin"};
    location.problem = "file:3:1: an error";
    try {
        static_cast<void>(choose_contact({}, "", location, {{}, "/d/admin.json is stale"}));
        FAIL("an address was found");
    } catch (const service::no_daemon& why) {
        const std::string text{why.what()};
        CAPTURE(text);
        CHECK(text.find("admin.listen is \"systemd:admin\"") != text.npos);
        CHECK(text.find("--admin ADDRESS") != text.npos);
        CHECK(text.ends_with("; /d/admin.json is stale; file:3:1: an error"));
    }
}

TEST_CASE("notes say why the configuration was asked", "[service][find_daemon]") {
    auto location = configured();
    location.problem = "file:3:1: an error";
    const auto contact = choose_contact({}, "", location, {{}, "/d/admin.json is stale"});
    CHECK(contact.notes == std::vector<std::string>{"/d/admin.json is stale", "file:3:1: an error"});
    CHECK(choose_contact({}, "", location, left()).notes.empty());
}

TEST_CASE("an address or a URL is taken for --admin", "[service][find_daemon]") {
    struct row {
        const char* text;
        const char* address;
        std::optional<bool> tls;
    };

    const auto rows = std::vector<row>{
        {"127.0.0.1:8081", "127.0.0.1:8081", {}},
        {"[::1]:8081", "[::1]:8081", {}},
        {"localhost:8081", "127.0.0.1:8081", {}},
        {"unix:/run/trackd.sock", "unix:/run/trackd.sock", {}},
        {"http://127.0.0.1:8081", "127.0.0.1:8081", false},
        {"http://localhost:8081/", "127.0.0.1:8081", false},
        {"https://trackd-1.example.org:8081", "trackd-1.example.org:8081", true},
        {"https://[::1]:8081", "[::1]:8081", true},
        {"trackd:8081", "trackd:8081", {}},
    };
    for (const auto& row : rows) {
        CAPTURE(row.text);
        const auto option = parse_admin_option(row.text);
        CHECK(option.address == row.address);
        CHECK(option.tls == row.tls);
    }
    for (const auto* text :
         {"x", "127.0.0.1", "127.0.0.1:0", "127.0.0.1:99999", "unix:relative", "systemd", "systemd:admin",
          "ftp://127.0.0.1:1", "http://127.0.0.1:1/status", "http://user@host:1", "http://unix:/s", "http://",
          "a b:1", "host:0", "host:", "http://host", "::1:1"}) {
        CAPTURE(text);
        CHECK_THROWS_AS(parse_admin_option(text), std::invalid_argument);
    }
}

TEST_CASE("https needs a certificate to compare", "[service][find_daemon]") {
    auto location = configured();
    location.admin.tls.certificate.clear();
    CHECK_THROWS_AS(
        choose_contact(parse_admin_option("https://127.0.0.1:3"), "", location, left()), std::invalid_argument
    );
}

TEST_CASE("the data directory of a broken file is searched", "[service][find_daemon]") {
    const test::temporary_directory directory;
    const auto file = (directory / "broken.toml").string();
    std::ofstream{file} << "data_dir = \"" << directory.path().string()
                        << "\"\nnonsense\n[admin]\nlisten = \"127.0.0.1:0\"\n";
    const auto token_file = (directory / "token").string();
    std::ofstream{token_file} << "typed\r\n";
    service::admin_file daemon{directory.path().string()};
    daemon.write(left_by_daemon);
    auto contact = service::find_daemon({{file, {}, {}}, {}, token_file});
    CHECK(chosen(contact) == "127.0.0.1:2 " + (directory / "admin.json").string() + " /left.pem typed");
    CHECK(contact.runs);
    daemon.remove();
    CHECK_THROWS_AS(service::find_daemon({{file, {}, {}}, {}, {}}), service::no_daemon);
    for (const auto* text : {"", "\n", "a b", "a\nb"}) {
        std::ofstream{token_file} << text;
        CHECK_THROWS_WITH(
            service::find_daemon({{file, {}, {}}, {}, token_file}),
            Catch::Matchers::StartsWith("--token-file: ")
        );
    }
    CHECK_THROWS(service::find_daemon({{file, {}, {}}, {}, (directory / "none").string()}));
    CHECK_THROWS_AS(service::find_daemon({{file, {}, {"nonsense"}}, {}, {}}), config::error);
}
