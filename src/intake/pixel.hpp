// An image of one transparent point, for pages and mails that can do no more than load an image.
#pragma once

#include "http/response.hpp"

namespace trackd::intake {

/// 200 with the image, which nobody may keep: each time it is shown counts.
void answer_pixel(http::response& res);

} // namespace trackd::intake
