#pragma once

#include <filesystem>
#include <string>

#include "chain/result.h"

namespace eventchain::tools {

// Makes a witness in a directory (node/WITNESS.md): a signing key of its own, readable by its user
// alone, a memory that has seen nothing, and the verifier key as a text, which is returned. `name`
// is what its cosignatures bear, best a host's name and a path without scheme.
//
// Where there is a key already nothing is made: only the verifier key is returned, if it has that
// name (or `name` is empty). A memory is never made for a key that may have cosigned something.
chain::Result<std::string> make_witness(const std::filesystem::path& directory,
                                        const std::string& name);

}  // namespace eventchain::tools
