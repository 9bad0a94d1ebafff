#include "tests/sim/checkers/verifier.h"

#include <fmt/format.h>

#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "tests/sim/signing.h"
#include "tests/sim/trace.h"

namespace eventchain::sim {

namespace {

class OwnView : public chain::ChainView {
 public:
  bool is_placed(const chain::EventKey& key) override { return placed_.contains(key); }
  chain::StreamVersion stream_version(const chain::StreamKey& stream) override {
    const auto found = streams_.find(stream);
    return found == streams_.end() ? chain::kEmptyStream : found->second;
  }
  void place(const chain::EventFacts& facts, chain::StreamVersion version) {
    placed_.insert(facts.key);
    streams_[facts.stream] = version;
  }

 private:
  std::unordered_set<chain::EventKey, chain::FixedBytesHash> placed_;
  std::unordered_map<chain::StreamKey, chain::StreamVersion, chain::FixedBytesHash> streams_;
};

template <class Value>
Value demand(chain::Result<Value> result) {
  if (!result) throw Violation("I8", result.error().message);
  return std::move(*result);
}

void demand(const chain::Verdict& verdict, chain::Height height) {
  if (!verdict.ok())
    throw Violation("I8", fmt::format("block {} breaks the rule {}", height.value,
                                      chain::to_string(verdict.rule)));
}

chain::EventFacts facts_of(store::ChainStore& store, const chain::EntryRef& entry,
                           const chain::EventLimits& limits) {
  const chain::HeldEvent stored = demand(store.load_event(entry));
  const chain::HeldEvent again = demand(chain::hold_event(stored.salt, stored.body, limits));
  if (again.facts != stored.facts) throw Violation("I8", "stored facts are not those of the body");
  return again.facts;
}

}  // namespace

chain::BlockId verify_chain(const chain::Genesis& genesis, store::ChainStore& store,
                            chain::Height until) {
  const chain::EventLimits limits = chain::event_limits(genesis);
  chain::ChainState state = chain::initial_state(genesis);
  OwnView view;
  const chain::ShareDigest& digest = *chain::plain_digest(genesis.work_function);
  for (chain::Height height{1}; height <= until; height = height.next()) {
    const chain::Block block = demand(store.block(height));
    chain::ContentFacts facts;
    for (const auto& entry : block.content.entries)
      facts.entries.push_back(facts_of(store, entry, limits));
    for (const auto& item : block.content.annex) {
      const auto* rejection = std::get_if<chain::Rejection>(&item);
      if (rejection == nullptr) continue;
      facts.rejections.push_back(facts_of(store, {rejection->key, rejection->commitment}, limits));
    }
    chain::Projection projection;
    const chain::Template made{block.sealed.header, block.content};
    demand(chain::check_template(state, view, made, facts, &projection), height);
    demand(chain::check_seal(state, digest, block.sealed), height);
    for (std::size_t i = 0; i < facts.entries.size(); ++i)
      view.place(facts.entries[i], projection.versions[i]);
    state = chain::advance(state, block.sealed, projection.log, projection.members).state;
  }
  return state.tip;
}

chain::BlockId verify_headers(const chain::Genesis& genesis, const store::MemoryLightStore& store) {
  chain::HeaderState state = chain::initial_header_state(genesis);
  chain::MembersRef named = state.members;  // by the tip
  const chain::ShareDigest& digest = *chain::plain_digest(genesis.work_function);
  const chain::Height until = store.durable_height();
  for (chain::Height height{1}; height <= until; height = height.next()) {
    const chain::LightBlock& block = store.block(height);
    chain::MembersRef after;
    demand(chain::check_header(state, block.sealed.header), height);
    demand(chain::check_seal(state, digest, block.sealed), height);
    demand(chain::check_annex(state, block.sealed.header, block.annex, &after), height);
    named = state.members;
    chain::advance_headers(state, block.sealed, std::move(after));
  }
  Signing signing{chain::PublicKey{}};
  if (until.value > 0 && !chain::is_proven_by(signing, *named, *state.members, state.tip_header,
                                              state.tip, store.certificate()))
    throw Violation("I8", fmt::format("the certificate of block {} proves nothing", until.value));
  return state.tip;
}

}  // namespace eventchain::sim
