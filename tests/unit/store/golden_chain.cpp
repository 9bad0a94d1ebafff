#include "golden_chain.h"

#include <algorithm>

#include "chain/hash.h"
#include "consensus/configuration.h"
#include "consensus/decision.h"
#include "tests/unit/filled.h"

namespace eventchain::store::testing {

namespace {

using chain::Height;
using chain::RejectionReason;
using chain::Slot;
using chain::StreamVersion;
using consensus::EntryKind;
using consensus::LogIndex;
using consensus::Term;

const chain::JoinToken kToken = filled<chain::JoinToken>(0x51);

chain::Invitation invitation() {
  return {chain::token_hash(kToken),
          chain::MemberRole::kStandby,
          "n4",
          "site-b",
          {small_genesis().created.value + 86'400'000}};
}

chain::Member newcomer() {
  chain::Member member{filled<chain::NodeId>(0x41), filled<chain::PublicKey>(0x42), Slot{3}, "n4",
                       "site-b"};
  member.store = filled<chain::StoreId>(0x43);
  member.role = chain::MemberRole::kStandby;
  member.peers_address = "host-4:7401";
  member.api_address = "[::1]:7400";
  member.valid_from = small_genesis().created;
  return member;
}

consensus::ServerId server_of(const chain::Member& member) {
  return consensus::ServerId{chain::raft_id(member.node)};
}

consensus::Configuration voters() {
  consensus::Configuration made;
  for (const chain::Member& member : small_genesis().voters)
    made.push_back({server_of(member), consensus::Suffrage::kVoter});
  std::ranges::sort(made, {}, &consensus::Server::id);
  return made;
}

chain::SlotSignature signature(std::uint16_t slot, std::uint8_t octet) {
  return {Slot{slot}, filled<chain::Signature>(octet)};
}

}  // namespace

GoldenChain::GoldenChain() {
  // Neither by number nor in the order in which the blocks take them.
  const auto held = [this](const chain::HeldEvent& event) { return events.emplace_back(event); };
  const auto third = held(event_of(3, 1));
  const auto first = held(event_of(1, 1));
  const auto second = held(event_of(2, 2, 0, 300));
  const auto variant = held(event_of(1, 1, 1));
  const auto conflicting = held(event_of(5, 2));
  const auto fourth = held(event_of(4, 1));
  held(event_of(10, 2));  // pending
  const auto sixth = held(event_of(6, 3, 0, 0));
  const auto seventh = held(event_of(7, 2));
  const auto expired = held(event_of(9, 3));
  const auto eighth = held(event_of(8, 1));
  held(event_of(11, 4));  // pending

  blocks.push_back(maker.next({first, second, third}, {}, LogIndex{3}));
  blocks.push_back(maker.next({fourth},
                              {{conflicting, RejectionReason::kVersionConflict, StreamVersion{0}},
                               {variant, RejectionReason::kKeyTaken, StreamVersion{1}}},
                              LogIndex{4}));
  BlockMaker rival = maker;
  lost = rival.next({seventh}, {}, LogIndex{5});
  blocks.push_back(maker.next({sixth, seventh}, {}, LogIndex{5}));
  blocks.push_back(maker.next({}, {}, LogIndex{6}, {{"alice", chain::Invite{invitation()}}}));
  blocks.push_back(maker.next(
      {eighth}, {{expired, RejectionReason::kExpectationExpired, StreamVersion{0}}}, LogIndex{7},
      {{"", chain::Admit{kToken, newcomer()}},
       {"policy", chain::SetVoterPolicy{{3, 60'000}}},
       {"alice", chain::RaiseFeatureLevel{2}}}));
  BlockMaker next = maker;
  undecided = next.next({events[6]}, {}, LogIndex{});

  consensus::Configuration changed = voters();
  changed.push_back({server_of(newcomer()), consensus::Suffrage::kStandby});
  std::ranges::sort(changed, {}, &consensus::Server::id);
  entries.push_back({Term{1}, EntryKind::kChange, consensus::encode_configuration(voters())});
  entries.push_back({Term{1}, EntryKind::kBarrier, {}});
  for (const BlockApplication& made : blocks)
    entries.push_back(
        {Term{1}, EntryKind::kCommand, consensus::encode_decision(made.block.sealed)});
  entries.push_back({Term{2}, EntryKind::kBarrier, {}});
  entries.push_back({Term{2}, EntryKind::kChange, consensus::encode_configuration(changed)});

  snapshot.meta = {LogIndex{5}, Term{1}, voters(), LogIndex{1}};
  snapshot.bytes = consensus::encode_chain_point({Height{3}, blocks[2].id});
  hard_state = {Term{3}, server_of(small_genesis().voters[1])};
  for (const std::size_t other : {1U, 2U}) {
    const chain::Member member = small_genesis().voters[other];
    peers.push_back({member.node, member.store, Term{3}, LogIndex{7 + other}});
  }
  std::ranges::sort(peers, {}, &PeerSeen::node);
}

void GoldenChain::write(Store& store) const {
  ChainStore& chain = store.chain();
  chain.recover();
  turn(store, [&] {
    for (const chain::HeldEvent& event : events) chain.put_event(event);
    store.raft().append(LogIndex{1}, entries);
  });
  for (const BlockApplication& made : blocks) {
    turn(store, [&] { chain.put_template(template_of(made.block)); });
    turn(store, [&] { chain.apply_block(made); });
  }
  turn(store, [&] {
    chain.put_template(template_of(undecided.block));
    chain.put_stale({lost.block.sealed, "lost its height"});
    chain.put_stale({undecided.block.sealed, ""});
    chain.put_signature(Height{3}, signature(2, 0x61));
    chain.put_signature(Height{3}, signature(0, 0x61));
    chain.put_signature(Height{5}, signature(1, 0x62));
    chain.set_applied(LogIndex{9});
    store.raft().save_snapshot(snapshot, 2);
    store.raft().save_hard_state(hard_state);
    for (const PeerSeen& seen : peers) store.peers().save(seen);
  });
}

}  // namespace eventchain::store::testing
