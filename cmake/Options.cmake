# Dialect, warnings and the few switches the project has.
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)

option(EVENTCHAIN_TESTS "Build the tests" ON)
option(EVENTCHAIN_FUZZ "Build the libFuzzer targets (clang)" OFF)
option(EVENTCHAIN_PLANT_MISTAKES
       "Let the simulator switch on known mistakes (chain/planted.h). Never for a release" OFF)
option(EVENTCHAIN_COMPILE_TOGETHER "Compile several sources as one file: for whole builds" OFF)
set(EVENTCHAIN_SANITIZE "" CACHE STRING "Sanitizers for -fsanitize=, for example address,undefined")

find_program(CCACHE_PROGRAM ccache)
if(CCACHE_PROGRAM AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_CXX_COMPILER_LAUNCHER "${CCACHE_PROGRAM}")
endif()

# The linker is the compiler's own. LLD takes half a second less for a program, but an exception
# through a function whose cold part begins where GCC left another function's empty one ends the
# process: of two entries with one address LLD 14 keeps the empty one for the unwinder
# (https://github.com/llvm/llvm-project/issues/218124; mold 1.10 has the same, issue 1648).

if(EVENTCHAIN_SANITIZE)
  add_compile_options(-fsanitize=${EVENTCHAIN_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${EVENTCHAIN_SANITIZE})
endif()
if(EVENTCHAIN_SANITIZE MATCHES undefined)
  # They add a third to the time to compile; a null pointer that is followed ends the program anyway,
  # and what lies outside an object is the address sanitizer's.
  add_compile_options(-fno-sanitize=null,object-size,vptr)
endif()
if(EVENTCHAIN_FUZZ)
  add_compile_options(-fsanitize=fuzzer-no-link)
endif()
if(EVENTCHAIN_PLANT_MISTAKES)
  add_compile_definitions(EVENTCHAIN_PLANT_MISTAKES)
endif()

# Our own targets are held to these; third-party headers come in as SYSTEM.
function(eventchain_warnings target)
  target_compile_options(${target} PRIVATE -Wall -Wextra -Wpedantic -Wshadow -Wconversion
                                           -Wsign-conversion -Wswitch-enum -Werror)
endfunction()

# For programs that are shipped: the linker's tables are complete at the start, and read-only then.
function(eventchain_hardening target)
  target_link_options(${target} PRIVATE LINKER:-z,relro,-z,now)
endfunction()

# eventchain_room(NAME SOURCES... [DEPENDS targets...]): one static library with our warnings.
function(eventchain_room name)
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPENDS;PRIVATE_DEPENDS" ${ARGN})
  add_library(eventchain_${name} STATIC ${ARG_SOURCES})
  target_include_directories(eventchain_${name} PUBLIC "${PROJECT_SOURCE_DIR}")
  target_link_libraries(eventchain_${name} PUBLIC ${ARG_DEPENDS} PRIVATE ${ARG_PRIVATE_DEPENDS})
  eventchain_warnings(eventchain_${name})
endfunction()
