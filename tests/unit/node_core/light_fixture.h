#pragma once

#include <doctest/doctest.h>

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "node/light_core.h"
#include "store/memory_light_store.h"
#include "tests/unit/node_core/catch_up_fixture.h"

namespace eventchain::node::testing {

inline constexpr std::size_t kLightPlace = 3;  // after three voters; its slot, too

inline chain::MemberOrder order_of(decltype(chain::MemberOrder::what) what) {
  return {"ann", std::move(what)};
}

// Two blocks: the node at kLightPlace is invited and admitted.
inline void admit_light(History& history, chain::MemberRole role = chain::MemberRole::kLight) {
  chain::JoinToken token;
  token.octets[0] = 9;
  const chain::UnixMillis until{history.ledger.now.wall.value + 3'600'000};
  history.ledger.commit(
      {order_of(chain::Invite{{chain::token_hash(token), role, "l", "", until}})});
  chain::Member member;
  member.node = voter_id(kLightPlace);
  member.signing_key.octets[0] = kLightPlace + 1;
  member.slot = chain::Slot{kLightPlace};
  member.name = "l";
  member.role = role;
  member.store = voter_store(kLightPlace);
  history.ledger.commit({order_of(chain::Admit{token, member})});
}

// A light member to which the test speaks for all voters. A turn for each input.
struct Light {
  // After `blocks` blocks that change no members come the two that admit it, and one more.
  explicit Light(std::size_t blocks = 2, chain::MemberRole role = chain::MemberRole::kLight)
      : history("a", blocks) {
    admit_light(history, role);
    history.ledger.commit();
    start();
    for (const std::size_t voter : {0U, 1U, 2U}) link(voter);
  }

  void start() {
    store.turns().begin();
    core = std::make_unique<LightCore>(LightOptions{voter_id(kLightPlace), true, &signing}, store);
    core->start(now);
    end_turn();
  }
  void end_turn() {
    auto effects = core->take_effects();
    store.turns().commit();
    store.turns().begin();
    for (auto* list : {&effects.ahead, &effects.when_durable})
      for (auto& effect : *list) seen.push_back(std::move(effect));
  }
  void handle(Input input) {
    core->handle(now, std::move(input));
    end_turn();
  }
  void link(std::size_t voter) { handle(PeerUp{voter_id(voter), voter_store(voter)}); }
  void said(std::size_t voter, net::Message message) {
    handle(PeerSaid{voter_id(voter), std::move(message)});
  }
  void pass(std::chrono::milliseconds span) {
    now.steady = now.steady + span;
    if (core->next_wakeup() <= now.steady) handle(Woke{});
  }

  [[nodiscard]] net::HeadersReply reply(std::uint64_t from, std::uint64_t to,
                                        const std::vector<std::size_t>& signers = {1, 2}) {
    net::HeadersReply made{chain::Height{from}, {}, {}};
    for (std::uint64_t height = from; height <= to; ++height) {
      const chain::Block block = history.block(height);
      made.blocks.push_back({block.sealed, block.content.annex});
    }
    made.certificate = certificate(made.blocks.back().sealed, signers);
    return made;
  }
  // The voter shows that it has a certificate of a block as high; the answer to what it is asked.
  void shows(std::size_t voter, std::uint64_t height) {
    said(voter, net::Signatures{chain::Height{height}, {}, reply(1, 1).certificate});
  }
  // Comes to this height in steps that change members at their ends.
  void follow(std::uint64_t height) {
    while (core->chain_state().height().value < height) {
      const std::uint64_t from = core->chain_state().height().value + 1;
      std::uint64_t to = from;
      while (to < height &&
             history.sealed(to + 1).header.member_set == history.sealed(from).header.member_set)
        ++to;
      shows(1, to);
      said(1, reply(from, to));
      REQUIRE(core->chain_state().height().value == to);
    }
  }
  [[nodiscard]] static mining::ShareFound share_for(const mining::WorkOrder& order,
                                                    std::uint64_t counter = 0) {
    chain::Nonce nonce{chain::nonce_high(order.slot, 0, counter), 0};
    while (!chain::share_meets(chain::Sha256Digest(), order.header, nonce, order.target))
      ++nonce.low;
    return {order.template_hash, nonce};
  }
  [[nodiscard]] chain::TemplateHeader next_template() const {
    const chain::HeaderState& state = core->chain_state();
    chain::TemplateHeader header = state.tip_header.header;
    header.height = state.height().next();
    header.parent = state.tip;
    header.history_root = state.history.root();
    header.annex_root = chain::annex_root({});
    header.member_set = state.member_set;
    header.started = state.tip_header.seal.sealed_at;
    header.time = header.started;
    header.share_target =
        chain::required_target(state.genesis, state.tip_header, header.started, header.time);
    return header;
  }

  template <class Kind>
  [[nodiscard]] std::vector<Kind> all() const {
    std::vector<Kind> found;
    for (const auto& effect : seen)
      if (const auto* one = std::get_if<Kind>(&effect)) found.push_back(*one);
    return found;
  }
  template <class Kind>
  [[nodiscard]] std::vector<std::pair<chain::NodeId, Kind>> sent() const {
    std::vector<std::pair<chain::NodeId, Kind>> found;
    for (const auto& send : all<Send>())
      if (const auto* one = std::get_if<Kind>(&send.message))
        for (const auto& to : send.to) found.emplace_back(to, *one);
    return found;
  }
  [[nodiscard]] std::uint64_t height() const { return core->chain_state().height().value; }
  // Why somebody was hung up on last; "" if nobody was.
  [[nodiscard]] std::string hung_up_for() const {
    const auto ended = all<HangUp>();
    return ended.empty() ? "" : ended.back().reason;
  }

  History history;
  chain::Now now{chain::Instant{std::chrono::seconds(50)}, {1'750'000'000'000}};
  sim::Signing signing{chain::PublicKey{}};
  store::MemoryLightStore store{easy_genesis(3)};
  std::unique_ptr<LightCore> core;
  std::vector<Effect> seen;
};

}  // namespace eventchain::node::testing
