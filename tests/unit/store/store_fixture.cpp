#include "store_fixture.h"

#include <stdexcept>

#include "chain/hash.h"

namespace eventchain::store::testing {

namespace {

template <class Kind>
Kind named(std::string_view kind, std::uint64_t number) {
  return chain::as_kind<Kind>(chain::sha256(std::string(kind) + std::to_string(number)));
}

template <class Value>
std::string or_none(const std::optional<Value>& value) {
  return value ? std::to_string(value->value) : "none";
}

}  // namespace

chain::Genesis small_genesis() {
  chain::Genesis genesis;
  genesis.name = "test";
  genesis.trust_domain = "example.org";
  genesis.created = chain::UnixMillis{1'700'000'000'000};
  genesis.share_count = 4;
  genesis.first_target = chain::CompactTarget{0x20ffffff};
  genesis.easiest_target = genesis.first_target;
  for (std::uint16_t i = 0; i < 3; ++i)
    genesis.voters.push_back({named<chain::NodeId>("node", i), named<chain::PublicKey>("key", i),
                              chain::Slot{i}, "n" + std::to_string(i + 1), "site-a",
                              named<chain::StoreId>("disk", i)});
  return genesis;
}

chain::StoreId small_disk() {
  return small_genesis().voters[0].store;
}

chain::HeldEvent event_of(std::uint64_t number, std::uint64_t stream, std::uint64_t variant,
                          std::size_t data_bytes) {
  chain::Event event;
  event.set("id", std::to_string(number));
  event.set("source", std::string("/test"));
  event.set("type", std::string("test.happened"));
  event.set("stream", "stream-" + std::to_string(stream));
  event.data_kind = chain::DataKind::kBinary;
  event.data.assign(data_bytes, static_cast<char>('a' + number % 26));
  const auto salt = named<chain::Salt>("salt", number * 1000 + variant);
  auto held = chain::hold_event(salt, chain::encode_body(event), chain::EventLimits{});
  if (!held) throw std::logic_error(held.error().message);
  return *held;
}

BlockApplication BlockMaker::next(const std::vector<chain::HeldEvent>& entries,
                                  const std::vector<Refused>& rejections,
                                  consensus::LogIndex applied,
                                  const std::vector<chain::MemberOrder>& orders) {
  BlockApplication made;
  made.applied = applied;
  made.first_position = state_.log.size();
  chain::LogTree log = state_.log;
  for (const chain::HeldEvent& event : entries) {
    made.block.content.entries.push_back(ref(event));
    made.facts.push_back(event.facts);
    const auto version = versions_.emplace(event.facts.stream, chain::kEmptyStream).first;
    version->second = version->second.next();
    made.versions.push_back(version->second);
    log.append(chain::log_leaf(event.facts.commitment), &made.tree_hashes);
  }
  for (const Refused& refused : rejections) {
    made.block.content.annex.push_back(chain::Rejection{refused.event.facts.key,
                                                        refused.event.facts.commitment,
                                                        refused.reason, refused.stream_version});
    made.rejected.push_back(refused.event.facts);
  }

  const chain::SealedHeader& parent = state_.tip_header;
  chain::MemberChange change(state_.members, parent.header.height.next(), parent.seal.sealed_at);
  for (const chain::MemberOrder& order : orders) {
    if (auto applied_order = change.apply(order); !applied_order)
      throw std::logic_error(applied_order.error().message);
    made.block.content.annex.push_back(order);
  }
  const chain::MembersRef members = change.take();
  if (members != state_.members) made.members = members;
  chain::TemplateHeader& header = made.block.sealed.header;
  header.chain = state_.chain;
  header.height = parent.header.height.next();
  header.parent = state_.tip;
  header.log_size = log.size();
  header.log_root = log.root();
  header.history_root = state_.history.root();
  header.annex_root = chain::annex_root(made.block.content.annex);
  header.started = parent.seal.sealed_at;
  header.time = parent.seal.sealed_at;
  header.share_target = chain::required_target(state_.genesis, parent, header.started, header.time);
  header.share_count = state_.genesis.share_count;
  header.member_set = state_.member_set;
  chain::Seal& seal = made.block.sealed.seal;
  seal.sealed_at.value = header.time.value + state_.genesis.interval_ms;
  for (std::uint32_t i = 0; i < header.share_count; ++i)
    seal.shares.push_back({chain::nonce_high(chain::Slot{0}, 0, i), i});

  chain::Advanced advanced = chain::advance(state_, made.block.sealed, std::move(log), members);
  made.id = advanced.state.tip;
  made.log_peaks = advanced.state.log.peaks();
  made.history_nodes = advanced.history_nodes;
  made.history_peaks = advanced.state.history.peaks();
  state_ = std::move(advanced.state);
  return made;
}

chain::Template template_of(const chain::Block& block) {
  return {block.sealed.header, block.content};
}

std::string describe(Store& store, const std::vector<chain::HeldEvent>& events) {
  std::string text;
  const auto recovered = store.chain().recover();
  text += "applied " + std::to_string(recovered.applied.value) + "\npending";
  for (const auto& [arrival, facts] : recovered.pending) text += " " + to_hex(facts.commitment);
  const std::uint64_t tip = recovered.state.height().value;
  for (std::uint64_t height = 0; height <= tip; ++height) {
    const auto block = store.chain().block(chain::Height{height});
    if (!block) return "block " + std::to_string(height) + ": " + block.error().message;
    const chain::BlockId id = chain::block_id(block->sealed);
    const auto found = store.chain().height_of(id);
    const chain::Bytes content = chain::encode_content(block->content);
    const bool has_template =
        store.chain().find_template(chain::template_hash(block->sealed.header)).has_value();
    text += "\nblock " + or_none(found) + " " + to_hex(id) + " " + to_hex(chain::sha256(content)) +
            (has_template ? " template" : "");
  }
  for (const chain::HeldEvent& event : events) {
    text += "\nevent";
    for (const EventRecord& record : store.chain().find_event(event.facts.key)) {
      const auto body = store.chain().load_event({record.facts.key, record.facts.commitment});
      text += " [" + to_hex(record.facts.commitment).substr(0, 8) + " at " +
              or_none(record.position) + " version " + or_none(record.version) + " in " +
              or_none(record.height) + (record.rejected ? " rejected" : "") +
              (body ? "]" : body.error().message + "]");
    }
    text += store.chain().is_placed(event.facts.key) ? " placed " : " ";
    text += std::to_string(store.chain().stream_version(event.facts.stream).value);
    text += store.chain().holds(ref(event)) ? " held" : "";
  }
  const auto raft = store.raft().load();
  text += "\nraft " + std::to_string(raft.hard_state.term.value) + " " +
          std::to_string(raft.hard_state.voted_for.value) + " from " +
          std::to_string(raft.first.value);
  if (raft.snapshot)
    text += " snapshot " + std::to_string(raft.snapshot->meta.index.value) + " " +
            std::to_string(raft.snapshot->meta.configuration.size()) + " " + raft.snapshot->bytes;
  for (const consensus::Entry& entry : raft.entries)
    text += "\nentry " + std::to_string(entry.term.value) + " " +
            std::to_string(static_cast<int>(entry.kind)) + " " + entry.payload;
  return text;
}

}  // namespace eventchain::store::testing
