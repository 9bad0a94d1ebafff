#include "tools/eventchain/pki.h"

#include <doctest/doctest.h>
#include <openssl/x509v3.h>
#include <sys/stat.h>

#include "node/config.h"
#include "node/genesis_json.h"
#include "tests/unit/temporary_directory.h"
#include "tests/unit/tools/text_of_file.h"
#include "tools/eventchain/certificate.h"
#include "tools/eventchain/files.h"
#include "tools/eventchain/node_setup.h"
#include "tools/eventchain/peer_identity.h"

using namespace eventchain;
using namespace eventchain::tools;
namespace fs = std::filesystem;

namespace {

Certificate certificate_of(const fs::path& path) {
  auto certificate = certificate_from_pem(text_of_file(path), path.string());
  REQUIRE(certificate.has_value());
  return std::move(*certificate);
}

mode_t mode_of(const fs::path& path) {
  struct stat status {};
  REQUIRE(::stat(path.c_str(), &status) == 0);
  return status.st_mode & 0777;
}

struct IssuedAuthority {
  TemporaryDirectory scratch;
  fs::path dir = scratch.path() / "pki";
  IssuedAuthority() { REQUIRE(create_authority(dir, {"example.org", "demo"}).has_value()); }

  void issue(Subject subject, const std::string& name) {
    Issue wanted;
    wanted.subject = subject;
    wanted.name = name;
    wanted.addresses = {"127.0.0.1", "localhost"};
    const auto issued = issue_certificate(dir, wanted);
    INFO((issued ? "" : issued.error().message));
    REQUIRE(issued.has_value());
  }
};

}  // namespace

TEST_CASE("a node's certificate names the node, is signed by the authority and serves both ends") {
  IssuedAuthority authority;
  authority.issue(Subject::kNode, "alpha");
  const auto member = member_from_json(text_of_file(authority.dir / "alpha/member.json"));
  REQUIRE(member.has_value());
  const Certificate certificate = certificate_of(authority.dir / "alpha/cert.pem");
  CHECK(spiffe_identity(certificate.get()) ==
        "spiffe://example.org/eventchain/demo/node/" + chain::to_hex(member->node));
  const Certificate ca = certificate_of(authority.dir / "ca.cert.pem");
  CHECK(X509_verify(certificate.get(), X509_get0_pubkey(ca.get())) == 1);
  CHECK(X509_check_purpose(certificate.get(), X509_PURPOSE_SSL_SERVER, 0) == 1);
  CHECK(X509_check_purpose(certificate.get(), X509_PURPOSE_SSL_CLIENT, 0) == 1);
  CHECK(X509_check_ip_asc(certificate.get(), "127.0.0.1", 0) == 1);
  CHECK(X509_check_ca(certificate.get()) == 0);
  CHECK(X509_check_ca(ca.get()) == 1);
}

TEST_CASE("keys are readable by their owner alone and are never overwritten by mistake") {
  IssuedAuthority authority;
  authority.issue(Subject::kNode, "alpha");
  CHECK(mode_of(authority.dir / "ca.key.pem") == 0600);
  CHECK(mode_of(authority.dir / "alpha/key.pem") == 0600);
  CHECK(mode_of(authority.dir / "alpha/signing.key.pem") == 0600);
  CHECK_FALSE(create_authority(authority.dir, {"example.org", "demo"}).has_value());
}

TEST_CASE("issuing again rotates the certificate and keeps who the node is") {
  IssuedAuthority authority;
  authority.issue(Subject::kNode, "alpha");
  const std::string member = text_of_file(authority.dir / "alpha/member.json");
  const std::string certificate = text_of_file(authority.dir / "alpha/cert.pem");
  const std::string signing = text_of_file(authority.dir / "alpha/signing.key.pem");
  authority.issue(Subject::kNode, "alpha");
  CHECK(text_of_file(authority.dir / "alpha/member.json") == member);
  CHECK(text_of_file(authority.dir / "alpha/signing.key.pem") == signing);
  CHECK(text_of_file(authority.dir / "alpha/cert.pem") != certificate);
}

TEST_CASE("a client is no node, and a node of another chain is no node of this one") {
  IssuedAuthority authority;
  authority.issue(Subject::kClient, "shop");
  const std::string shop = spiffe_identity(certificate_of(authority.dir / "shop/cert.pem").get());
  CHECK(shop == "spiffe://example.org/eventchain/demo/client/shop");
  CHECK_FALSE(is_node_of_same_chain(shop, shop));
  CHECK(is_node_of_same_chain("spiffe://example.org/eventchain/demo/node/00", shop));
  CHECK(is_node_of_same_chain("spiffe://example.org/eventchain/demo/node/00", ""));
  CHECK_FALSE(is_node_of_same_chain("spiffe://example.org/eventchain/other/node/00", shop));
  CHECK_FALSE(is_node_of_same_chain("spiffe://evil.org/eventchain/demo/node/00", shop));
  CHECK_FALSE(is_node_of_same_chain("https://example.org/eventchain/demo/node/00", shop));
}

