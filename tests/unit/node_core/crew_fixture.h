#pragma once

#include <doctest/doctest.h>

#include <chrono>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "net/messages.h"
#include "node/core.h"
#include "node/light_core.h"
#include "store/memory_light_store.h"
#include "tests/sim/signing.h"
#include "tests/unit/node_core/node_core_fixture.h"

namespace eventchain::node::testing {

// Cores that mine for real and whose messages the test carries: the voters of genesis, and others
// that join; the last `lights` of these as light members. A turn for each input. Nodes are called
// by their place.
struct Crew {
  // `programs`: the feature levels of the nodes' programs, where they are not as shipped.
  explicit Crew(std::size_t voters, std::size_t joiners = 0, std::size_t lights = 0,
                std::vector<std::uint16_t> programs = {})
      : genesis(easy_genesis(voters)) {
    programs.resize(voters + joiners, chain::kFeatureLevelMax);
    for (std::size_t i = 0; i < voters + joiners; ++i) {
      nodes.push_back(std::make_unique<Node>(genesis, voter_key(i)));
      Node& node = *nodes[i];
      if (i + lights >= voters + joiners) {
        node.light_store.turns().begin();
        node.light = std::make_unique<LightCore>(LightOptions{voter_id(i), true, &node.signing},
                                                 node.light_store);
        end_turn(i);
      } else {
        node.store.turns().begin();
        boot(i, programs[i]);
      }
    }
    for (std::size_t i = 0; i < nodes.size(); ++i)
      for (std::size_t peer = 0; peer < nodes.size(); ++peer)
        if (peer != i) handle(i, up_now(peer));
  }

  void boot(std::size_t at, std::uint16_t program) {
    nodes[at]->program = program;
    CoreOptions options;
    options.self = voter_id(at);
    options.genesis = genesis;
    options.seed = at + 1;
    options.signing = &nodes[at]->signing;
    options.feature_level = program;
    nodes[at]->core = std::make_unique<NodeCore>(options, nodes[at]->store);
    nodes[at]->core->start(now);
    end_turn(at);
  }
  // On its disk, with a program of this level; linked to all that live, if it runs.
  void restart(std::size_t at, std::uint16_t program) {
    if (!dead.contains(at)) kill(at);
    dead.erase(at);
    outdated.erase(at);
    std::erase_if(mail, [&](const Letter& one) { return one.from == at || one.to == at; });
    nodes[at]->work.reset();
    boot(at, program);
    for (std::size_t i = 0; i < nodes.size(); ++i)
      if (i != at && !is_cut(i, at)) link(i, at);
  }
  void link(std::size_t a, std::size_t b) {
    cuts.erase({a, b});
    cuts.erase({b, a});
    handle(a, up_now(b));
    handle(b, up_now(a));
  }

  static PeerUp up(std::size_t place) { return {voter_id(place), voter_store(place)}; }
  [[nodiscard]] PeerUp up_now(std::size_t place) const {
    return {voter_id(place), voter_store(place), nodes[place]->program};
  }

  void handle(std::size_t at, Input input) {
    if (dead.contains(at)) return;
    nodes[at]->machine().handle(now_at(at), std::move(input));
    end_turn(at);
  }
  [[nodiscard]] chain::Now now_at(std::size_t at) const {
    const auto off = clocks_off.find(at);
    return {now.steady, {now.wall.value + (off == clocks_off.end() ? 0 : off->second.count())}};
  }
  void end_turn(std::size_t at) {
    auto effects = nodes[at]->machine().take_effects();
    nodes[at]->turns().commit();
    nodes[at]->turns().begin();
    for (auto* list : {&effects.ahead, &effects.when_durable})
      for (auto& effect : *list) carry_out(at, effect);
  }
  void carry_out(std::size_t at, Effect& effect) {
    if (removed.contains(at)) return;  // the process was told to end, and may have
    if (auto* send = std::get_if<Send>(&effect))
      for (const auto& to : send->to) {
        mail.push_back({at, place_of(to), send->message});
        if (delay) mail.back().due = now.steady + delay(mail.back());
      }
    if (auto* mine = std::get_if<Mine>(&effect)) nodes[at]->work = mine->order;
    if (std::holds_alternative<StopMining>(effect)) nodes[at]->work.reset();
    if (auto* answer = std::get_if<OrderAnswer>(&effect)) orders.push_back(*answer);
    if (auto* answer = std::get_if<Answer>(&effect)) answers.push_back(*answer);
    if (auto* changed = std::get_if<MembersChanged>(&effect)) leaving[at] = changed->leaving;
    if (std::holds_alternative<Removed>(effect)) {
      removed.insert(at);
      kill(at);
    }
    if (auto* end = std::get_if<Outdated>(&effect)) {
      outdated[at] = end->reason;
      kill(at);
    }
    if (auto* notice = std::get_if<Notice>(&effect)) {
      if (notice->level == Notice::Level::kError) errors.push_back(notice->text);
      if (notice->level == Notice::Level::kWarning) warnings.push_back(notice->text);
    }
  }

