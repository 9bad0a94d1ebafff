#pragma once

#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "chain/hash.h"
#include "chain/keys.h"
#include "chain/log_tree.h"
#include "chain/receipt.h"
#include "chain/rules.h"

// A small chain in memory with real events, shares, keys and signatures, in which voters change,
// and receipts of all that is in it. Always the same octets: the files under tests/data/receipts
// are its.
namespace receipt_test {

using namespace eventchain::chain;

inline std::unique_ptr<Ed25519> signing_key(std::size_t number) {
  // Seeds: SHA-256("receipt voter N").
  static constexpr const char* kKeys[] = {
      "MC4CAQAwBQYDK2VwBCIEIA2laD3oCPy6GxGTTaqtbezCq7YKlb/eV97Rg8p9T/SD",
      "MC4CAQAwBQYDK2VwBCIEIJxzSGu+YPe1OVdZkFvAM/Y4E95bnQBOETW52KdEMxYm",
      "MC4CAQAwBQYDK2VwBCIEIDRz3G6JDFKO/0CzwE/uOSikjX7lJu9Stbg6ygDTDmpC",
      "MC4CAQAwBQYDK2VwBCIEIB8rQXiduye1jx6Lb6nYYxlhWDrVY/7rzuEbCSNXK2cA",
      "MC4CAQAwBQYDK2VwBCIEINl8TspsG6ix14DbAqHG/169I9b4OjDPA+rmBjc0kTJD",
  };
  auto key = Ed25519::from_pem("-----BEGIN PRIVATE KEY-----\n" + std::string(kKeys[number]) +
                               "\n-----END PRIVATE KEY-----\n");
  REQUIRE(key.has_value());
  return std::move(*key);
}

// Stands for a function that needs much to be set up: SHA-256 under another name.
class StandIn final : public ShareDigest {
 public:
  [[nodiscard]] WorkFunction function() const override { return WorkFunction::kRandomXV1; }
  [[nodiscard]] Hash digest(const SharePreimage& preimage) const override {
    return Sha256Digest().digest(preimage);
  }
};
inline const ShareDigest& digest_of(WorkFunction function) {
  static const StandIn stand_in;
  const ShareDigest* plain = plain_digest(function);
  return plain != nullptr ? *plain : stand_in;
}

template <class Kind>
Kind named(const std::string& name) {
  return as_kind<Kind>(sha256(name));
}

inline Member member(std::size_t number, MemberRole role) {
  const std::string name = "n" + std::to_string(number + 1);
  Member made;
  made.node = named<NodeId>("node " + name);
  made.signing_key = signing_key(number)->public_key();
  made.slot = Slot{static_cast<std::uint16_t>(number)};
  made.name = name;
  made.site = "site-a";
  made.store = named<StoreId>("store " + name);
  made.role = role;
  return made;
}

inline Genesis receipt_genesis(WorkFunction function = WorkFunction::kSha256) {
  Genesis genesis;
  genesis.name = "shop";
  genesis.trust_domain = "example.org";
  genesis.created = {1'700'000'000'000};
  genesis.work_function = function;
  genesis.share_count = function == WorkFunction::kNone ? 1 : 3;
  // One hash in 16 is a share.
  genesis.first_target =
      function == WorkFunction::kNone ? compact(U256::max()) : compact(target_for(U256(16)));
  genesis.easiest_target = genesis.first_target;
  for (std::size_t i = 0; i < 3; ++i) genesis.voters.push_back(member(i, MemberRole::kVoter));
  return genesis;
}

inline HeldEvent event_of(std::uint64_t number) {
  Event event;
  event.set("id", "order-" + std::to_string(number));
  event.set("source", std::string("/shop"));
  event.set("type", std::string("order.placed"));
  event.set("stream", "customer-" + std::to_string(number % 3));
  event.data_kind = DataKind::kJson;
  event.data = "{\"amount\": " + std::to_string(100 + number) + ".50}";
  auto held = hold_event(named<Salt>("salt " + std::to_string(number)), encode_body(event), {});
  REQUIRE(held.has_value());
  return std::move(*held);
}

// A key signs for a slot.
struct SignedBy {
  std::uint16_t slot;
  std::size_t key;
};

struct MadeBlock {
  Block block;
  BlockId id;
  MembersRef before;
  MembersRef after;
  Certificate certificate;
  std::vector<HeldEvent> events;
  std::vector<HeldEvent> rejected;
  std::uint64_t first_position = 0;
  // What a store keeps of it besides.
  std::vector<TreeHash> tree_hashes;
  std::vector<HistoryNode> history_nodes;
  std::vector<Hash> log_peaks;
  std::vector<HistoryNode> history_peaks;
};

struct Wanted {
  std::vector<std::uint64_t> events{};
  std::vector<std::pair<std::uint64_t, RejectionReason>> rejected{};
  std::vector<MemberOrder> orders{};
  std::vector<SignedBy> signatures{};
};

class ReceiptChain {
 public:
  // From block `other_from` on its events are others than those that are asked for.
  explicit ReceiptChain(Genesis genesis, std::uint64_t other_from = ~std::uint64_t{0})
      : state(initial_state(genesis)), other_from_(other_from) {
    History first;
    first.append(state.history.peaks().front(), &history);
  }

