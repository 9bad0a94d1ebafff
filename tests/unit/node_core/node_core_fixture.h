#pragma once

#include <string>
#include <vector>

#include "chain/assembler.h"
#include "node/ledger.h"
#include "store/memory_store.h"

// A chain small enough to seal by hand: targets of two hashes, one share a block.
namespace eventchain::node::testing {

inline chain::NodeId voter_id(std::size_t place) {
  chain::NodeId id;
  id.octets[0] = static_cast<std::uint8_t>(place + 1);
  return id;
}

inline chain::StoreId voter_store(std::size_t place) {
  chain::StoreId id;
  id.octets[0] = static_cast<std::uint8_t>(place + 1);
  return id;
}

inline chain::PublicKey voter_key(std::size_t place) {
  chain::PublicKey key;
  key.octets[0] = static_cast<std::uint8_t>(place + 1);
  return key;
}

inline std::size_t place_of(const chain::NodeId& voter) {
  return voter.octets[0] - std::size_t{1};
}

inline chain::Genesis easy_genesis(std::size_t voters) {
  chain::Genesis genesis;
  genesis.name = "test";
  genesis.trust_domain = "test";
  genesis.share_count = 1;
  genesis.interval_ms = 1000;
  genesis.first_target = chain::compact(chain::target_for(chain::U256(2)));
  genesis.easiest_target = genesis.first_target;
  for (std::size_t place = 0; place < voters; ++place) {
    chain::Member member;
    member.node = voter_id(place);
    member.signing_key = voter_key(place);
    member.store = voter_store(place);
    member.slot = chain::Slot{static_cast<std::uint16_t>(place)};
    member.name = "n" + std::to_string(place);
    genesis.voters.push_back(member);
  }
  return genesis;
}

inline chain::MembersRef members_of(const chain::Genesis& genesis) {
  return std::make_shared<const chain::MemberSet>(chain::first_members(genesis));
}

// `salt` tells variants of one content apart.
inline chain::HeldEvent event(const std::string& id, const std::string& data, std::uint8_t salt,
                              std::optional<std::int32_t> expected = std::nullopt) {
  chain::Event made;
  made.set("id", id);
  made.set("source", std::string("/test"));
  made.set("type", std::string("test"));
  made.set("stream", std::string("s"));
  if (expected) made.set("expectedversion", *expected);
  made.data_kind = chain::DataKind::kBinary;
  made.data = data;
  chain::Salt octets;
  octets.octets[0] = salt;
  auto held = chain::hold_event(octets, chain::encode_body(made), chain::EventLimits{});
  EC_ASSERT(held.has_value(), "a sound event");
  return std::move(*held);
}

inline chain::Seal seal_of(const chain::TemplateHeader& header) {
  const auto target = chain::expand(header.share_target);
  chain::Nonce nonce;
  while (!chain::share_meets(chain::Sha256Digest(), header, nonce, *target)) ++nonce.low;
  return {header.time, {nonce}};
}

// A ledger inside an open turn, alone with its store.
struct LoneLedger {
  explicit LoneLedger(std::size_t voters = 1) : store(easy_genesis(voters)) {
    store.turns().begin();
  }

  Holding hold(const chain::HeldEvent& held, Origin origin) {
    return ledger.hold(held, origin, now);
  }
  // Makes what is pending, and orders if there are any, the next block.
  Settled commit(const std::vector<chain::MemberOrder>& orders = {}) {
    const chain::UnixMillis time = ledger.state().tip_header.seal.sealed_at;
    auto assembly = ledger.assemble(time, time, now, {std::chrono::milliseconds(0)});
    auto& [header, content] = assembly.made;
    for (const auto& order : orders) content.annex.push_back(order);
    header.annex_root = chain::annex_root(content.annex);
    const Checked checked = ledger.check(assembly.made);
    EC_ASSERT(checked.verdict.ok(), "what is assembled obeys the rules");
    return ledger.apply(*checked.made, seal_of(assembly.made.header), ledger.applied().next());
  }

  chain::Now now{chain::Instant{std::chrono::seconds(5)}, {1'750'000'000'000}};
  store::MemoryStore store;
  Ledger ledger{store.chain(), store.chain().recover(), chain::PoolLimits{}, now};
};

}  // namespace eventchain::node::testing