TEST_CASE("names that would leave the directory or the certificate's syntax are refused") {
  IssuedAuthority authority;
  for (const char* name : {"", "../x", "Alpha", "a,URI:spiffe://x", "a b"}) {
    Issue issue;
    issue.name = name;
    INFO(name);
    CHECK_FALSE(issue_certificate(authority.dir, issue).has_value());
  }
  Issue issue;
  issue.name = "alpha";
  issue.addresses = {"host,URI:spiffe://evil"};
  CHECK_FALSE(issue_certificate(authority.dir, issue).has_value());
}

TEST_CASE("genesis and configuration made from issued nodes are what a node accepts") {
  IssuedAuthority authority;
  authority.issue(Subject::kNode, "alpha");
  authority.issue(Subject::kNode, "beta");
  GenesisPlan plan;
  plan.authority = authority.dir;
  plan.voters = {"alpha", "beta"};
  plan.created = {1'700'000'000'000};
  const auto genesis = plan_genesis(plan);
  REQUIRE(genesis.has_value());
  CHECK(genesis->name == "demo");
  CHECK(genesis->voters[1].slot == chain::Slot{1});
  const auto parsed = node::parse_genesis(node::format_genesis(*genesis));
  REQUIRE(parsed.has_value());
  CHECK(*parsed == *genesis);

  NodePlan node;
  node.home = authority.dir / "alpha";
  node.genesis = authority.scratch.path() / "genesis.json";
  node.data = authority.scratch.path() / "data";
  node.file = authority.scratch.path() / "alpha.toml";
  node.peers_listen = "127.0.0.1:7100";
  node.api_listen = "127.0.0.1:8100";
  node.peers = {(authority.dir / "beta").string() + "@127.0.0.1:7101"};
  const auto text = plan_node(node);
  INFO((text ? "" : text.error().message));
  REQUIRE(text.has_value());
  const auto config = node::parse_config(*text, "alpha.toml", authority.scratch.path(), {}, {});
  REQUIRE(config.has_value());
  CHECK(config->node == genesis->voters[0].node);
  CHECK(config->store == genesis->voters[0].store);
  CHECK(config->peers.at(0).node == genesis->voters[1].node);
  CHECK(fs::weakly_canonical(config->data_directory) == fs::weakly_canonical(node.data));
  CHECK(fs::exists(config->peers_tls.key));

  REQUIRE(prepare_data(node));
  CHECK(prepare_data(node));  // nothing has happened yet
  CHECK(read_file(node.data / "store-id", 100).value() == to_hex(config->store) + "\n");
  CHECK(fs::status(node.data).permissions() == fs::perms::owner_all);
  REQUIRE(write_new_file(node.file, *text, Secrecy::kPublic));
  CHECK_FALSE(prepare_data(node));  // or a lost disk would be let in again
}

TEST_CASE("addresses of voters go into genesis by their names") {
  IssuedAuthority authority;
  authority.issue(Subject::kNode, "alpha");
  authority.issue(Subject::kNode, "beta");
  GenesisPlan plan;
  plan.authority = authority.dir;
  plan.voters = {"alpha", "beta"};
  plan.created = {1'700'000'000'000};
  plan.peers_addresses = {"beta=db2:7100"};
  plan.api_addresses = {"alpha=[::1]:8100"};
  const auto genesis = plan_genesis(plan);
  REQUIRE(genesis.has_value());
  CHECK(genesis->voters[0].peers_address.empty());
  CHECK(genesis->voters[0].api_address == "[::1]:8100");
  CHECK(genesis->voters[1].peers_address == "db2:7100");
  for (const char* wrong : {"ghost=db2:7100", "beta", "beta=nowhere"}) {
    CAPTURE(wrong);
    plan.peers_addresses = {wrong};
    CHECK_FALSE(plan_genesis(plan).has_value());
  }
}

TEST_CASE("operators that were chosen are those that the node will know") {
  IssuedAuthority authority;
  authority.issue(Subject::kNode, "alpha");
  NodePlan node;
  node.home = authority.dir / "alpha";
  node.genesis = authority.scratch.path() / "genesis.json";
  node.data = authority.scratch.path() / "data";
  node.file = authority.scratch.path() / "alpha.toml";
  node.peers_listen = "127.0.0.1:7100";
  node.api_listen = "127.0.0.1:8100";
  node.operators = {"alice", "bob"};
  const auto text = plan_node(node);
  REQUIRE(text.has_value());
  const auto config = node::parse_config(*text, "alpha.toml", authority.scratch.path(), {}, {});
  REQUIRE(config.has_value());
  CHECK(config->api_operators == std::vector<std::string>{"alice", "bob"});
  node.operators = {"Alice"};
  CHECK_FALSE(plan_node(node).has_value());
}

TEST_CASE("a voter that was never issued is named in the error") {
  IssuedAuthority authority;
  GenesisPlan plan;
  plan.authority = authority.dir;
  plan.voters = {"ghost"};
  const auto genesis = plan_genesis(plan);
  REQUIRE_FALSE(genesis.has_value());
  CHECK(genesis.error().message.find("ghost") != std::string::npos);
}
