#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "chain/genesis.h"
#include "chain/result.h"

// A small certificate authority in a directory: enough for a cluster of its own, for tests and for
// the quickstart. Organisations with an authority of their own issue the same certificates there.
//
//   DIR/authority.json       trust domain and chain name, fixed at init
//   DIR/ca.key.pem           the authority's key (0600), DIR/ca.cert.pem its certificate
//   DIR/<name>/              what one node or client gets: cert.pem, key.pem (0600), ca.cert.pem,
//                            and for a node signing.key.pem (0600) and member.json
namespace eventchain::tools {

struct Authority {
  std::string trust_domain;
  std::string chain;  // the chain's name
};

enum class Subject { kNode, kClient };

struct Issue {
  Subject subject = Subject::kNode;
  std::string name;                    // [a-z0-9-]{1,32}
  std::string site;                    // nodes: failure domain, may be empty
  std::vector<std::string> addresses;  // further DNS names or IP addresses of the certificate
  int days = 397;
};

chain::Result<void> create_authority(const std::filesystem::path& dir, const Authority& authority);
chain::Result<Authority> load_authority(const std::filesystem::path& dir);
// Whether they can stand in certificates: 1 to 255 of a-z, 0-9, '-', '.', '_' as trust domain; 1 to
// 32 of a-z, 0-9 and '-' as name of a chain, a node or a client.
chain::Result<void> check_authority(const Authority& authority);
chain::Result<void> check_name(std::string_view name);

// Issues a certificate with exactly one URI name, spiffe://DOMAIN/eventchain/CHAIN/node/ID-HEX or
// .../client/NAME. Issuing again for the same name rotates key and certificate; a node keeps its
// id and signing key, so that its membership stays as it is.
chain::Result<void> issue_certificate(const std::filesystem::path& dir, const Issue& issue);

// What `pki sign` takes over from a request: the key and the name of a node of this chain.
struct Signing {
  std::string request;                 // PEM
  std::string node;                    // its id as the admission has it; empty: any node
  std::string name;                    // for people; empty: the id
  std::vector<std::string> addresses;  // as in Issue
  int days = 397;
};
// The certificate (PEM), of the same kind as `pki issue` makes.
chain::Result<std::string> sign_request(const std::filesystem::path& dir, const Signing& signing);

// The member that lives in `home`, by its member.json.
chain::Result<chain::Member> load_member(const std::filesystem::path& home);
// That one, or a new one with random ids and a fresh signing key, written
// there: signing.key.pem (0600) and member.json.
chain::Result<chain::Member> member_at_home(const std::filesystem::path& home,
                                            const std::string& name, const std::string& site);

// What a node tells the chain of itself: the contents of member.json. Its slot is set by genesis.
std::string member_to_json(const chain::Member& member);
chain::Result<chain::Member> member_from_json(std::string_view text);

}  // namespace eventchain::tools