  void add(const Wanted& wanted) {
    MadeBlock made;
    made.first_position = state.log.size();
    made.before = state.members;
    LogTree log = state.log;
    const std::uint64_t shift = state.height().value + 1 < other_from_ ? 0 : 500;
    for (const std::uint64_t number : wanted.events) {
      made.events.push_back(event_of(number + shift));
      const EventFacts& facts = made.events.back().facts;
      made.block.content.entries.push_back({facts.key, facts.commitment});
      log.append(log_leaf(facts.commitment), &made.tree_hashes);
    }
    std::vector<AnnexItem>& annex = made.block.content.annex;
    for (const auto& [number, reason] : wanted.rejected) {
      made.rejected.push_back(event_of(number));
      const EventFacts& facts = made.rejected.back().facts;
      annex.push_back(Rejection{facts.key, facts.commitment, reason, StreamVersion{2}});
    }
    for (const MemberOrder& order : wanted.orders) annex.push_back(order);
    for (const TreeHash& hash : made.tree_hashes) tree[{hash.level, hash.index}] = hash.hash;
    made.block.sealed = sealed_on_top(log, annex);
    const TemplateHeader& header = made.block.sealed.header;
    REQUIRE(check_header(state, header).ok());
    REQUIRE(check_seal(state, digest_of(state.genesis.work_function), made.block.sealed).ok());
    REQUIRE(check_annex(state, header, annex, &made.after).ok());
    made.id = block_id(made.block.sealed);
    for (const SignedBy& one : wanted.signatures)
      made.certificate.push_back(
          {Slot{one.slot}, signing_key(one.key)->sign(certified_statement(header, made.id))});
    Advanced next = advance(state, made.block.sealed, std::move(log), made.after);
    history.insert(history.end(), next.history_nodes.begin(), next.history_nodes.end());
    state = std::move(next.state);
    made.history_nodes = std::move(next.history_nodes);
    made.log_peaks = state.log.peaks();
    made.history_peaks = state.history.peaks();
    blocks.push_back(std::move(made));
  }

  [[nodiscard]] const MadeBlock& at(std::uint64_t height) const { return blocks.at(height - 1); }
  [[nodiscard]] TreeReader tree_reader() const {
    return [this](std::uint8_t level, std::uint64_t index) -> Result<Hash> {
      return tree.at({level, index});
    };
  }
  [[nodiscard]] HistoryReader history_reader() const {
    return [this](std::uint64_t number) -> Result<HistoryNode> { return history.at(number); };
  }

