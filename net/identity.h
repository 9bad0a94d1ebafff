#pragma once

#include <set>
#include <string>
#include <string_view>
#include <variant>

#include "chain/result.h"
#include "chain/types.h"

// Who is at the other end, as its certificate says it: one URI in the manner of SPIFFE,
//   spiffe://DOMAIN/eventchain/CHAIN/node/NODE-ID      (32 lower-case hexadecimal digits)
//   spiffe://DOMAIN/eventchain/CHAIN/client/NAME       ([a-z0-9._-], 1..64)
// One spelling only: no upper case, port, user, query, fragment, percent sign, "." or ".." or empty
// segment, no slash at the end.
namespace eventchain::net {

inline constexpr std::size_t kIdentityUriMax = 2048;  // SPIFFE's own bound

struct NodeIdentity {
  std::string trust_domain;
  std::string chain;
  chain::NodeId node;
  bool operator==(const NodeIdentity&) const = default;
};
struct ClientIdentity {
  std::string trust_domain;
  std::string chain;
  std::string name;
  bool operator==(const ClientIdentity&) const = default;
};
using Identity = std::variant<NodeIdentity, ClientIdentity>;

chain::Result<Identity> parse_identity(std::string_view uri);
std::string to_uri(const Identity& identity);
bool is_client_name(std::string_view text);

// Who may be at the other end of a link between nodes. The name comes from the certificate, the
// right from the member list.
struct LinkPolicy {
  std::string trust_domain;
  std::string chain;
  chain::NodeId self;
  std::set<chain::NodeId> allowed;
  chain::Height as_of{};  // of the member list; 0: not known
};

enum class IdentityRefusal {
  kNone,
  kForeign,   // no identity of this trust domain and chain
  kNotANode,  // a client's certificate opens no link between nodes
  kSelf,
  kUnknownNode,  // not in the member list
};

struct Admission {
  IdentityRefusal refusal = IdentityRefusal::kNone;
  chain::NodeId node;  // when not refused, or unknown
  std::string reason;  // when refused
};
Admission admit(const LinkPolicy& policy, std::string_view uri);

}  // namespace eventchain::net
