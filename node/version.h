#pragma once

namespace eventchain::node {

// Of the programs and of the package, e.g. "0.1.0". In a file of its own, so that another version
// compiles that alone.
extern const char* const kVersion;

}  // namespace eventchain::node