  // Of the event that is `index`-th in its block; certified by the first block from there on that a
  // majority signed, or by the one named.
  [[nodiscard]] Receipt of_event(std::uint64_t height, std::size_t index,
                                 std::uint64_t certified = 0) const {
    const MadeBlock& block = at(height);
    const HeldEvent& event = block.events.at(index);
    const std::uint64_t position = block.first_position + index;
    Receipt receipt;
    receipt.what = ReceiptEntry{
        event.facts.commitment, Position{position},
        inclusion_proof(position, block.block.sealed.header.log_size, tree_reader()).value()};
    receipt.shown = ShownBody{event.salt, event.body};
    complete(receipt, height, certified);
    return receipt;
  }
  [[nodiscard]] Receipt of_rejection(std::uint64_t height, std::size_t index,
                                     std::uint64_t certified = 0) const {
    const MadeBlock& block = at(height);
    const HeldEvent& event = block.rejected.at(index);
    Receipt receipt;
    // Rejections come first in the annexes made here.
    receipt.what = ReceiptRejection{std::get<Rejection>(block.block.content.annex.at(index)),
                                    annex_path(block.block.content.annex, index)};
    receipt.shown = ShownBody{event.salt, event.body};
    complete(receipt, height, certified);
    return receipt;
  }
  [[nodiscard]] Receipt of_block(std::uint64_t height, std::uint64_t certified = 0) const {
    Receipt receipt;
    receipt.what = ReceiptBlock{};
    complete(receipt, height, certified);
    return receipt;
  }
  // The checkpoint of a block, with the signatures that it has.
  [[nodiscard]] SignedNote note_of(std::uint64_t height) const {
    const MadeBlock& made = at(height);
    const std::string origin = log_origin(state.chain);
    SignedNote note{certified_statement(made.block.sealed.header, made.id), {}};
    for (const SlotSignature& one : made.certificate)
      note.signatures.push_back(
          note_signature(origin, member_at(*made.before, one.slot)->signing_key, one.signature));
    return note;
  }
  // Every receipt there can be, by default.
  [[nodiscard]] std::vector<Receipt> all() const {
    std::vector<Receipt> receipts;
    for (std::uint64_t height = 1; height <= blocks.size(); ++height) {
      if (first_certified(height) == 0) continue;
      receipts.push_back(of_block(height));
      for (std::size_t i = 0; i < at(height).events.size(); ++i)
        receipts.push_back(of_event(height, i));
      for (std::size_t i = 0; i < at(height).rejected.size(); ++i)
        receipts.push_back(of_rejection(height, i));
    }
    return receipts;
  }
  // 0: none.
  [[nodiscard]] std::uint64_t first_certified(std::uint64_t height) const {
    for (; height <= blocks.size(); ++height)
      if (is_certified(at(height).certificate, *at(height).before, *at(height).before))
        return height;
    return 0;
  }

  ChainState state;
  std::vector<MadeBlock> blocks;  // from height 1 on
  std::vector<HistoryNode> history;
  std::map<std::pair<std::uint8_t, std::uint64_t>, Hash> tree;

 private:
  const std::uint64_t other_from_;

  SealedHeader sealed_on_top(const LogTree& log, const std::vector<AnnexItem>& annex) const {
    SealedHeader sealed;
    TemplateHeader& header = sealed.header;
    header.chain = state.chain;
    header.height = state.height().next();
    header.parent = state.tip;
    header.log_size = log.size();
    header.log_root = log.root();
    header.history_root = state.history.root();
    header.annex_root = annex_root(annex);
    header.started = state.tip_header.seal.sealed_at;
    header.time = {header.started.value + 250};
    header.share_target =
        required_target(state.genesis, state.tip_header, header.started, header.time);
    header.share_count = state.genesis.share_count;
    header.member_set = state.member_set;
    sealed.seal.sealed_at = {header.time.value + state.genesis.interval_ms};
    const ShareDigest& digest = digest_of(state.genesis.work_function);
    const std::vector<Member>& members = state.members->members;
    for (std::uint64_t trial = 0; sealed.seal.shares.size() < header.share_count; ++trial) {
      const Nonce nonce{nonce_high(members[trial % members.size()].slot, 1, trial), 7};
      if (check_share(state, digest, header, nonce).ok()) sealed.seal.shares.push_back(nonce);
    }
    std::sort(sealed.seal.shares.begin(), sealed.seal.shares.end());
    return sealed;
  }

