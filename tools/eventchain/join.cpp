#include "tools/eventchain/join.h"

#include <fmt/format.h>

#include "net/identity.h"
#include "node/genesis_json.h"
#include "store/sqlite/store_id_file.h"
#include "tools/eventchain/certificate.h"
#include "tools/eventchain/certificate_request.h"
#include "tools/eventchain/files.h"
#include "tools/eventchain/key_files.h"
#include "tools/eventchain/pki.h"

namespace eventchain::tools {

namespace fs = std::filesystem;
using chain::ErrorCode;
using chain::fail;
using chain::Result;

namespace {

Result<chain::Genesis> take_genesis(const fs::path& dir, std::string_view json) {
  Result<chain::Genesis> genesis = node::parse_genesis(json);
  if (!genesis) return genesis;
  const fs::path file = dir / "genesis.json";
  if (!fs::exists(file)) {
    if (auto written = write_new_file(file, json, Secrecy::kPublic); !written)
      return tl::unexpected(written.error());
    return genesis;
  }
  const Result<chain::Genesis> kept = node::load_genesis(file);
  if (!kept) return kept;
  if (chain::chain_id(*kept) != chain::chain_id(*genesis))
    return fail(ErrorCode::kInvalid,
                fmt::format("{} is of another chain; choose another directory", file.string()));
  return genesis;
}

std::string uri_of(const chain::Genesis& genesis, const chain::Member& member) {
  return net::to_uri(net::NodeIdentity{genesis.trust_domain, genesis.name, member.node});
}

// The configuration is written last. Where it is, this member was set up before and may have run: a
// second permit would let it come back with an empty disk after it has lost its own.
Result<void> check_permit(const NodePlan& plan, const chain::StoreId& store) {
  const Result<std::optional<chain::StoreId>> permit = store::read_store_id(plan.data);
  if (!permit) return tl::unexpected(permit.error());
  if (*permit && **permit != store)
    return fail(ErrorCode::kInvalid, fmt::format("{} has the permit of another store; a new member "
                                                 "starts with a new data directory",
                                                 plan.data.string()));
  return {};
}

}  // namespace

Result<JoiningNode> prepare_join(const fs::path& dir, std::string_view genesis_json,
                                 const std::string& name, const std::string& site) {
  if (auto made = make_directory(dir); !made) return tl::unexpected(made.error());
  const Result<chain::Genesis> genesis = take_genesis(dir, genesis_json);
  if (!genesis) return tl::unexpected(genesis.error());
  Result<chain::Member> member = member_at_home(dir, name, site);
  if (!member) return tl::unexpected(member.error());
  if (member->name != name)
    return fail(ErrorCode::kInvalid, fmt::format("{} is the directory of {}, and the token is for "
                                                 "{}; choose another directory",
                                                 dir.string(), member->name, name));
  const Result<Key> key = key_at(dir / "key.pem", make_tls_key);
  if (!key) return tl::unexpected(key.error());
  Result<std::string> request =
      make_certificate_request(key->get(), name, uri_of(*genesis, *member));
  if (!request) return tl::unexpected(request.error());
  if (auto written = replace_file(dir / "csr.pem", *request, Secrecy::kPublic); !written)
    return tl::unexpected(written.error());
  return JoiningNode{std::move(*member), std::move(*request)};
}

Result<void> take_certificate(const fs::path& dir, const std::string& certificate) {
  const Result<chain::Genesis> genesis = node::load_genesis(dir / "genesis.json");
  if (!genesis) return tl::unexpected(genesis.error());
  const Result<chain::Member> member = load_member(dir);
  if (!member) return tl::unexpected(member.error());
  const Result<Key> key = key_at(dir / "key.pem", make_tls_key);
  if (!key) return tl::unexpected(key.error());
  const Result<bool> fits = is_certificate_for(certificate, key->get(), uri_of(*genesis, *member));
  if (!fits) return tl::unexpected(fits.error());
  if (!*fits)
    return fail(ErrorCode::kInvalid,
                "the certificate is for another key or another node; look at the other node's "
                "cluster.ca_command");
  return replace_file(dir / "cert.pem", certificate, Secrecy::kPublic);
}

Result<void> finish_join(const fs::path& dir, NodePlan plan) {
  const Result<chain::Member> member = load_member(dir);
  if (!member) return tl::unexpected(member.error());
  plan.home = dir;
  plan.genesis = dir / "genesis.json";
  if (plan.data.empty()) plan.data = dir / "data";
  plan.file = dir / "node.toml";
  if (fs::exists(plan.file)) return check_permit(plan, member->store);
  if (auto written = write_permit(plan.data, member->store); !written) return written;
  const Result<std::string> text = plan_node(plan);
  if (!text) return tl::unexpected(text.error());
  return write_new_file(plan.file, *text, Secrecy::kPublic);
}

}  // namespace eventchain::tools
