#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "node/core.h"
#include "tests/unit/node_core/node_core_fixture.h"

namespace eventchain::node::testing {

// The first of three voters, or another node, linked to both others, which are what the test says
// in their names.
struct Voter {
  explicit Voter(chain::Signing* signing = nullptr, chain::NodeId self = voter_id(0)) {
    CoreOptions options;
    options.signing = signing;
    options.self = self;
    options.genesis = genesis;
    store.turns().begin();
    core = std::make_unique<NodeCore>(options, store);
    core->start(now);
    for (const std::size_t peer : {std::size_t{1}, std::size_t{2}})
      core->handle(now, PeerUp{voter_id(peer), voter_store(peer)});
    end_turn();
  }
  void said(std::size_t peer, net::Message message) {
    core->handle(now, PeerSaid{voter_id(peer), std::move(message)});
  }
  std::vector<Effect> end_turn() {
    auto taken = core->take_effects();
    auto effects = std::move(taken.when_durable);
    for (auto& effect : taken.ahead) effects.push_back(std::move(effect));
    store.turns().commit();
    store.turns().begin();
    return effects;
  }
  // Ends the turn; who was hung up on in it.
  std::vector<chain::NodeId> hung_up() {
    std::vector<chain::NodeId> peers;
    for (const auto& effect : end_turn())
      if (const auto* hang_up = std::get_if<HangUp>(&effect)) peers.push_back(hang_up->peer);
    return peers;
  }
  // Ends the turn; the template it ordered to be mined last.
  std::optional<chain::TemplateHash> mined() {
    std::optional<chain::TemplateHash> hash;
    for (const auto& effect : end_turn())
      if (const auto* mine = std::get_if<Mine>(&effect)) hash = mine->order.template_hash;
    return hash;
  }

  const chain::Genesis genesis = easy_genesis(3);
  chain::Now now{chain::Instant{std::chrono::seconds(50)}, {1'750'000'000'000}};
  store::MemoryStore store{genesis};
  std::unique_ptr<NodeCore> core;
};

}  // namespace eventchain::node::testing
