#include <doctest/doctest.h>

#include <functional>

#include "tests/unit/worked_chain.h"

// Every octet of a work proof is changed, one at a time, and every change must be caught.
using namespace work_test;

namespace {

using Mutation = std::function<void(WorkProof&)>;
using Mutations = std::vector<Mutation>;

// Octet by octet in its canonical form, as far as that decodes at all.
template <class Item, class Decode>
void change_octets(Mutations& to, const Bytes& was, Decode decode,
                   const std::function<Item&(WorkProof&)>& item) {
  for (std::size_t octet = 0; octet < was.size(); ++octet)
    for (const int bit : {0x01, 0x80}) {
      Bytes encoded = was;
      encoded[octet] = static_cast<char>(encoded[octet] ^ bit);
      const auto changed = decode(encoded);
      if (changed)
        to.push_back([item, other = *changed](WorkProof& proof) { item(proof) = other; });
    }
}

template <class Item>
void change_list(Mutations& to, std::vector<Item> WorkProof::*list, std::size_t size) {
  for (std::size_t i = 0; i < size; ++i) {
    const auto at = static_cast<std::ptrdiff_t>(i);
    to.push_back([=](WorkProof& it) { (it.*list).erase((it.*list).begin() + at); });
    to.push_back([=](WorkProof& it) {
      const Item twin = (it.*list)[i];
      (it.*list).insert((it.*list).begin() + at, twin);
    });
    if (i > 0) to.push_back([=](WorkProof& it) { std::swap((it.*list)[i], (it.*list)[i - 1]); });
  }
}

void change_head(Mutations& to, const Receipt& was) {
  for (std::size_t octet = 0; octet < ChainId::kSize; ++octet)
    to.push_back([octet](WorkProof& it) { it.head.chain.octets[octet] ^= 0x10; });
  change_octets<SealedHeader>(to, encode_sealed_header(was.block), decode_sealed_header,
                              [](WorkProof& it) -> SealedHeader& { return it.head.block; });
  for (std::size_t i = 0; i < was.certificate.size(); ++i) {
    to.push_back([i](WorkProof& it) { ++it.head.certificate[i].slot.value; });
    for (std::size_t octet = 0; octet < Signature::kSize; ++octet)
      to.push_back([=](WorkProof& it) { it.head.certificate[i].signature.octets[octet] ^= 0x04; });
  }
  const Bytes set = encode_member_set(*was.member_sets[0]);
  change_octets<MembersRef>(
      to, set,
      [](const Bytes& octets) -> std::optional<MembersRef> {
        auto decoded = decode_member_set(octets);
        if (!decoded) return std::nullopt;
        return std::make_shared<const MemberSet>(std::move(*decoded));
      },
      [](WorkProof& it) -> MembersRef& { return it.head.member_sets[0]; });
  to.push_back([](WorkProof& it) { it.head.member_sets.clear(); });
  to.push_back([](WorkProof& it) { it.head.voters.push_back({it.head.block, {}, {}}); });
}

Mutations mutations_of(const WorkProof& proof) {
  Mutations to;
  change_head(to, proof.head);
  to.push_back([](WorkProof& it) { it.sampling.share = WorkShare::kNineTenths; });
  to.push_back([](WorkProof& it) { it.sampling.bits += 2; });
  to.push_back([](WorkProof& it) { it.sampling.bits -= 2; });
  to.push_back([](WorkProof& it) { ++it.sampling.last; });
  to.push_back([](WorkProof& it) { --it.sampling.last; });
  for (std::size_t i = 0; i < proof.blocks.size(); ++i)
    change_octets<SealedHeader>(to, encode_sealed_header(proof.blocks[i]), decode_sealed_header,
                                [i](WorkProof& it) -> SealedHeader& { return it.blocks[i]; });
  for (std::size_t i = 0; i < proof.nodes.size(); ++i)
    change_octets<HistoryNode>(to, encode_history_node(proof.nodes[i]), decode_history_node,
                               [i](WorkProof& it) -> HistoryNode& { return it.nodes[i]; });
  change_list(to, &WorkProof::blocks, proof.blocks.size());
  change_list(to, &WorkProof::nodes, proof.nodes.size());
  return to;
}

}  // namespace

TEST_CASE("every octet of a work proof that is changed is caught") {
  WorkedChain chain(receipt_genesis());
  chain.grow(90);
  const WorkProof proof = chain.proof({WorkShare::kHalf, 2, 4});
  REQUIRE(failing(chain.verify(proof)) == "");
  REQUIRE(proof.nodes.size() > 4);
  const Mutations mutations = mutations_of(proof);
  for (std::size_t i = 0; i < mutations.size(); ++i) {
    WorkProof changed = proof;
    mutations[i](changed);
    if (chain.verify(changed).failed() != nullptr) continue;
    // With other parameters it may happen to be the proof that these ask for.
    if (changed.sampling != proof.sampling &&
        chain.proof(changed.sampling).blocks == changed.blocks)
      continue;
    FAIL_CHECK("change ", i, " of ", mutations.size(), " was not caught");
  }
  REQUIRE(mutations.size() > 10'000);
}
