// The postgres sink as a module.
#include "base/version.hpp"
#include "sinks/module.hpp"
#include "sinks/postgres.hpp"

using namespace trackd::sinks;

extern "C" [[gnu::visibility("default")]] constexpr sink_module<postgres_options> trackd_postgres_sink{
    trackd::base::module_build, &make_postgres_sink
};