  void complete(Receipt& receipt, std::uint64_t height, std::uint64_t certified) const {
    if (certified == 0) certified = first_certified(height);
    receipt.chain = state.chain;
    receipt.block = at(height).block.sealed;
    const auto add_set = [&receipt](const MembersRef& set) {
      if (std::ranges::none_of(receipt.member_sets, [&](const auto& it) { return *it == *set; }))
        receipt.member_sets.push_back(set);
    };
    add_set(at(height).before);
    if (certified != height) {
      receipt.newer = NewerBlock{at(certified).block.sealed,
                                 history_path(Height{height}, certified, history_reader()).value()};
      add_set(at(certified).before);
    }
    receipt.certificate = at(certified).certificate;
    for (std::uint64_t below = 1; below < certified; ++below) {
      const MadeBlock& block = at(below);
      if (have_same_signers(*block.before, *block.after)) continue;
      receipt.voters.push_back({block.block.sealed, block.block.content.annex, block.certificate});
      add_set(block.before);
    }
  }
};

inline MemberOrder order_of(decltype(MemberOrder::what) what) {
  return {"ann", std::move(what)};
}

// Eleven blocks. n4 joins (4, 5) and becomes a voter (6), n2 gets another key (8), n1 loses its
// vote (10), which only voters after it have signed in a majority. Blocks 3, 5 and 9 have no
// certificate of their own.
inline ReceiptChain receipt_chain(WorkFunction function = WorkFunction::kSha256,
                                  std::uint64_t other_from = ~std::uint64_t{0}) {
  ReceiptChain chain(receipt_genesis(function), other_from);
  const Member newcomer = member(3, MemberRole::kStandby);
  const JoinToken token = named<JoinToken>("token");
  Member rekeyed = chain.state.genesis.voters[1];
  rekeyed.signing_key = signing_key(4)->public_key();
  using Reason = RejectionReason;

  chain.add({.events = {1, 2, 3}, .signatures = {{0, 0}, {1, 1}, {2, 2}}});
  chain.add({.events = {4},
             .rejected = {{104, Reason::kVersionConflict},
                          {105, Reason::kKeyTaken},
                          {106, Reason::kExpectationExpired}},
             .signatures = {{0, 0}, {2, 2}}});
  chain.add({.events = {5, 6}, .rejected = {{107, Reason::kKeyTaken}}});
  chain.add({.events = {7},
             .orders = {order_of(Invite{{token_hash(token),
                                         MemberRole::kStandby,
                                         newcomer.name,
                                         newcomer.site,
                                         {chain.state.genesis.created.value + 86'400'000}}})},
             .signatures = {{0, 0}, {1, 1}, {2, 2}}});
  chain.add({.events = {8, 9, 10, 11}, .orders = {order_of(Admit{token, newcomer})}});
  chain.add({.events = {12},
             .rejected = {{108, Reason::kKeyTaken}},
             .orders = {order_of(SetRole{newcomer.node, MemberRole::kVoter})},
             .signatures = {{1, 1}, {2, 2}}});
  chain.add({.events = {13, 14}, .signatures = {{0, 0}, {1, 1}, {3, 3}}});
  chain.add({.events = {15},
             .orders = {order_of(UpdateMember{rekeyed})},
             .signatures = {{0, 0}, {2, 2}, {3, 3}}});
  chain.add({.events = {16, 17}});
  chain.add(
      {.events = {18},
       .orders = {order_of(SetRole{chain.state.genesis.voters[0].node, MemberRole::kStandby})},
       .signatures = {{2, 2}, {3, 3}}});
  chain.add({.events = {19}, .signatures = {{1, 4}, {3, 3}}});
  return chain;
}

}  // namespace receipt_test
