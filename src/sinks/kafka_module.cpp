// The kafka sink as a module.
#include "base/version.hpp"
#include "sinks/kafka.hpp"
#include "sinks/module.hpp"

using namespace trackd::sinks;

extern "C" [[gnu::visibility("default")]] constexpr sink_module<kafka_options> trackd_kafka_sink{
    trackd::base::module_build, &make_kafka_sink
};
