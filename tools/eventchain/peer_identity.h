#pragma once

#include <string>
#include <string_view>

struct x509_st;

namespace eventchain::tools {

// The certificate's URI name if it has exactly one and that is a SPIFFE id; else "".
std::string spiffe_identity(const x509_st* certificate);

// True if `peer` names a node of the chain that `own` belongs to. Without an own identity any
// node that the authority vouches for will do.
bool is_node_of_same_chain(std::string_view peer, std::string_view own);

}  // namespace eventchain::tools
