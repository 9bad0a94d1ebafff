#include "chain_fixture.h"

#include <algorithm>

#include <doctest/doctest.h>

#include "chain/hash.h"

namespace eventchain::chain::testing {

namespace {

template <class Kind>
Kind named(char kind, std::uint64_t number) {
  return as_kind<Kind>(sha256(kind + std::to_string(number)));
}

}  // namespace

Genesis small_genesis() {
  Genesis genesis;
  genesis.name = "test";
  genesis.trust_domain = "example.org";
  genesis.created = UnixMillis{1'700'000'000'000};
  genesis.share_count = 4;
  genesis.first_target = kAnyHash;
  genesis.easiest_target = kAnyHash;
  genesis.block_events_max = 50;
  genesis.event_bytes_max = 1'000;
  genesis.block_bytes_max = 10'000;
  for (std::uint16_t i = 0; i < 3; ++i)
    genesis.voters.push_back(Member{named<NodeId>('n', i), named<PublicKey>('p', i), Slot{i},
                                    "n" + std::to_string(i + 1), "site-a", named<StoreId>('d', i)});
  return genesis;
}

const ShareDigest& small_digest() {
  return *plain_digest(small_genesis().work_function);
}

Hash random_hash(Rng& rng) {
  return random_bytes<Hash>(rng);
}

EventKey key_of(std::uint64_t number) {
  return named<EventKey>('k', number);
}
StreamKey stream_of(std::uint64_t number) {
  return named<StreamKey>('s', number);
}
Commitment commitment_of(std::uint64_t number) {
  return named<Commitment>('c', number);
}

EventFacts facts_of(std::uint64_t number, std::uint64_t stream,
                    std::optional<std::int64_t> expected) {
  EventFacts facts{key_of(number), commitment_of(number), stream_of(stream), std::nullopt, 100};
  if (expected.has_value()) facts.expected = StreamVersion{*expected};
  return facts;
}

Seal seal_for(const ChainState& state, const TemplateHeader& header, UnixMillis sealed_at) {
  const U256 target = expand(header.share_target).value();
  const ShareDigest& digest = *plain_digest(state.genesis.work_function);
  Seal seal{sealed_at, {}};
  const auto members = static_cast<std::uint64_t>(state.members->members.size());
  for (std::uint64_t trial = 0; seal.shares.size() < header.share_count; ++trial) {
    const Slot slot{static_cast<std::uint16_t>(trial % members)};
    const Nonce nonce{nonce_high(slot, 0, trial / members), static_cast<std::uint32_t>(trial)};
    if (share_meets(digest, header, nonce, target)) seal.shares.push_back(nonce);
  }
  std::sort(seal.shares.begin(), seal.shares.end());
  return seal;
}

Assembly Growing::assemble_next(Instant now) {
  const UnixMillis sealed_at = state.tip_header.seal.sealed_at;
  const UnixMillis time{sealed_at.value + state.genesis.interval_ms};
  return assemble(
      state, view, pool, same_content, [this](const EventKey& key) { return view.facts(key); },
      sealed_at, time, now, AssemblerOptions{});
}

SealedHeader Growing::commit(const Assembly& assembly) {
  const Template& made = assembly.made;
  Projection projection;
  const Verdict verdict = check_template(state, view, made, assembly.facts, &projection);
  REQUIRE_MESSAGE(verdict.ok(), to_string(verdict.rule));
  const UnixMillis sealed_at{made.header.time.value + state.genesis.interval_ms};
  const SealedHeader sealed{made.header, seal_for(state, made.header, sealed_at)};
  REQUIRE(check_seal(state, *plain_digest(state.genesis.work_function), sealed).ok());
  for (const EventFacts& facts : assembly.facts.entries) {
    view.place(facts);
    pool.remove(facts.commitment);
  }
  for (const EventFacts& facts : assembly.facts.rejections) pool.remove(facts.commitment);
  for (const Commitment& commitment : assembly.redundant) pool.remove(commitment);
  state = advance(state, sealed, projection.log, projection.members).state;
  return sealed;
}

}  // namespace eventchain::chain::testing
