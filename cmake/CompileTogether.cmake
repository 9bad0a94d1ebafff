# Compiles several sources of a target as one file (CMake's "unity build"): what their headers cost to read
# and their templates to make is paid once. unity_groups.py finds which can be together.
#
# For builds that are made whole, not for those in which one file is changed and tried. It can hide an
# #include that is missing; the other builds show it.

set(EVENTCHAIN_TOGETHER_MOST 8)  # sources in a file: more save little, and leave processors without work

# Every target that was made in this folder and those below.
function(eventchain_targets_below folder out)
  get_property(targets DIRECTORY "${folder}" PROPERTY BUILDSYSTEM_TARGETS)
  get_property(subfolders DIRECTORY "${folder}" PROPERTY SUBDIRECTORIES)
  foreach(subfolder ${subfolders})
    eventchain_targets_below("${subfolder}" below)
    list(APPEND targets ${below})
  endforeach()
  set(${out} ${targets} PARENT_SCOPE)
endfunction()

function(eventchain_compile_together target)
  get_target_property(kind ${target} TYPE)
  if(NOT kind MATCHES "^(EXECUTABLE|STATIC_LIBRARY)$")
    return()
  endif()
  get_target_property(sources ${target} SOURCES)
  get_target_property(folder ${target} SOURCE_DIR)
  set(own "")
  foreach(source ${sources})
    cmake_path(ABSOLUTE_PATH source BASE_DIRECTORY "${folder}" NORMALIZE)
    # What is made by the build does not exist yet.
    if(source MATCHES "\\.cpp$" AND EXISTS "${source}")
      list(APPEND own "${source}")
    endif()
  endforeach()
  list(LENGTH own count)
  if(count LESS 2)
    return()
  endif()
  # Who changes a source may give it a name that another one has.
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${own})

  string(REPLACE ";" "\n" lines "${own}")
  file(WRITE "${CMAKE_BINARY_DIR}/together/${target}.txt" "${lines}")
  execute_process(
    COMMAND "${Python3_EXECUTABLE}" -B "${PROJECT_SOURCE_DIR}/cmake/unity_groups.py" ${EVENTCHAIN_TOGETHER_MOST}
    INPUT_FILE "${CMAKE_BINARY_DIR}/together/${target}.txt"
    OUTPUT_VARIABLE groups OUTPUT_STRIP_TRAILING_WHITESPACE COMMAND_ERROR_IS_FATAL ANY)
  string(REPLACE "\n" ";" groups "${groups}")
  while(groups)
    list(POP_FRONT groups group source)
    set_source_files_properties("${source}" TARGET_DIRECTORY ${target} PROPERTIES UNITY_GROUP "${group}")
  endwhile()
  set_target_properties(${target} PROPERTIES UNITY_BUILD ON UNITY_BUILD_MODE GROUP)
endfunction()

if(EVENTCHAIN_COMPILE_TOGETHER)
  find_package(Python3 REQUIRED COMPONENTS Interpreter)
  eventchain_targets_below("${PROJECT_SOURCE_DIR}" targets)
  foreach(target ${targets})
    eventchain_compile_together(${target})
  endforeach()
endif()
