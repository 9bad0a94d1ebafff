#pragma once

#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "node/core.h"
#include "tests/sim/signing.h"
#include "tests/unit/node_core/node_core_fixture.h"

namespace eventchain::node::testing {

// Voters, all linked to all, and behind them nodes outside Raft with the links that a test gives
// them. The test carries their messages, or not; a turn for each input.
struct SparseMesh {
  using Configure = std::function<void(std::size_t, CoreOptions&)>;

  SparseMesh(std::size_t voters, std::size_t outsiders, const Configure& configure = {})
      : genesis(easy_genesis(voters)), nodes(voters + outsiders) {
    for (std::size_t i = 0; i < nodes.size(); ++i) {
      Node& node = nodes[i];
      chain::PublicKey key;
      key.octets[0] = static_cast<std::uint8_t>(i + 1);
      node.signing = std::make_unique<sim::Signing>(key);
      node.store = std::make_unique<store::MemoryStore>(genesis);
      CoreOptions options;
      options.self = voter_id(i);
      options.genesis = genesis;
      options.seed = i + 1;
      options.signing = node.signing.get();
      if (configure) configure(i, options);
      node.store->turns().begin();
      node.core = std::make_unique<NodeCore>(options, *node.store);
      node.core->start(now);
      end_turn(i);
    }
    for (std::size_t a = 0; a < voters; ++a)
      for (std::size_t b = a + 1; b < voters; ++b) link(a, b);
    leader = elect();
  }

  NodeCore& core(std::size_t at) { return *nodes[at].core; }
  void link(std::size_t a, std::size_t b) {
    links.insert({std::min(a, b), std::max(a, b)});
    handle(a, PeerUp{voter_id(b), voter_store(b)});
    handle(b, PeerUp{voter_id(a), voter_store(a)});
  }
  void unlink(std::size_t a, std::size_t b) {
    if (links.erase({std::min(a, b), std::max(a, b)}) == 0) return;
    handle(a, PeerDown{voter_id(b)});
    handle(b, PeerDown{voter_id(a)});
  }
  void handle(std::size_t at, Input input) {
    core(at).handle(now, std::move(input));
    end_turn(at);
  }
  void end_turn(std::size_t at) {
    auto effects = core(at).take_effects();
    nodes[at].store->turns().commit();
    nodes[at].store->turns().begin();
    for (auto* list : {&effects.ahead, &effects.when_durable}) {
      for (auto& effect : *list) {
        if (const auto* answer = std::get_if<Answer>(&effect)) answers.push_back(*answer);
        if (const auto* ready = std::get_if<ReadReady>(&effect)) reads.push_back(*ready);
        if (const auto* mine = std::get_if<Mine>(&effect)) order = mine->order;
        const auto* send = std::get_if<Send>(&effect);
        if (send == nullptr) continue;
        for (const auto& to : send->to)
          mail.push_back({at, static_cast<std::size_t>(to.octets[0] - 1), send->message});
      }
    }
  }
  // Carries messages until none is left, and lets time pass, for so long.
  void run(std::chrono::milliseconds span) {
    for (const auto end = now.steady + span; now.steady < end;
         now.steady = now.steady + std::chrono::milliseconds(10)) {
      while (!mail.empty()) {
        const Letter letter = std::move(mail.front());
        mail.pop_front();
        const auto pair = std::minmax(letter.from, letter.to);
        if (!links.contains({pair.first, pair.second})) continue;
        if (is_lost && is_lost(letter)) continue;
        carried.push_back(letter);
        handle(letter.to, PeerSaid{voter_id(letter.from), letter.message});
      }
      for (std::size_t i = 0; i < nodes.size(); ++i)
        if (core(i).next_wakeup() <= now.steady) handle(i, Woke{});
    }
  }
  std::size_t elect() {
    for (int i = 0; i < 100; ++i) {
      run(std::chrono::milliseconds(100));
      for (std::size_t node = 0; node < genesis.voters.size(); ++node)
        if (core(node).replica().is_ready()) return node;
    }
    FAIL("nobody leads");
    return 0;
  }
  // Of the voters that do not lead.
  [[nodiscard]] std::size_t follower(std::size_t number = 0) const {
    return (leader + 1 + number) % genesis.voters.size();
  }
  void submit(std::size_t at, std::vector<chain::HeldEvent> events, WaitFor wait,
              std::chrono::milliseconds patience = std::chrono::seconds(60)) {
    handle(at, ClientSubmit{RequestId{++requests}, std::move(events), wait, now.steady + patience});
  }
  // The share that seals the template which is mined now.
  [[nodiscard]] mining::ShareFound share() const {
    REQUIRE(order.has_value());
    return {order->template_hash, seal_of(order->header).shares[0]};
  }
  template <class Kind>
  [[nodiscard]] std::size_t count(std::size_t from, std::size_t to) const {
    return static_cast<std::size_t>(std::ranges::count_if(carried, [&](const Letter& letter) {
      return letter.from == from && letter.to == to && std::holds_alternative<Kind>(letter.message);
    }));
  }
  [[nodiscard]] EventOutcome::State outcome() const {
    REQUIRE(answers.size() == 1);
    REQUIRE(answers[0].outcomes.size() == 1);
    return answers[0].outcomes[0].state;
  }

  struct Letter {
    std::size_t from;
    std::size_t to;
    net::Message message;
  };
  struct Node {
    std::unique_ptr<sim::Signing> signing;
    std::unique_ptr<store::MemoryStore> store;
    std::unique_ptr<NodeCore> core;
  };
  const chain::Genesis genesis;
  chain::Now now{chain::Instant{std::chrono::seconds(5)}, {1'750'000'000'000}};
  std::vector<Node> nodes;
  std::set<std::pair<std::size_t, std::size_t>> links;
  std::deque<Letter> mail;
  std::vector<Letter> carried;
  std::function<bool(const Letter&)> is_lost;
  std::vector<Answer> answers;
  std::vector<ReadReady> reads;
  std::optional<mining::WorkOrder> order;
  std::uint64_t requests = 0;
  std::size_t leader = 0;
};

}  // namespace eventchain::node::testing
