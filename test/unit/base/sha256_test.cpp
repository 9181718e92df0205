#include "base/sha256.hpp"
#include "support/catch.hpp"

using namespace trackd::base;

TEST_CASE("the hash is that of FIPS 180-4", "[base]") {
    CHECK(to_hex(sha256("abc")) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    CHECK(to_hex(sha256("")) == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

TEST_CASE("a hash reads back from its digits, whatever their case", "[base]") {
    CHECK(sha256_from_hex(to_hex(sha256("abc"))) == sha256("abc"));
    CHECK(
        sha256_from_hex("BA7816BF8F01CFEA414140DE5DAE2223B00361A396177A9CB410FF61F20015AD") == sha256("abc")
    );
}

TEST_CASE("what is no hash is not read", "[base]") {
    const std::string digits(64, '0');
    CHECK_FALSE(sha256_from_hex(""));
    CHECK_FALSE(sha256_from_hex(digits + "0"));
    CHECK_FALSE(sha256_from_hex(digits.substr(1)));
    CHECK_FALSE(sha256_from_hex(digits.substr(1) + "g"));
}

TEST_CASE("only the same hash is the same", "[base]") {
    const auto digest = sha256("abc");
    CHECK(same_in_constant_time(digest, sha256("abc")));
    for (std::size_t i = 0; i < digest.size(); ++i) {
        auto other = digest;
        other[i] ^= 1U;
        CHECK_FALSE(same_in_constant_time(digest, other));
    }
}
