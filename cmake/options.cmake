# What every target is compiled with: `trackd_options` for what changes the meaning of the code, and so must be
# the same for all who link it; `trackd_warnings` for our own sources only.

add_library(trackd_options INTERFACE)
set_target_properties(trackd_options PROPERTIES EXPORT_NAME options)
target_compile_features(trackd_options INTERFACE cxx_std_20)
target_include_directories(trackd_options INTERFACE
    $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include> $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/src>
    # The headers of sinks, which name each other as they do in src/, stand in a folder of their own.
    $<INSTALL_INTERFACE:include> $<INSTALL_INTERFACE:include/trackd/parts>)
target_link_libraries(trackd_options INTERFACE Boost::headers Threads::Threads)
# Asio's and Beast's non-template code is compiled once, in src/base/asio.cpp and src/http/beast.cpp.
# Each thread keeps so many freed blocks of a kind for the next coroutine: a delivery has more than two at a time.
target_compile_definitions(trackd_options INTERFACE
    BOOST_ASIO_SEPARATE_COMPILATION BOOST_ASIO_NO_DEPRECATED BOOST_ASIO_RECYCLING_ALLOCATOR_CACHE_SIZE=8)

if(TRACKD_SANITIZER MATCHES "^(address|fuzzer)$")
    target_compile_options(trackd_options INTERFACE
        -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
        # Its check opens a pipe, and takes it for a fault that a process at its limit of open files cannot.
        -fno-sanitize=vptr)
    target_link_options(trackd_options INTERFACE -fsanitize=address,undefined)
    # Recycled coroutine frames would hide a use of a finished coroutine from the sanitizer.
    target_compile_definitions(trackd_options INTERFACE
        BOOST_ASIO_DISABLE_AWAITABLE_FRAME_RECYCLING BOOST_ASIO_DISABLE_SMALL_BLOCK_RECYCLING)
    if(TRACKD_SANITIZER STREQUAL "fuzzer") # test/fuzz links libFuzzer's own main
        if(NOT CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
            message(FATAL_ERROR "TRACKD_SANITIZER is \"fuzzer\", which only clang++ knows; CMAKE_CXX_COMPILER is ${CMAKE_CXX_COMPILER}")
        endif()
        target_compile_options(trackd_options INTERFACE -fsanitize=fuzzer-no-link)
    endif()
elseif(TRACKD_SANITIZER STREQUAL "thread")
    target_compile_options(trackd_options INTERFACE -fsanitize=thread -fno-omit-frame-pointer)
    target_link_options(trackd_options INTERFACE -fsanitize=thread)
    if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
        target_compile_options(trackd_options INTERFACE -Wno-tsan) # Asio's fences, which g++ warns it does not model
    endif()
elseif(NOT "${TRACKD_SANITIZER}" STREQUAL "")
    message(FATAL_ERROR "TRACKD_SANITIZER is \"${TRACKD_SANITIZER}\"; expected nothing, address, thread or fuzzer")
endif()

add_library(trackd_warnings INTERFACE)
target_compile_options(trackd_warnings INTERFACE
    -Werror -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wold-style-cast
    -Woverloaded-virtual -Wnull-dereference)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    # Known false positives of g++ in inlined Boost and standard library code.
    target_compile_options(trackd_warnings INTERFACE -Wno-maybe-uninitialized -Wno-null-dereference -Wno-restrict
        -Wno-stringop-overflow -Wno-array-bounds -Wno-dangling-reference)
endif()

# trackd_in_modules(TARGET): its code may stand in a module, which shows nobody what it does not name.
function(trackd_in_modules target)
    set_target_properties(${target} PROPERTIES
        POSITION_INDEPENDENT_CODE ON CXX_VISIBILITY_PRESET hidden VISIBILITY_INLINES_HIDDEN ON)
endfunction()

# trackd_library(NAME [IN_MODULES] SOURCES ... LINK ...): one static library a folder of src/.
function(trackd_library name)
    cmake_parse_arguments(arg "IN_MODULES" "" "SOURCES;LINK" ${ARGN})
    add_library(trackd_${name} STATIC ${arg_SOURCES})
    add_library(trackd::${name} ALIAS trackd_${name})
    set_target_properties(trackd_${name} PROPERTIES EXPORT_NAME ${name})
    target_link_libraries(trackd_${name} PUBLIC trackd_options ${arg_LINK} PRIVATE $<BUILD_INTERFACE:trackd_warnings>)
    if(arg_IN_MODULES)
        trackd_in_modules(trackd_${name})
    endif()
endfunction()
