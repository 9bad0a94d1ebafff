#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "chain/genesis.h"
#include "chain/result.h"
#include "tools/eventchain/node_setup.h"

// The files of a node that joins: what `pki issue` and `config init` make for the voters of
// genesis, made on the node's own machine, so that its keys never leave it. Every step can be
// repeated: what is there is kept, above all ids and keys.
namespace eventchain::tools {

struct JoiningNode {
  chain::Member member;
  std::string request;  // for its certificate (PEM); also in csr.pem
};
// genesis.json, member.json, signing.key.pem, key.pem and csr.pem in `dir`, which may exist: then
// it must be of the same chain and name.
chain::Result<JoiningNode> prepare_join(const std::filesystem::path& dir,
                                        std::string_view genesis_json, const std::string& name,
                                        const std::string& site);

// cert.pem, checked against key and name.
chain::Result<void> take_certificate(const std::filesystem::path& dir,
                                     const std::string& certificate);

// The permit for the member's first database, and node.toml. A configuration that is there is kept,
// for it may have been changed by hand, and then there is no new permit: the node may have run.
// `plan` says what is chosen; its places are set from `dir`, but for the data where it names them.
chain::Result<void> finish_join(const std::filesystem::path& dir, NodePlan plan);

}  // namespace eventchain::tools
