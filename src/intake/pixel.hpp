// An image of one transparent point, for pages and mails that can do no more than load an image.
#pragma once

#include "http/request.hpp"
#include "http/response.hpp"

#include <string_view>

namespace trackd::intake {

/// 200 with the image, which nobody may keep: each time it is shown counts.
void answer_pixel(http::response& res);

/// A form of errors: the same image. A page shows it whatever became of the event, and nobody would read an error.
void say_by_pixel(
    const http::request& asked, http::response& res, http::status what, std::string_view slug,
    std::string_view detail
);

} // namespace trackd::intake
