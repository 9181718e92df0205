#include "intake/write_key.hpp"
#include "support/catch.hpp"

using namespace trackd;
using intake::find_write_key;

namespace {

http::request request(std::string_view authorization, std::string_view query = "") {
    http::request req;
    if (!authorization.empty())
        req.headers.push_back({http::field::authorization, "Authorization", authorization});
    req.query = query;
    return req;
}

std::string found(const http::request& req, std::string_view in_body = {}) {
    std::string memory;
    return std::string{find_write_key(req, in_body, memory)};
}

} // namespace

TEST_CASE("the write key is the user name of Basic, with its colon or without", "[intake][writekey]") {
    CHECK(found(request("Basic a2V5MTo=")) == "key1");
    CHECK(found(request("basic  a2V5MQ==")) == "key1");
    CHECK(found(request("Basic a2V5MTpwYXNz")) == "key1");
}

TEST_CASE("the write key is found in body and query, in this order", "[intake][writekey]") {
    const auto req = request("", "a=1&writeKey=q%2Fk&b");
    CHECK(found(req, "body") == "body");
    CHECK(found(req) == "q/k");
    CHECK(found(request("Basic a2V5MTo=", "writeKey=q"), "body") == "key1");
}

TEST_CASE("a bearer's token is the write key where nothing else is", "[intake][writekey]") {
    CHECK(found(request("Bearer token")) == "token");
    CHECK(found(request("Bearer token"), "body") == "body");
    auto req = request("Bearer token");
    req.headers.push_back({http::field::unknown, "x-write-key", "header"});
    CHECK(found(req) == "header");
}

TEST_CASE("no write key is found where there is none", "[intake][writekey]") {
    for (const auto* authorization :
         {"", "Basic", "Basic ", "Basic *", "Basic Og==", "Digest a2V5MTo=", "Bearer"})
        CHECK(found(request(authorization)).empty());
    CHECK(found(request("", "writekey=x&writeKey=")).empty());
}
