#include "net/identity.h"

#include <doctest/doctest.h>

#include <string>

using namespace eventchain;
using namespace eventchain::net;

namespace {

const std::string kHex = "000102030405060708090a0b0c0d0e0f";
const std::string kChain = "spiffe://example.org/eventchain/orders/";

}  // namespace

TEST_CASE("the identities of nodes and clients are read and written in one spelling") {
  const std::string node_uri = kChain + "node/" + kHex;
  const chain::Result<Identity> node = parse_identity(node_uri);
  REQUIRE(node.has_value());
  const auto& named = std::get<NodeIdentity>(*node);
  CHECK(named.trust_domain == "example.org");
  CHECK(named.chain == "orders");
  CHECK(chain::to_hex(named.node) == kHex);
  CHECK(to_uri(*node) == node_uri);

  const std::string client_uri = kChain + "client/billing-service.v2";
  const chain::Result<Identity> client = parse_identity(client_uri);
  REQUIRE(client.has_value());
  CHECK(std::get<ClientIdentity>(*client).name == "billing-service.v2");
  CHECK(to_uri(*client) == client_uri);
}

TEST_CASE("every other spelling is refused") {
  const std::string refused[] = {
      "",
      "spiffe://",
      "spiffe:/example.org/eventchain/orders/node/" + kHex,
      "SPIFFE://example.org/eventchain/orders/node/" + kHex,
      "https://example.org/eventchain/orders/node/" + kHex,
      " " + kChain + "node/" + kHex,
      kChain + "node/" + kHex + " ",
      kChain + "node/" + kHex + "/",
      kChain + "node/" + kHex + "?x",
      kChain + "node/" + kHex + "#x",
      kChain + "node/" + kHex + std::string(1, '\0'),
      kChain + "node/" + kHex.substr(1),
      kChain + "node/" + kHex + "0",
      kChain + "node/000102030405060708090A0B0C0D0E0F",
      kChain + "node/00010203-0405060708090a0b0c0d0e0f",
      kChain + "node/",
      kChain + "node",
      kChain + "nodes/" + kHex,
      kChain + "admin/root",
      kChain + "/node/" + kHex,
      kChain + "client/",
      kChain + "client/.",
      kChain + "client/..",
      kChain + "client/Billing",
      kChain + "client/a%20b",
      kChain + "client/a/b",
      kChain + "client/" + std::string(65, 'a'),
      "spiffe:///eventchain/orders/node/" + kHex,
      "spiffe://Example.org/eventchain/orders/node/" + kHex,
      "spiffe://example.org:443/eventchain/orders/node/" + kHex,
      "spiffe://user@example.org/eventchain/orders/node/" + kHex,
      "spiffe://" + std::string(256, 'a') + "/eventchain/orders/node/" + kHex,
      "spiffe://example.org/EventChain/orders/node/" + kHex,
      "spiffe://example.org/eventchain//node/" + kHex,
      "spiffe://example.org/eventchain/Orders/node/" + kHex,
      "spiffe://example.org/eventchain/../node/" + kHex,
      "spiffe://example.org/eventchain/" + std::string(33, 'a') + "/node/" + kHex,
      "spiffe://example.org/./eventchain/orders/node/" + kHex,
      kChain + "client/" + std::string(3000, 'a'),
  };
  for (const std::string& uri : refused) {
    INFO("uri ", uri);
    CHECK_FALSE(parse_identity(uri).has_value());
  }
}

TEST_CASE("only another, known node of the same chain is admitted to a link") {
  const auto node = [](char c) { return *chain::NodeId::from(std::string(16, c)); };
  const LinkPolicy policy{"example.org", "orders", node('s'), {node('s'), node('k')}};
  const auto uri = [](const std::string& domain, const std::string& chain_name, chain::NodeId id) {
    return to_uri(NodeIdentity{domain, chain_name, id});
  };
  const Admission admitted = admit(policy, uri("example.org", "orders", node('k')));
  CHECK(admitted.refusal == IdentityRefusal::kNone);
  CHECK(admitted.node == node('k'));

  CHECK(admit(policy, uri("example.org", "orders", node('u'))).refusal ==
        IdentityRefusal::kUnknownNode);
  CHECK(admit(policy, uri("example.org", "orders", node('s'))).refusal == IdentityRefusal::kSelf);
  CHECK(admit(policy, uri("example.com", "orders", node('k'))).refusal ==
        IdentityRefusal::kForeign);
  CHECK(admit(policy, uri("example.org", "bills", node('k'))).refusal == IdentityRefusal::kForeign);
  CHECK(admit(policy, kChain + "client/billing").refusal == IdentityRefusal::kNotANode);
  CHECK(admit(policy, "nonsense").refusal == IdentityRefusal::kForeign);
}
