#include "tools/eventchain/join.h"

#include <doctest/doctest.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>

#include "node/config.h"
#include "node/genesis_json.h"
#include "tests/unit/temporary_directory.h"
#include "tests/unit/tools/text_of_file.h"
#include "tools/eventchain/certificate.h"
#include "tools/eventchain/certificate_request.h"
#include "tools/eventchain/files.h"
#include "tools/eventchain/peer_identity.h"
#include "tools/eventchain/pki.h"

using namespace eventchain;
using namespace eventchain::tools;
namespace fs = std::filesystem;

namespace {

template <class T>
T must(chain::Result<T> result) {
  INFO((result ? "" : result.error().message));
  REQUIRE(result.has_value());
  if constexpr (!std::is_void_v<T>) return std::move(*result);
}

// A chain "demo" of one voter, with its authority.
struct Chain {
  TemporaryDirectory scratch;
  fs::path authority = scratch.path() / "pki";
  fs::path home = scratch.path() / "n4";
  std::string genesis;

  explicit Chain(const std::string& name = "demo") {
    must(create_authority(authority, {"example.org", name}));
    Issue voter;
    voter.name = "alpha";
    must(issue_certificate(authority, voter));
    GenesisPlan plan;
    plan.authority = authority;
    plan.voters = {"alpha"};
    plan.created = {1'700'000'000'000};
    genesis = node::format_genesis(must(plan_genesis(plan)));
  }
  JoiningNode prepare() { return must(prepare_join(home, genesis, "n4", "east")); }
  chain::Result<std::string> sign(std::string request, std::string node = {}) {
    Signing signing;
    signing.request = std::move(request);
    signing.node = std::move(node);
    return sign_request(authority, signing);
  }
};

std::string node_uri(const std::string& chain = "demo") {
  return "spiffe://example.org/eventchain/" + chain + "/node/" + std::string(32, '7');
}

Key p256() {
  return must(make_tls_key());
}

// A request that wants whatever the test wants.
std::string request_with(EVP_PKEY* key, const std::vector<std::pair<int, std::string>>& wanted) {
  const std::unique_ptr<X509_REQ, Freed<X509_REQ_free>> request(X509_REQ_new());
  STACK_OF(X509_EXTENSION)* extensions = sk_X509_EXTENSION_new_null();
  for (const auto& [nid, value] : wanted)
    sk_X509_EXTENSION_push(extensions, X509V3_EXT_conf_nid(nullptr, nullptr, nid, value.c_str()));
  REQUIRE(X509_REQ_set_pubkey(request.get(), key) == 1);
  REQUIRE(X509_REQ_add_extensions(request.get(), extensions) == 1);
  sk_X509_EXTENSION_pop_free(extensions, X509_EXTENSION_free);
  const EVP_MD* digest = EVP_PKEY_is_a(key, "ED25519") == 1 ? nullptr : EVP_sha256();
  REQUIRE(X509_REQ_sign(request.get(), key, digest) != 0);
  const Memory memory(BIO_new(BIO_s_mem()));
  REQUIRE(PEM_write_bio_X509_REQ(memory.get(), request.get()) == 1);
  char* text = nullptr;
  const long size = BIO_get_mem_data(memory.get(), &text);
  return {text, static_cast<std::size_t>(size)};
}

}  // namespace

TEST_CASE("a join that is run again keeps ids and keys") {
  Chain chain;
  const JoiningNode first = chain.prepare();
  const std::string signing = text_of_file(chain.home / "signing.key.pem");
  const std::string key = text_of_file(chain.home / "key.pem");
  const JoiningNode second = chain.prepare();
  CHECK(second.member == first.member);
  CHECK(first.member.name == "n4");
  CHECK(first.member.site == "east");
  CHECK(text_of_file(chain.home / "signing.key.pem") == signing);
  CHECK(text_of_file(chain.home / "key.pem") == key);
  // Cut off after the key was written.
  fs::remove(chain.home / "member.json");
  CHECK(chain.prepare().member.signing_key == first.member.signing_key);
}

