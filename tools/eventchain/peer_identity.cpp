#include "tools/eventchain/peer_identity.h"

#include <memory>

#include <openssl/x509v3.h>

namespace eventchain::tools {

namespace {

// spiffe://DOMAIN/eventchain/CHAIN/ of an identity below it; "" for any other URI.
std::string_view chain_prefix(std::string_view identity) {
  constexpr std::string_view kScheme = "spiffe://";
  constexpr std::string_view kProgram = "/eventchain/";
  if (!identity.starts_with(kScheme)) return {};
  const std::size_t program = identity.find('/', kScheme.size());
  if (program == std::string_view::npos || !identity.substr(program).starts_with(kProgram))
    return {};
  const std::size_t end = identity.find('/', program + kProgram.size());
  return end == std::string_view::npos ? std::string_view() : identity.substr(0, end + 1);
}

void free_names(GENERAL_NAMES* names) {
  GENERAL_NAMES_free(names);
}

}  // namespace

std::string spiffe_identity(const x509_st* certificate) {
  if (certificate == nullptr) return {};
  const std::unique_ptr<GENERAL_NAMES, void (*)(GENERAL_NAMES*)> names(
      static_cast<GENERAL_NAMES*>(
          X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)),
      free_names);
  std::string identity;
  int uris = 0;
  for (int i = 0; names != nullptr && i < sk_GENERAL_NAME_num(names.get()); ++i) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(names.get(), i);
    if (name->type != GEN_URI) continue;
    ++uris;
    const ASN1_IA5STRING* uri = name->d.uniformResourceIdentifier;
    identity.assign(reinterpret_cast<const char*>(ASN1_STRING_get0_data(uri)),
                    static_cast<std::size_t>(ASN1_STRING_length(uri)));
  }
  return uris == 1 && identity.starts_with("spiffe://") ? identity : std::string();
}

bool is_node_of_same_chain(std::string_view peer, std::string_view own) {
  const std::string_view prefix = chain_prefix(peer);
  if (prefix.empty() || !peer.substr(prefix.size()).starts_with("node/")) return false;
  const std::string_view expected = chain_prefix(own);
  return expected.empty() || prefix == expected;
}

}  // namespace eventchain::tools
