#include "endpoint_fixture.hpp"
#include "intake/pixel_endpoint.hpp"

using namespace reading;

namespace {

using fixture = endpoint_fixture<trackd::intake::pixel_endpoint>;

constexpr std::string_view image_in_hex = "474946383961"
                                          "0100"
                                          "0100"
                                          "800000"
                                          "000000"
                                          "000000"
                                          "21f9"
                                          "04"
                                          "01"
                                          "0000"
                                          "00"
                                          "00"
                                          "2c"
                                          "0000"
                                          "0000"
                                          "0100"
                                          "0100"
                                          "00"
                                          "02"
                                          "02"
                                          "4401"
                                          "00"
                                          "3b";

std::string hex(std::string_view bytes) {
    std::string out;
    for (const auto c : bytes) {
        constexpr std::string_view digits = "0123456789abcdef";
        out += digits[static_cast<unsigned char>(c) >> 4U];
        out += digits[static_cast<unsigned char>(c) & 15U];
    }
    return out;
}

} // namespace

TEST_CASE("the pixel is an image that nobody keeps", "[intake][pixel]") {
    fixture f;
    f.get("/pixel.gif");
    CHECK(f.res.code == http::status::ok);
    CHECK(f.res.content_type == "image/gif");
    CHECK(f.res.headers == "Cache-Control: no-store\r\n");
    CHECK(hex(f.res.body) == image_in_hex);
    CHECK(f.only_event().type == "event");
    CHECK(f.only_event().data == "{}");
}

TEST_CASE("the pixel's parameters are the event's data, and one of them its type", "[intake][pixel]") {
    fixture f;
    f.get("/pixel.gif?type=mail%20opened&to=a%40b.c&n=1&n=2&q=%22%E2%82%AC&data=1&specversion=1.0");
    const auto e = f.only_event();
    CHECK(e.type == "mail opened");
    CHECK(
        e.data == R"({"data":"1","n":"2","q":"\"€","specversion":"1.0","to":"a@b.c","type":"mail opened"})"
    );
    CHECK(e.kind == data_kind::json);
    CHECK(e.datacontenttype == "application/json");
    CHECK(e.source == "the-default");
    CHECK(e.id.size() == 36);
    CHECK(e.time == arrival);
    CHECK(e.received_at == arrival);
}

TEST_CASE("a pixel's type that cannot be one is only data", "[intake][pixel]") {
    const std::string too_long(1025, 't');
    for (const std::string& type :
         {std::string{}, std::string{"%0A"}, std::string{"%ff"}, std::string{"%00"}, too_long}) {
        fixture f;
        f.get("/pixel.gif?type=" + type);
        CHECK(f.only_event().type == "event");
    }
}

TEST_CASE("a pixel's bytes that are no UTF-8 leave the data valid JSON", "[intake][pixel]") {
    fixture f;
    f.get("/pixel.gif?%ff=%fe&%=%2");
    CHECK_NOTHROW(boost::json::parse(f.only_event().data));
}

TEST_CASE("asking about the pixel is no event", "[intake][pixel]") {
    fixture f;
    f.send(http::verb::head, "/pixel.gif?a=1");
    CHECK(f.res.code == http::status::ok);
    CHECK(f.res.content_type == "image/gif");
    CHECK(f.lane.events().empty());
}

TEST_CASE("the pixel is an image whatever becomes of its event", "[intake][pixel]") {
    fixture f;
    f.lane.refusal = trackd::errc::backlog_full;
    f.get("/pixel.gif?a=1");
    CHECK(f.res.code == http::status::ok);
    CHECK(f.res.headers == "Cache-Control: no-store\r\n");
    CHECK(f.res.body.size() == 43);
    f.lane.refusal = {};
    f.lane.waits = true;
    f.lane.outcome = trackd::errc::journal_failed;
    f.get("/pixel.gif?a=1");
    CHECK(f.waited);
    CHECK(f.res.code == http::status::ok);
    CHECK(f.res.body.size() == 43);
}
