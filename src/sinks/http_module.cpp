// The http sink as a module.
#include "base/version.hpp"
#include "sinks/http.hpp"
#include "sinks/module.hpp"

using namespace trackd::sinks;

extern "C" [[gnu::visibility("default")]] constexpr sink_module<http_options> trackd_http_sink{
    trackd::base::module_build, &make_http_sink
};
