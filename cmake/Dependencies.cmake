# Every dependency is a Debian package; tools/install-packages installs them all.
find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)
find_package(OpenSSL 3.0 REQUIRED)
find_package(Boost 1.81 REQUIRED)
find_package(Protobuf REQUIRED)
find_package(fmt REQUIRED)
find_package(spdlog REQUIRED)
find_package(tl-expected REQUIRED)
find_package(SQLite3 REQUIRED)
find_package(SQLiteCpp REQUIRED)
find_package(CLI11 REQUIRED)
find_package(prometheus-cpp REQUIRED)
pkg_check_modules(TOMLPLUSPLUS REQUIRED IMPORTED_TARGET tomlplusplus)

# 0.15 (plain Debian 12) violates Raft's safety; consensus/README.md names the bugs.
pkg_check_modules(RAFT IMPORTED_TARGET raft>=0.22.1)
if(NOT RAFT_FOUND)
  message(FATAL_ERROR
    "libraft >= 0.22.1 is required; older versions violate Raft's safety and are refused. "
    "On Debian 12 it is in the bookworm-backports suite: run tools/install-packages build.")
endif()
# The archive, so that the programs run on a host that has no backports. What they use of it needs
# nothing but libc; its licence allows it (deploy/debian/copyright).
find_library(RAFT_ARCHIVE NAMES libraft.a HINTS ${RAFT_LIBRARY_DIRS})
if(NOT RAFT_ARCHIVE)
  message(FATAL_ERROR "libraft.a is missing; Debian has it in libraft-dev: run tools/install-packages build.")
endif()
add_library(Raft::Raft STATIC IMPORTED)
set_target_properties(Raft::Raft PROPERTIES
  IMPORTED_LOCATION "${RAFT_ARCHIVE}"
  INTERFACE_INCLUDE_DIRECTORIES "${RAFT_INCLUDE_DIRS}")

# The package brings neither a CMake file nor one for pkg-config.
find_path(RANDOMX_INCLUDE_DIR randomx.h)
find_library(RANDOMX_LIBRARY randomx)
if(NOT RANDOMX_INCLUDE_DIR OR NOT RANDOMX_LIBRARY)
  message(FATAL_ERROR
    "librandomx (1.1) is required for the work function randomx-v1. On Debian it is in librandomx-dev: "
    "run tools/install-packages build.")
endif()
add_library(RandomX::RandomX UNKNOWN IMPORTED)
set_target_properties(RandomX::RandomX PROPERTIES
  IMPORTED_LOCATION "${RANDOMX_LIBRARY}"
  INTERFACE_INCLUDE_DIRECTORIES "${RANDOMX_INCLUDE_DIR}")
