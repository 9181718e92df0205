#include "intake/presented_key.hpp"
#include "support/catch.hpp"

namespace http = trackd::http;

namespace {

struct head {
    head& with(http::field id, std::string_view name, std::string_view value) {
        req.headers.push_back({id, name, value});
        return *this;
    }

    head& authorization(std::string_view value) {
        return with(http::field::authorization, "Authorization", value);
    }

    head& api_key(std::string_view value) { return with(http::field::unknown, "x-api-key", value); }

    head& query(std::string_view text) {
        req.query = text;
        return *this;
    }

    std::string key() {
        std::string room;
        const auto shown = trackd::intake::presented_key(req, room);
        return shown ? std::string{shown->text} : "none";
    }

    bool is_bearer() {
        std::string room;
        return trackd::intake::presented_key(req, room)->is_bearer;
    }

    http::request req;
};

} // namespace

TEST_CASE("a key is found in each of its places", "[intake][keys]") {
    CHECK(head{}.authorization("Bearer trk_1").key() == "trk_1");
    CHECK(head{}.authorization("bearer  trk_1").key() == "trk_1");
    CHECK(head{}.authorization("Basic dHJrXzE6").key() == "trk_1");         // trk_1:
    CHECK(head{}.authorization("Basic dHJrXzE6cHc6eA==").key() == "trk_1"); // trk_1:pw:x
    CHECK(head{}.authorization("basic dHJrXzEw").key() == "trk_10");        // without a colon
    CHECK(head{}.api_key("trk_1").key() == "trk_1");
    CHECK(head{}.query("key=trk_1").key() == "trk_1");
    CHECK(head{}.query("a=b&writeKey=trk_1&c").key() == "trk_1");
    CHECK(head{}.query("access_token=trk%5F1").key() == "trk_1");
}

TEST_CASE("what is no key is none", "[intake][keys]") {
    CHECK(head{}.key() == "none");
    for (const auto* value :
         {"", "Bearer", "Bearer ", "Basic", "Basic !!!!", "Basic dHJ", "Basic OnB3", "Digest x", "trk_1"})
        CHECK(head{}.authorization(value).key() == "none");
    for (const auto* text : {"key", "key=", "Key=trk_1", "xkey=trk_1", "key=%zz", "&&=", "writekey=trk_1"})
        CHECK(head{}.query(text).key() == "none");
    CHECK(head{}.api_key("").key() == "none");
}

TEST_CASE("of several keys the one in Authorization counts, then X-Api-Key", "[intake][keys]") {
    CHECK(head{}.query("key=q").api_key("x").authorization("Bearer a").key() == "a");
    CHECK(head{}.query("key=q").api_key("x").key() == "x");
    CHECK(head{}.query("key=q").api_key("x").authorization("Splunk s").key() == "x");
    CHECK(head{}.query("key=q&key=r").key() == "q");
}

TEST_CASE("only a bearer's key may be something else", "[intake][keys]") {
    CHECK(head{}.authorization("Bearer a").is_bearer());
    CHECK_FALSE(head{}.authorization("Basic dHJrXzE6").is_bearer());
    CHECK_FALSE(head{}.api_key("x").is_bearer());
    CHECK_FALSE(head{}.query("key=q").is_bearer());
}
