#include "net/identity.h"

#include <algorithm>
#include <optional>
#include <vector>

namespace eventchain::net {

using chain::ErrorCode;
using chain::fail;
using chain::Result;

namespace {

constexpr std::size_t kClientNameMax = 64;
constexpr std::string_view kScheme = "spiffe://";

bool consists_of(std::string_view text, std::string_view punctuation) {
  return std::all_of(text.begin(), text.end(), [punctuation](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
           punctuation.find(c) != std::string_view::npos;
  });
}

bool is_name(std::string_view text, std::size_t max, std::string_view punctuation) {
  return !text.empty() && text.size() <= max && text != "." && text != ".." &&
         consists_of(text, punctuation);
}

std::vector<std::string_view> split(std::string_view path) {
  std::vector<std::string_view> segments;
  for (std::size_t slash = path.find('/'); slash != std::string_view::npos;
       slash = path.find('/')) {
    segments.push_back(path.substr(0, slash));
    path.remove_prefix(slash + 1);
  }
  segments.push_back(path);
  return segments;
}

tl::unexpected<chain::Error> refuse(const char* what) {
  return fail(ErrorCode::kMalformed,
              std::string("identity: ") + what +
                  "; expected spiffe://DOMAIN/eventchain/CHAIN/node/ID or .../client/NAME");
}

}  // namespace

Result<Identity> parse_identity(std::string_view uri) {
  if (uri.size() > kIdentityUriMax) return refuse("longer than 2048 octets");
  if (uri.substr(0, kScheme.size()) != kScheme) return refuse("does not start with spiffe://");
  const std::vector<std::string_view> parts = split(uri.substr(kScheme.size()));
  if (parts.size() != 5 || parts[1] != "eventchain") return refuse("has another path");
  if (!is_name(parts[0], 255, ".-_")) return refuse("has a bad trust domain");
  if (!is_name(parts[2], 32, "-")) return refuse("has a bad chain name");
  const std::string trust_domain(parts[0]);
  const std::string chain_name(parts[2]);
  if (parts[3] == "node") {
    const std::optional<chain::Bytes> octets = chain::from_hex(parts[4]);
    const auto node = octets ? chain::NodeId::from(*octets) : std::nullopt;
    if (!node) return refuse("the node id is not 32 lower-case hexadecimal digits");
    return NodeIdentity{trust_domain, chain_name, *node};
  }
  if (parts[3] == "client") {
    if (!is_client_name(parts[4])) return refuse("has a bad client name");
    return ClientIdentity{trust_domain, chain_name, std::string(parts[4])};
  }
  return refuse("names neither a node nor a client");
}

bool is_client_name(std::string_view text) {
  return is_name(text, kClientNameMax, "._-");
}

std::string to_uri(const Identity& identity) {
  if (const auto* node = std::get_if<NodeIdentity>(&identity))
    return std::string(kScheme) + node->trust_domain + "/eventchain/" + node->chain + "/node/" +
           chain::to_hex(node->node);
  const auto& client = std::get<ClientIdentity>(identity);
  return std::string(kScheme) + client.trust_domain + "/eventchain/" + client.chain + "/client/" +
         client.name;
}

Admission admit(const LinkPolicy& policy, std::string_view uri) {
  const auto refused = [](IdentityRefusal refusal, std::string reason) {
    return Admission{refusal, {}, std::move(reason)};
  };
  const Result<Identity> identity = parse_identity(uri);
  if (!identity) return refused(IdentityRefusal::kForeign, identity.error().message);
  const auto* node = std::get_if<NodeIdentity>(&*identity);
  if (node == nullptr)
    return refused(IdentityRefusal::kNotANode,
                   "a client's certificate; links between nodes need a node's");
  if (node->trust_domain != policy.trust_domain)
    return refused(IdentityRefusal::kForeign, "of another trust domain: " + node->trust_domain);
  if (node->chain != policy.chain)
    return refused(IdentityRefusal::kForeign, "of another chain: " + node->chain);
  if (node->node == policy.self)
    return refused(IdentityRefusal::kSelf, "this node's own id; check the peers' addresses");
  if (policy.allowed.count(node->node) == 0)
    return {IdentityRefusal::kUnknownNode, node->node,
            "node " + chain::to_hex(node->node) + " is not in the member list"};
  return {IdentityRefusal::kNone, node->node, {}};
}

}  // namespace eventchain::net
