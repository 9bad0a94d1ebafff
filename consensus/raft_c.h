#pragma once

// The C library's header, made fit for C++. 0.22.1 lacks extern "C" and asserts
// sizeof(struct{...}), which C++ refuses; the assertions only guard the library's own ABI, so they
// are turned into harmless declarations. Included by core.cpp and by nothing else.
#include <cstddef>
#include <cstdint>
#include <cstdio>

#ifdef __clang__
#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Wkeyword-macro"
#endif
extern "C" {
#pragma push_macro("static_assert")
#define static_assert(...) extern int eventchain_raft_static_assert_
#include <raft.h>
#pragma pop_macro("static_assert")
}
#ifdef __clang__
#pragma clang diagnostic pop
#endif

// Ownership of buffers differs between versions; core.cpp is written for this one.
static_assert(RAFT_VERSION_MAJOR == 0 && RAFT_VERSION_MINOR == 22,
              "core.cpp is written for libraft 0.22; read consensus/README.md before moving on");