TEST_CASE("a directory of another chain or another node is left alone") {
  Chain chain;
  chain.prepare();
  const std::string member = text_of_file(chain.home / "member.json");
  CHECK_FALSE(prepare_join(chain.home, chain.genesis, "n5", "").has_value());
  Chain other("other");
  CHECK_FALSE(prepare_join(chain.home, other.genesis, "n4", "").has_value());
  CHECK_FALSE(prepare_join(chain.home, "{}", "n4", "").has_value());
  CHECK(text_of_file(chain.home / "member.json") == member);
}

TEST_CASE("a signed request is a node's certificate like one that was issued") {
  Chain chain;
  const JoiningNode node = chain.prepare();
  const std::string pem = must(chain.sign(node.request, to_hex(node.member.node)));
  const Certificate certificate = must(certificate_from_pem(pem, "it"));
  CHECK(spiffe_identity(certificate.get()) ==
        "spiffe://example.org/eventchain/demo/node/" + to_hex(node.member.node));
  const Certificate ca =
      must(certificate_from_pem(text_of_file(chain.authority / "ca.cert.pem"), "ca"));
  CHECK(X509_verify(certificate.get(), X509_get0_pubkey(ca.get())) == 1);
  CHECK(X509_check_purpose(certificate.get(), X509_PURPOSE_SSL_SERVER, 0) == 1);
  CHECK(X509_check_purpose(certificate.get(), X509_PURPOSE_SSL_CLIENT, 0) == 1);
  CHECK(X509_check_ca(certificate.get()) == 0);
  must(take_certificate(chain.home, pem));
  CHECK(text_of_file(chain.home / "cert.pem") == pem);
}

TEST_CASE("a certificate of another node or for another key is not taken") {
  Chain chain;
  const JoiningNode node = chain.prepare();
  const Key foreign = p256();
  const std::string own_uri =
      "spiffe://example.org/eventchain/demo/node/" + to_hex(node.member.node);
  for (const std::string& request :
       {must(make_certificate_request(foreign.get(), "n4", own_uri)),
        must(make_certificate_request(
            must(key_from_pem(text_of_file(chain.home / "key.pem"), "key")).get(), "n4",
            node_uri()))}) {
    const std::string pem = must(chain.sign(request));
    CHECK_FALSE(take_certificate(chain.home, pem).has_value());
  }
  CHECK_FALSE(take_certificate(chain.home, "no certificate").has_value());
  CHECK_FALSE(fs::exists(chain.home / "cert.pem"));
}

TEST_CASE("of a request nothing is taken over but the key and the node's name") {
  Chain chain;
  const Key key = p256();
  const std::string greedy = request_with(
      key.get(), {{NID_subject_alt_name, "URI:" + node_uri() + ",DNS:victim.example.org"},
                  {NID_basic_constraints, "critical,CA:TRUE"},
                  {NID_key_usage, "critical,keyCertSign"}});
  const Certificate made = must(certificate_from_pem(must(chain.sign(greedy)), "it"));
  CHECK(spiffe_identity(made.get()) == node_uri());
  CHECK(X509_check_ca(made.get()) == 0);
  CHECK(X509_get_key_usage(made.get()) == KU_DIGITAL_SIGNATURE);
  CHECK(X509_check_host(made.get(), "victim.example.org", 0, 0, nullptr) == 0);
}

TEST_CASE("requests that nobody should sign are refused") {
  Chain chain;
  const Key key = p256();
  const Key signing = must(make_signing_key());
  const auto with_uri = [&](const std::string& uri) {
    return request_with(key.get(), {{NID_subject_alt_name, "URI:" + uri}});
  };
  CHECK(chain.sign(with_uri(node_uri())).has_value());
  CHECK(chain.sign(with_uri(node_uri()), std::string(32, '7')).has_value());
  // The admission was for another node.
  CHECK_FALSE(chain.sign(with_uri(node_uri()), std::string(32, '8')).has_value());
  CHECK_FALSE(chain.sign(with_uri(node_uri("other"))).has_value());
  CHECK_FALSE(
      chain.sign(with_uri("spiffe://example.org/eventchain/demo/client/operator")).has_value());
  CHECK_FALSE(chain.sign(with_uri("https://example.org/")).has_value());
  CHECK_FALSE(chain.sign(with_uri(node_uri() + ",URI:" + node_uri())).has_value());
  CHECK_FALSE(chain.sign(request_with(key.get(), {})).has_value());
  CHECK_FALSE(chain.sign(request_with(signing.get(), {{NID_subject_alt_name, "URI:" + node_uri()}}))
                  .has_value());
  CHECK_FALSE(chain.sign("").has_value());
  // Somebody else's key, without a signature of its own.
  std::string forged = with_uri(node_uri());
  const std::size_t last = forged.find("\n-----END") - 4;
  forged[last] = forged[last] == 'A' ? 'B' : 'A';
  CHECK_FALSE(chain.sign(forged).has_value());
}

