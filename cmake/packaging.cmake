# What is installed beside the executable and the modules, and the Debian package that `cpack -G DEB` makes of it.
# Components: daemon (the executable, the modules, manual pages); development (what find_package(trackd) finds); package
# (units, /etc/trackd and documents, in their places on Debian: by cpack alone).

# --- manual pages, packed as Debian wants them
find_package(Python3 COMPONENTS Interpreter)
find_program(TRACKD_GZIP gzip)
set(pages ${PROJECT_BINARY_DIR}/trackd.1.gz)
add_custom_command(OUTPUT ${PROJECT_BINARY_DIR}/trackd.1.gz
    COMMAND ${TRACKD_GZIP} -9nc docs/man/trackd.1 > ${PROJECT_BINARY_DIR}/trackd.1.gz
    WORKING_DIRECTORY ${PROJECT_SOURCE_DIR}
    DEPENDS ${PROJECT_SOURCE_DIR}/docs/man/trackd.1)
if(Python3_FOUND) # it is needed for this page alone
    list(APPEND pages ${PROJECT_BINARY_DIR}/trackd.toml.5.gz)
    add_custom_command(OUTPUT ${PROJECT_BINARY_DIR}/trackd.toml.5.gz
        COMMAND ${Python3_EXECUTABLE} -B cmake/man_page.py docs/configuration.md > ${PROJECT_BINARY_DIR}/trackd.toml.5
        COMMAND ${TRACKD_GZIP} -9nc ${PROJECT_BINARY_DIR}/trackd.toml.5 > ${PROJECT_BINARY_DIR}/trackd.toml.5.gz
        WORKING_DIRECTORY ${PROJECT_SOURCE_DIR}
        DEPENDS ${PROJECT_SOURCE_DIR}/docs/configuration.md ${PROJECT_SOURCE_DIR}/cmake/man_page.py)
endif()
# Not where only the sources of the executable are, as in the image's build.
if(TRACKD_GZIP AND EXISTS ${PROJECT_SOURCE_DIR}/docs/man)
    add_custom_target(trackd_man ALL DEPENDS ${pages})
    install(FILES ${PROJECT_BINARY_DIR}/trackd.1.gz DESTINATION share/man/man1 COMPONENT daemon)
    install(FILES ${PROJECT_BINARY_DIR}/trackd.toml.5.gz DESTINATION share/man/man5 COMPONENT daemon OPTIONAL)
endif()

# --- find_package(trackd)
install(DIRECTORY include/trackd DESTINATION include COMPONENT development)
install(FILES src/base/sink_choices.hpp DESTINATION include/trackd/parts/base COMPONENT development)
install(FILES src/sinks/http.hpp src/sinks/kafka.hpp src/sinks/kafka_message.hpp src/sinks/postgres.hpp
    DESTINATION include/trackd/parts/sinks COMPONENT development)
set(parts trackd_options trackd_text trackd_base trackd_backlog trackd_tracker trackd_core)
foreach(sink http postgres kafka)
    if(TARGET trackd_sink_${sink})
        list(APPEND parts trackd_sink_${sink})
        list(APPEND TRACKD_SINKS ${sink})
    endif()
endforeach()
install(TARGETS ${parts} EXPORT trackd DESTINATION lib COMPONENT development)
install(EXPORT trackd NAMESPACE trackd:: FILE trackd-targets.cmake
    DESTINATION lib/cmake/trackd COMPONENT development)
include(CMakePackageConfigHelpers)
configure_file(cmake/trackd-config.cmake.in trackd-config.cmake @ONLY)
write_basic_package_version_file(${PROJECT_BINARY_DIR}/trackd-config-version.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/trackd-config.cmake ${PROJECT_BINARY_DIR}/trackd-config-version.cmake
    DESTINATION lib/cmake/trackd COMPONENT development)

# --- the package
function(trackd_packaged destination)
    cmake_parse_arguments(arg "" "RENAME" "FILES" ${ARGN})
    if(arg_RENAME)
        set(arg_RENAME RENAME ${arg_RENAME})
    endif()
    install(FILES ${arg_FILES} DESTINATION ${destination} ${arg_RENAME} COMPONENT package EXCLUDE_FROM_ALL)
endfunction()

trackd_packaged(lib/systemd/system FILES config/systemd/trackd.service config/systemd/trackd.socket)
trackd_packaged(lib/sysusers.d FILES config/systemd/trackd.sysusers RENAME trackd.conf)
trackd_packaged(/etc/trackd FILES config/systemd/trackd.toml)
trackd_packaged(share/doc/trackd FILES README.md config/debian/copyright)
trackd_packaged(share/doc/trackd/examples FILES config/trackd.toml)
trackd_packaged(share/lintian/overrides FILES config/debian/lintian-overrides RENAME trackd)
install(DIRECTORY docs/ DESTINATION share/doc/trackd/docs COMPONENT package EXCLUDE_FROM_ALL
    FILES_MATCHING PATTERN "*.md" PATTERN "*.yaml" PATTERN "*.png" PATTERN benchmarks EXCLUDE PATTERN man EXCLUDE PATTERN examples EXCLUDE)
if(TRACKD_GZIP AND EXISTS ${PROJECT_SOURCE_DIR}/CHANGELOG.md)
    foreach(log CHANGELOG.md:changelog.gz config/debian/changelog:changelog.Debian.gz)
        string(REPLACE ":" ";" log ${log})
        list(POP_FRONT log from)
        execute_process(COMMAND ${TRACKD_GZIP} -9nc ${from} WORKING_DIRECTORY ${PROJECT_SOURCE_DIR}
            OUTPUT_FILE ${PROJECT_BINARY_DIR}/${log} COMMAND_ERROR_IS_FATAL ANY)
        set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/${from})
        trackd_packaged(share/doc/trackd FILES ${PROJECT_BINARY_DIR}/${log})
    endforeach()
endif()

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME trackd)
set(CPACK_PACKAGE_VENDOR trackd)
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_SET_DESTDIR OFF)
set(CPACK_STRIP_FILES ON)
set(CPACK_COMPONENTS_ALL daemon package)
set(CPACK_COMPONENTS_GROUPING ALL_COMPONENTS_IN_ONE)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS
    OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_RELEASE 1)
set(TRACKD_MAINTAINER "nobody yet <nobody@localhost.localdomain>"
    CACHE STRING "Whom the package names: NAME <ADDRESS>")
set(CPACK_DEBIAN_PACKAGE_MAINTAINER ${TRACKD_MAINTAINER})
set(CPACK_DEBIAN_PACKAGE_SECTION net)
set(CPACK_DEBIAN_PACKAGE_PRIORITY optional)
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "event-tracking daemon that loses nothing it said 201 to")
set(CPACK_DEBIAN_PACKAGE_DESCRIPTION "Applications POST events to trackd over HTTP. It answers as soon as an
event is in its journal on disk, and delivers every event that it answered
201 to into SQLite, PostgreSQL, Kafka, any URL or files: also when it is
stopped in the middle, killed, or finds its disk full or the database down.")
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_DEPENDS "libc6 (>= 2.36), init-system-helpers (>= 1.54), systemd | systemd-standalone-sysusers")
set(CPACK_DEBIAN_PACKAGE_SUGGESTS "sqlite3")
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_DEBIAN_PACKAGE_CONTROL_EXTRA
    ${PROJECT_SOURCE_DIR}/config/debian/conffiles ${PROJECT_SOURCE_DIR}/config/debian/postinst
    ${PROJECT_SOURCE_DIR}/config/debian/prerm ${PROJECT_SOURCE_DIR}/config/debian/postrm)
include(CPack)
