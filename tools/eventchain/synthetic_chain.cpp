#include "tools/eventchain/synthetic_chain.h"

#include <algorithm>
#include <map>
#include <string_view>

#include "chain/base64.h"
#include "chain/hash.h"

namespace eventchain::tools {

namespace {

constexpr std::uint16_t kKeysMax = 16;
constexpr std::uint16_t kShares = 4;

template <class Kind>
Kind drawn(const std::string& name) {
  return chain::as_kind<Kind>(chain::sha256(name));
}

}  // namespace

std::unique_ptr<chain::Ed25519> made_up_key(std::uint16_t slot) {
  // RFC 8410, section 7: what stands before the 32 octets of an Ed25519 key in PKCS #8.
  constexpr std::string_view kPrefix(
      "\x30\x2e\x02\x01\x00\x30\x05\x06\x03\x2b\x65\x70\x04\x22\x04\x20", 16);
  const chain::Hash seed = chain::sha256("made-up voter " + std::to_string(slot));
  const std::string encoded = chain::to_base64(std::string(kPrefix).append(seed.view()));
  auto key = chain::Ed25519::from_pem("-----BEGIN PRIVATE KEY-----\n" + encoded +
                                      "\n-----END PRIVATE KEY-----\n");
  EC_ASSERT(key.has_value(), "any 32 octets are a key");
  return std::move(*key);
}

chain::Member made_up_member(std::uint16_t slot, chain::MemberRole role) {
  const std::string name = "n" + std::to_string(slot + 1);
  chain::Member member;
  member.node = drawn<chain::NodeId>("made-up node " + name);
  member.store = drawn<chain::StoreId>("made-up disk " + name);
  member.signing_key = made_up_key(slot)->public_key();
  member.slot = chain::Slot{slot};
  member.name = name;
  member.role = role;
  return member;
}

chain::Genesis made_up_genesis(std::uint16_t voters) {
  chain::Genesis genesis;
  genesis.name = "made-up";
  genesis.trust_domain = "example.org";
  genesis.created = {1'700'000'000'000};
  genesis.share_count = kShares;
  genesis.first_target = chain::compact(chain::target_for(chain::U256(1)));
  genesis.easiest_target = genesis.first_target;
  for (std::uint16_t slot = 0; slot < voters; ++slot)
    genesis.voters.push_back(made_up_member(slot, chain::MemberRole::kVoter));
  return genesis;
}

chain::HeldEvent hold_made_up(const MadeUpEvent& wanted) {
  chain::Event event;
  event.set("id", std::to_string(wanted.number));
  event.set("source", std::string("/made-up"));
  event.set("type", std::string("made.up"));
  event.set("stream", wanted.stream);
  if (wanted.expected) event.set("expectedversion", *wanted.expected);
  event.data_kind = chain::DataKind::kJson;
  event.data = wanted.data;
  const auto salt = drawn<chain::Salt>("salt " + std::to_string(wanted.number));
  auto held = chain::hold_event(salt, chain::encode_body(event), {});
  EC_ASSERT(held.has_value(), "made-up events obey the rules");
  return std::move(*held);
}

SyntheticChain::SyntheticChain(const chain::Genesis& genesis, store::Store& store)
    : store_(store), state_(chain::initial_state(genesis)) {
  for (std::uint16_t slot = 0; slot < kKeysMax; ++slot) signing_.push_back(made_up_key(slot));
}

chain::StreamVersion SyntheticChain::stream_version(const chain::StreamKey& stream) {
  const chain::StreamVersion* found = streams_.find(stream);
  return found == nullptr ? chain::kEmptyStream : *found;
}

void SyntheticChain::put(const chain::HeldEvent& event) {
  if (!store_.chain().holds({event.facts.key, event.facts.commitment}))
    store_.chain().put_event(event);
}

chain::TemplateHeader SyntheticChain::header_of(const chain::BlockContent& content) const {
  chain::LogTree log = state_.log;
  for (const chain::EntryRef& entry : content.entries)
    log.append(chain::log_leaf(entry.commitment));
  chain::TemplateHeader header;
  header.chain = state_.chain;
  header.height = state_.height().next();
  header.parent = state_.tip;
  header.log_size = log.size();
  header.log_root = log.root();
  header.history_root = state_.history.root();
  header.annex_root = chain::annex_root(content.annex);
  header.started = state_.tip_header.seal.sealed_at;
  header.time = header.started;
  header.share_target =
      chain::required_target(state_.genesis, state_.tip_header, header.started, header.time);
  header.share_count = state_.genesis.share_count;
  header.member_set = state_.member_set;
  return header;
}

chain::Seal SyntheticChain::seal_of(const chain::TemplateHeader& header) const {
  chain::Seal seal;
  seal.sealed_at = {header.time.value + state_.genesis.interval_ms};
  const std::vector<chain::Member>& members = state_.members->members;
  const chain::Sha256Digest digest;
  for (std::uint64_t trial = 0; seal.shares.size() < header.share_count; ++trial) {
    const chain::Slot slot = members[trial % members.size()].slot;
    const chain::Nonce nonce{chain::nonce_high(slot, 0, trial), 0};
    if (chain::check_share(state_, digest, header, nonce).ok()) seal.shares.push_back(nonce);
  }
  std::ranges::sort(seal.shares);
  return seal;
}

void SyntheticChain::add(const NextBlock& next) {
  chain::Template made;
  chain::ContentFacts facts;
  std::map<chain::StreamKey, chain::StreamVersion> reached;  // by the entries of this block
  store_.turns().begin();
  for (const chain::HeldEvent& event : next.events) {
    put(event);
    made.content.entries.push_back({event.facts.key, event.facts.commitment});
    facts.entries.push_back(event.facts);
    const chain::StreamKey& stream = event.facts.stream;
    chain::StreamVersion& version =
        reached.try_emplace(stream, stream_version(stream)).first->second;
    version = version.next();
  }
  for (const NextBlock::Refused& refused : next.refused) {
    const chain::EventFacts& of = refused.event.facts;
    put(refused.event);
    const auto here = reached.find(of.stream);
    const chain::StreamVersion version =
        here == reached.end() ? stream_version(of.stream) : here->second;
    made.content.annex.emplace_back(chain::Rejection{
        of.key, of.commitment, refused.reason,
        refused.reason == chain::RejectionReason::kKeyTaken ? chain::kEmptyStream : version});
    facts.rejections.push_back(of);
  }
  for (const chain::MemberOrder& order : next.orders) made.content.annex.emplace_back(order);
  made.header = header_of(made.content);

  chain::Projection projection;
  const chain::Verdict verdict = chain::check_template(state_, *this, made, facts, &projection);
  EC_ASSERT(verdict.ok(), chain::to_string(verdict.rule));
  store::BlockApplication application;
  application.block = {{made.header, seal_of(made.header)}, std::move(made.content)};
  application.id = chain::block_id(application.block.sealed);
  application.first_position = projection.first_position;
  application.facts = std::move(facts.entries);
  application.versions = projection.versions;
  application.rejected = std::move(facts.rejections);
  application.tree_hashes = std::move(projection.tree_hashes);
  if (projection.members != state_.members) application.members = projection.members;
  chain::Advanced advanced = chain::advance(state_, application.block.sealed,
                                            std::move(projection.log), projection.members);
  application.history_nodes = std::move(advanced.history_nodes);
  application.log_peaks = advanced.state.log.peaks();
  application.history_peaks = advanced.state.history.peaks();
  application.applied = consensus::LogIndex{made.header.height.value};
  store_.chain().apply_block(application);
  const chain::Bytes statement = chain::certified_statement(made.header, application.id);
  for (const std::uint16_t slot : next.signers)
    store_.chain().put_signature(made.header.height,
                                 {chain::Slot{slot}, signing_[slot]->sign(statement)});
  store_.turns().commit();
  for (const chain::EventFacts& of : application.facts) {
    keys_.try_emplace(of.key);
    chain::StreamVersion& version = *streams_.try_emplace(of.stream, chain::kEmptyStream).first;
    version = version.next();
  }
  state_ = std::move(advanced.state);
}

}  // namespace eventchain::tools