TEST_CASE("what a join leaves behind is what a node starts from") {
  Chain chain;
  const JoiningNode node = chain.prepare();
  NodePlan plan;
  plan.peers_listen = "127.0.0.1:7104";
  plan.api_listen = "127.0.0.1:8104";
  plan.peers = {std::string(32, '5') + "@db1:7100"};
  must(finish_join(chain.home, plan));
  const auto config = must(node::load_config(chain.home / "node.toml", {}, {}));
  CHECK(config.node == node.member.node);
  CHECK(fs::weakly_canonical(config.genesis_file) ==
        fs::weakly_canonical(chain.home / "genesis.json"));
  CHECK(fs::weakly_canonical(config.data_directory) == fs::weakly_canonical(chain.home / "data"));
  CHECK_FALSE(config.light);
  REQUIRE(config.peers.size() == 1);
  CHECK(config.peers[0].address.host == "db1");
  CHECK(text_of_file(chain.home / "data/store-id") == to_hex(node.member.store) + "\n");

  // Run again, it keeps what somebody has added.
  std::ofstream(chain.home / "node.toml", std::ios::app) << "# by hand\n";
  must(finish_join(chain.home, plan));
  CHECK(text_of_file(chain.home / "node.toml").ends_with("# by hand\n"));
  // But a disk that was another member's is not taken over.
  std::ofstream(chain.home / "data/store-id") << std::string(32, '0') << "\n";
  CHECK_FALSE(finish_join(chain.home, plan).has_value());
}

TEST_CASE(
    "the database is where the one who joins wants it, and belongs to the directory's owner") {
  Chain chain;
  const JoiningNode node = chain.prepare();
  NodePlan plan;
  plan.data = chain.scratch.path() / "elsewhere/data";
  plan.peers_listen = "127.0.0.1:7104";
  plan.api_listen = "127.0.0.1:8104";
  fs::create_directories(plan.data);
  constexpr uid_t kSomebody = 65'534;
  const bool is_root = ::geteuid() == 0;
  if (is_root) REQUIRE(::chown(plan.data.c_str(), kSomebody, kSomebody) == 0);
  must(finish_join(chain.home, plan));
  const auto config = must(node::load_config(chain.home / "node.toml", {}, {}));
  CHECK(fs::weakly_canonical(config.data_directory) == fs::weakly_canonical(plan.data));
  CHECK_FALSE(fs::exists(chain.home / "data"));
  struct stat permit {};
  REQUIRE(::stat((plan.data / "store-id").c_str(), &permit) == 0);
  CHECK(permit.st_uid == (is_root ? kSomebody : ::geteuid()));
}

TEST_CASE("a join that is run again after the node has run gives it no second disk") {
  Chain chain;
  chain.prepare();
  NodePlan plan;
  plan.peers_listen = "127.0.0.1:7104";
  plan.api_listen = "127.0.0.1:8104";
  must(finish_join(chain.home, plan));
  CHECK(fs::status(chain.home / "data").permissions() == fs::perms::owner_all);
  // The node has used its permit up, and then its disk was lost.
  fs::remove_all(chain.home / "data");
  must(finish_join(chain.home, plan));
  CHECK_FALSE(fs::exists(chain.home / "data/store-id"));
}

TEST_CASE("a join as a light member leaves behind what a light member starts from") {
  Chain chain;
  const JoiningNode node = chain.prepare();
  NodePlan plan;
  plan.light = true;
  plan.peers_listen = "127.0.0.1:7104";
  plan.api_listen = "127.0.0.1:8104";
  plan.api_tls = false;
  must(finish_join(chain.home, plan));
  const auto config = must(node::load_config(chain.home / "node.toml", {}, {}));
  CHECK(config.light);
  CHECK(config.store == node.member.store);
  CHECK(config.api_listen.port == 8104);
}
