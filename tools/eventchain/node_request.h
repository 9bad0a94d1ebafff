#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "chain/result.h"
#include "tools/eventchain/openssl_handles.h"
#include "tools/eventchain/pki.h"

// A node's certificate where the authority is elsewhere: keys are drawn on the node's own machine
// and stay there, a request goes out and a certificate comes back. For first voters, who have keys
// before there is a genesis, and for new keys of nodes that run. Every step can be repeated: what
// an interrupted try left behind is gone on with.
//
//   DIR/member.json, signing.key.pem (0600), key.pem (0600), csr.pem    from prepare_request
//   DIR/next.key.pem (0600), next.csr.pem                               from prepare_renewal
//   DIR/cert.pem, ca.cert.pem                                           from accept_certificate
namespace eventchain::tools {

// Ids, keys and the request of a node of the authority's chain; the request (PEM). A request that
// is there and still fits is kept octet for octet. Errors: the directory is another node's, or that
// of another chain.
chain::Result<std::string> prepare_request(const std::filesystem::path& dir,
                                           const Authority& authority, const std::string& name,
                                           const std::string& site);

struct Renewal {
  chain::UnixMillis valid_until;  // of the certificate that is there
  bool is_needed = false;
  std::string request;  // PEM, in next.csr.pem; empty if not needed
};
// Draws the next key where the certificate ends within `days` from `now`, or does not fit its key
// because taking over an earlier one was interrupted. The present key and certificate stay in use.
chain::Result<Renewal> prepare_renewal(const std::filesystem::path& dir, int days,
                                       chain::UnixMillis now);

// Takes over a certificate that answers a request of this directory, with the key it is for. It
// must be signed by the authority: `authority_pem`, which is kept then, or if that is empty the one
// that is there. The key is written before the certificate; if this is interrupted between the two,
// neither the node starts nor is anything lost: run it again.
chain::Result<void> accept_certificate(const std::filesystem::path& dir,
                                       std::string_view certificate_pem,
                                       std::string_view authority_pem);

}  // namespace eventchain::tools
