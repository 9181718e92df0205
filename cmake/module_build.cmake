# TRACKD_MODULE_BUILD: differs between builds whose modules and daemons do not fit together.

# What crosses the border between them.
set(headers
    include/trackd/event.hpp
    include/trackd/sink.hpp
    include/trackd/wall_time.hpp
    src/base/sink_choices.hpp
    src/sinks/http.hpp
    src/sinks/kafka.hpp
    src/sinks/kafka_message.hpp
    src/sinks/module.hpp
    src/sinks/postgres.hpp)
list(TRANSFORM headers PREPEND ${PROJECT_SOURCE_DIR}/)
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${headers})

string(TOUPPER "CMAKE_CXX_FLAGS_${CMAKE_BUILD_TYPE}" build_flags)
set(build_flags "${${build_flags}}")
set(digest "${CMAKE_CXX_COMPILER_ID} ${CMAKE_CXX_COMPILER_VERSION} ${CMAKE_BUILD_TYPE} ${CMAKE_CXX_FLAGS} ${build_flags} ${TRACKD_SANITIZER} ${spdlog_VERSION}")
foreach(header ${headers})
    file(SHA256 ${header} hash)
    string(APPEND digest " ${hash}")
endforeach()
string(SHA256 digest "${digest}")
string(SUBSTRING ${digest} 0 16 digest)
set(TRACKD_MODULE_BUILD "trackd ${PROJECT_VERSION} ${digest}")