  // Carries messages, mines and lets time pass, for so long or until it is true.
  bool run(std::chrono::milliseconds span, const std::function<bool()>& is_true = {}) {
    for (const auto end = now.steady + span; now.steady < end;) {
      if (is_true && is_true()) return true;
      for (std::size_t carried = 0; !mail.empty() && carried < 2000; ++carried) {
        const auto letter = std::move(mail.front());
        mail.pop_front();
        if (letter.due > now.steady) {
          late.push_back(letter);
          continue;
        }
        if (is_cut(letter.from, letter.to) || (is_lost && is_lost(letter))) continue;
        kinds[letter.to].insert(net::name_of(letter.message));
        handle(letter.to, PeerSaid{voter_id(letter.from), letter.message});
      }
      mail.insert(mail.begin(), late.begin(), late.end());
      late.clear();
      for (std::size_t i = 0; i < nodes.size(); ++i) {
        if (dead.contains(i)) continue;
        if (nodes[i]->machine().next_wakeup() <= now.steady) handle(i, Woke{});
        mine(i);
      }
      now.steady = now.steady + std::chrono::milliseconds(10);
      now.wall.value += 10;
    }
    return is_true && is_true();
  }
  void mine(std::size_t at) {
    auto& work = nodes[at]->work;
    if (!work || dead.contains(at) || idle.contains(at)) return;
    chain::Nonce nonce{chain::nonce_high(work->slot, 0, ++nodes[at]->counter), 0};
    while (!chain::share_meets(chain::Sha256Digest(), work->header, nonce, work->target))
      ++nonce.low;
    const mining::ShareFound found{work->template_hash, nonce};
    work.reset();
    handle(at, MinerFound{found});
  }

  [[nodiscard]] bool is_cut(std::size_t a, std::size_t b) const {
    return dead.contains(a) || dead.contains(b) || cuts.contains({a, b}) || cuts.contains({b, a});
  }
  void cut(std::size_t a, std::size_t b) {
    cuts.insert({a, b});
    handle(a, PeerDown{voter_id(b)});
    handle(b, PeerDown{voter_id(a)});
  }
  void kill(std::size_t at) {
    dead.insert(at);
    for (std::size_t i = 0; i < nodes.size(); ++i)
      if (!dead.contains(i)) handle(i, PeerDown{voter_id(at)});
  }
  std::optional<std::size_t> leader() const {
    for (std::size_t i = 0; i < nodes.size(); ++i)
      if (!dead.contains(i) && nodes[i]->core && nodes[i]->core->replica().is_ready()) return i;
    return std::nullopt;
  }
  std::size_t elect() {
    REQUIRE(run(std::chrono::seconds(20), [this] { return leader().has_value(); }));
    return *leader();
  }

