#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "chain/certificate.h"
#include "chain/flat_map.h"
#include "chain/keys.h"
#include "chain/rules.h"
#include "store/chain_store.h"

// Chains of made-up events that obey every rule, for benches and tests: whoever holds all voters'
// keys can make any chain he likes, and here they are drawn from a number. Always the same octets
// for the same calls.
namespace eventchain::tools {

// Of the voter with this slot; no chain that matters has such keys.
std::unique_ptr<chain::Ed25519> made_up_key(std::uint16_t slot);

chain::Member made_up_member(std::uint16_t slot, chain::MemberRole role);

// That many voters, and shares that one hash meets: the work is still checked.
chain::Genesis made_up_genesis(std::uint16_t voters = 3);

struct MadeUpEvent {
  std::uint64_t number = 0;  // its id
  std::string stream = "stream";
  std::string data = "{}";
  std::optional<std::int32_t> expected{};
};
chain::HeldEvent hold_made_up(const MadeUpEvent& event);

struct NextBlock {
  struct Refused {
    chain::HeldEvent event;
    chain::RejectionReason reason;
  };
  std::vector<chain::HeldEvent> events{};
  std::vector<Refused> refused{};
  std::vector<chain::MemberOrder> orders{};
  std::vector<std::uint16_t> signers{};  // slots, ascending
};

class SyntheticChain : private chain::ChainView {
 public:
  // The store is empty and recovered; it outlives the chain.
  SyntheticChain(const chain::Genesis& genesis, store::Store& store);

  // Puts the events where the store does not hold them yet, and commits the block in one turn.
  // What breaks a rule ends the program.
  void add(const NextBlock& next);

  [[nodiscard]] const chain::ChainState& state() const { return state_; }

 private:
  bool is_placed(const chain::EventKey& key) override { return keys_.contains(key); }
  chain::StreamVersion stream_version(const chain::StreamKey& stream) override;
  void put(const chain::HeldEvent& event);
  [[nodiscard]] chain::TemplateHeader header_of(const chain::BlockContent& content) const;
  [[nodiscard]] chain::Seal seal_of(const chain::TemplateHeader& header) const;

  store::Store& store_;
  chain::ChainState state_;
  chain::FlatMap<chain::EventKey, chain::NoValue> keys_;
  chain::FlatMap<chain::StreamKey, chain::StreamVersion> streams_;
  std::vector<std::unique_ptr<chain::Ed25519>> signing_;  // by slot
};

}  // namespace eventchain::tools
