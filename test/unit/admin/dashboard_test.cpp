// The dashboard's page as it is sent; what it does is seen in a browser (test/clients/dashboard.py).
#include "admin/dashboard.hpp"
#include "support/catch.hpp"

#include <stdexcept>

using namespace trackd;

TEST_CASE("a page's policy names its style and its script by their hashes", "[dashboard]") {
    // printf a | openssl dgst -sha256 -binary | base64
    const auto policy = admin::content_security_policy("<style>b</style><script>a</script>");
    CHECK(policy.find("script-src 'sha256-ypeBEsobvcr6wjGzmiPcTaeG7/gUfE5yuYB3ha/uSLs=';") != policy.npos);
    CHECK(policy.find("style-src 'sha256-PiPoFgA5WUoziU9lZOGxNIu9egCI1CxKy3PurtWcAJ0=';") != policy.npos);
    CHECK(policy.starts_with("default-src 'none';"));
    CHECK_THROWS_AS(admin::content_security_policy("<script>a</script>"), std::invalid_argument);
}

TEST_CASE("the page asks nobody else for anything", "[dashboard]") {
    CHECK_NOTHROW(admin::content_security_policy(admin::dashboard_page));
    for (const auto* outside :
         {"https://", "//cdn", "<link rel=\"stylesheet\"", "@import", "<script src", " style=\"", "onclick="
         }) {
        CAPTURE(outside);
        CHECK(admin::dashboard_page.find(outside) == admin::dashboard_page.npos);
    }
}
