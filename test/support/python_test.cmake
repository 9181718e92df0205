# trackd_python_test(FOLDER NAME [LABELS ...] [TIMEOUT seconds] [VARIANT word] [ENVIRONMENT NAME=value ...]):
# test/FOLDER/NAME.py, a unittest module that runs the real binary, as one CTest test. By hand, in test/:
#   TRACKD=../build/release/src/trackd python3 -m unittest -v FOLDER.NAME
find_package(Python3 REQUIRED COMPONENTS Interpreter)

function(trackd_python_test folder name)
    cmake_parse_arguments(arg "" "TIMEOUT;VARIANT" "LABELS;ENVIRONMENT" ${ARGN})
    set(test ${TRACKD_TEST_PREFIX}${folder}.${name})
    if(arg_VARIANT)
        string(APPEND test .${arg_VARIANT})
    endif()
    if(NOT arg_LABELS)
        set(arg_LABELS ${folder})
    endif()
    if(NOT arg_TIMEOUT)
        set(arg_TIMEOUT 600)
    endif()
    add_test(NAME ${test}
        COMMAND ${Python3_EXECUTABLE} -B -m unittest -v ${folder}.${name}
        WORKING_DIRECTORY ${PROJECT_SOURCE_DIR}/test)
    set_tests_properties(${test} PROPERTIES
        LABELS "${arg_LABELS}"
        TIMEOUT ${arg_TIMEOUT}
        ENVIRONMENT "TRACKD=$<TARGET_FILE:trackd>;TRACKD_SANITIZER=${TRACKD_SANITIZER};${arg_ENVIRONMENT}")
endfunction()
