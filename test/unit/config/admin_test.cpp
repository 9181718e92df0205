// The admin listener: who may reach it, and the token that others have to show.
#include "helpers.hpp"
#include "support/catch.hpp"

using namespace trackd::config;
using namespace trackd::config::test;

namespace {

const std::string token = "admin.token = \"0123456789abcdef\"\n";

} // namespace

TEST_CASE("on this machine the admin listener needs no token", "[config][admin]") {
    for (const auto* address :
         {"127.0.0.1:0", "127.7.7.7:1", "localhost:1", "[::1]:1", "unix:/run/a", "systemd:admin"}) {
        CAPTURE(address);
        CHECK(errors("admin.listen = \"" + std::string{address} + '"').empty());
    }
}

TEST_CASE("whoever lets others reach the admin listener has to set a token", "[config][admin]") {
    for (const auto* address : {"*:1", "0.0.0.0:1", "192.0.2.1:1", "[::]:1", "[2001:db8::1]:1"}) {
        CAPTURE(address);
        const auto listen = "admin.listen = [\"127.0.0.1:2\", \"" + std::string{address} + "\"]\n";
        CHECK(errors(listen + token).empty());
        const auto said = the_error(listen);
        CHECK(said.starts_with("FILE:1:16: admin.listen: found \""));
        CHECK(said.find("and no admin.token") != said.npos);
    }
}

TEST_CASE("a token has to be long enough, and is not shown", "[config][admin]") {
    CHECK(load_text(token).admin.token == "0123456789abcdef");
    for (const auto* bad : {"hush0123456789a", "hush 0123456789ab", "hush0123456789\xc3\xa4"}) {
        CAPTURE(bad);
        const auto said = the_error("admin.token = \"" + std::string{bad} + '"');
        CHECK(said.starts_with("FILE:1:15: admin.token: found a value that is not shown, expected at least 16"
        ));
        CHECK(said.find("hush") == said.npos);
    }
    CHECK(to_toml(load_text(token)).find("token = \"********\"\n") != std::string::npos);
}

TEST_CASE("the hashes of keys are written, or masked where that is asked for", "[config][admin]") {
    const std::string digits(64, 'a');
    const auto all = load_text("[[keys]]\nname = \"web\"\nsha256 = \"" + digits + "\"\n");
    CHECK(to_toml(all).find("sha256 = \"" + digits + '"') != std::string::npos);
    const auto masked = to_toml(all, key_hashes::masked);
    CHECK(masked.find("sha256 = \"********\"") != std::string::npos);
    CHECK(masked.find(digits) == std::string::npos);
}

TEST_CASE("no two listeners have addresses of which one excludes the other", "[config][admin]") {
    CHECK(
        the_error("admin.listen = \"127.0.0.1:8080\"\n") ==
        "FILE:1:16: admin.listen: found \"127.0.0.1:8080\", which http.listen has, too; expected a socket of "
        "its own"
    );
    CHECK(the_error("http.listen = \"*:8081\"\n")
              .ends_with(
                  "found \"127.0.0.1:8081\", which http.listen excludes by \"[::]:8081\"; expected a socket "
                  "of its own"
              ));
    CHECK(
        the_error("http.listen = [\"127.0.0.1:9\", \"0.0.0.0:9\"]\n").find("http.listen excludes by") !=
        std::string::npos
    );
    CHECK(errors("http.listen = [\"127.0.0.1:9\", \"[::1]:9\"]\n").empty());
}