  // Hands an order to a node; what came of it.
  OrderAnswer order(std::size_t at, net::Order order,
                    std::chrono::milliseconds patience = std::chrono::seconds(20)) {
    const RequestId request{++last_request};
    handle(at, ClientOrders{request, std::move(order), now.steady + patience});
    const auto is_answered = [&] { return !orders.empty() && orders.back().request == request; };
    REQUIRE(run(patience + std::chrono::seconds(5), is_answered));
    return orders.back();
  }
  OrderAnswer order(std::size_t at, decltype(chain::MemberOrder::what) what) {
    return order(at, net::Order(chain::MemberOrder{"ann", std::move(what)}));
  }
  // Invites and admits the node at this place.
  void admit(std::size_t place, chain::MemberRole role) {
    chain::JoinToken token;
    token.octets[0] = static_cast<std::uint8_t>(place);
    const std::string name = "n" + std::to_string(place);
    const std::size_t at = elect();
    CHECK(
        order(at,
              chain::Invite{{chain::token_hash(token), role, name, "", {now.wall.value + 60'000}}})
            .message == "");
    chain::Member member;
    member.node = voter_id(place);
    member.signing_key = voter_key(place);
    member.name = name;
    member.role = role;
    member.store = voter_store(place);
    CHECK(order(at, chain::Admit{token, member}).message == "");
  }
  void submit(std::size_t at, const chain::HeldEvent& offered, WaitFor wait) {
    handle(at,
           ClientSubmit{
               RequestId{++last_request}, {offered}, wait, now.steady + std::chrono::seconds(60)});
  }

  [[nodiscard]] const chain::MemberSet& members(std::size_t at) const {
    return *nodes[at]->chain_state().members;
  }
  [[nodiscard]] chain::Height height(std::size_t at) const {
    return nodes[at]->chain_state().height();
  }
  [[nodiscard]] std::size_t raft_voters(std::size_t at) const {
    const auto& servers = nodes[at]->core->replica().configuration();
    return static_cast<std::size_t>(
        std::count_if(servers.begin(), servers.end(),
                      [](const auto& s) { return s.suffrage == consensus::Suffrage::kVoter; }));
  }

  struct Node {
    Node(const chain::Genesis& genesis, const chain::PublicKey& key)
        : store(genesis), light_store(genesis), signing(key) {}
    Machine& machine() { return core ? static_cast<Machine&>(*core) : *light; }
    store::Turns& turns() { return core ? store.turns() : light_store.turns(); }
    [[nodiscard]] const chain::HeaderState& chain_state() const {
      return core ? core->chain_state() : light->chain_state();
    }
    store::MemoryStore store;
    store::MemoryLightStore light_store;
    sim::Signing signing;
    std::unique_ptr<NodeCore> core;    // null for a light member
    std::unique_ptr<LightCore> light;  // null for any other
    std::uint16_t program = chain::kFeatureLevelMax;
    std::optional<mining::WorkOrder> work;
    std::uint64_t counter = 0;
  };
  struct Letter {
    std::size_t from;
    std::size_t to;
    net::Message message;
    chain::Instant due = {};  // not handled before
  };
  const chain::Genesis genesis;
  chain::Now now{chain::Instant{std::chrono::seconds(5)}, {1'750'000'000'000}};
  std::vector<std::unique_ptr<Node>> nodes;
  std::deque<Letter> mail;
  std::deque<Letter> late;  // of a round of run()
  std::function<bool(const Letter&)> is_lost;
  std::function<std::chrono::milliseconds(const Letter&)> delay;  // until it is handled
  std::map<std::size_t, std::chrono::milliseconds> clocks_off;    // wall clocks that are wrong
  std::set<std::pair<std::size_t, std::size_t>> cuts;
  std::set<std::size_t> dead;
  std::set<std::size_t> idle;                          // find no shares
  std::map<std::size_t, std::set<std::string>> kinds;  // of messages, by whom they were sent to
  std::set<std::size_t> removed;
  std::map<std::size_t, std::string> outdated;  // who ended for its program, and what it said
  std::map<std::size_t, std::vector<chain::NodeId>> leaving;  // as each node told it last
  std::vector<OrderAnswer> orders;
  std::vector<Answer> answers;
  std::vector<std::string> errors;
  std::vector<std::string> warnings;
  std::uint64_t last_request = 0;
};

// In how many blocks of a node the order is.
inline std::size_t count_blocks(Crew& crew, std::size_t at, const chain::MemberOrder& order) {
  std::size_t found = 0;
  auto& store = crew.nodes[at]->store.chain();
  for (chain::Height height{1}; height <= crew.height(at); height = height.next()) {
    const auto block = store.block(height);
    REQUIRE(block.has_value());
    for (const auto& item : block->content.annex) {
      const auto* placed = std::get_if<chain::MemberOrder>(&item);
      if (placed != nullptr && chain::is_same_wish(*placed, order)) ++found;
    }
  }
  return found;
}

}  // namespace eventchain::node::testing
