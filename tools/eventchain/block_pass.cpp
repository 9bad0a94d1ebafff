#include "tools/eventchain/block_pass.h"

#include <fmt/format.h>

#include <algorithm>

#include "chain/hash.h"
#include "store/sqlite/columns.h"
#include "tools/eventchain/kept_files.h"

namespace eventchain::tools {

using chain::Block;
using chain::EntryRef;
using chain::EventFacts;
using chain::Height;
using chain::Rule;
using chain::StreamVersion;
using chain::Verdict;
using store::ChainScan;

namespace {

constexpr std::uint64_t kBlocksPerReport = 64;

}  // namespace

BlockPass::BlockPass(const VerifyOptions& options, const BodyPass& bodies, ChainScan& scan,
                     Found& found)
    : options_(options),
      bodies_(bodies),
      findings_(found.surely),
      unless_grown_(found.unless_grown),
      state_(chain::initial_state(options.genesis)),
      trees_(scan, found),
      keys_(bodies.positions()),
      known_blocks_(options.known_blocks.begin(), options.known_blocks.end()) {
  trees_.add(state_.history.peaks());
  chain_.sets.emplace(0, state_.members);
}

StreamVersion BlockPass::stream_version(const chain::StreamKey& stream) {
  const StreamVersion* found = streams_.find(stream);
  return found == nullptr ? chain::kEmptyStream : *found;
}

void BlockPass::complain(Height height, std::string text) {
  findings_.add({"block", height.value, std::move(text)});
}

void BlockPass::lose_track(std::uint64_t height, const std::string& why) {
  if (!lost_track_)
    complain({height}, why + "; the blocks above it are checked by themselves only");
  else
    complain({height}, why);
  lost_track_ = true;
  chain_.is_whole = false;
}

std::optional<Block> BlockPass::decode(const ChainScan::BlockRow& row) {
  auto sealed = chain::decode_sealed_header(row.sealed);
  if (!sealed) {
    lose_track(row.height, sealed.error().message);
    return std::nullopt;
  }
  const chain::BlockId id = chain::block_id(*sealed);
  if (known_blocks_.erase(id) > 0) named_.push_back(row.height);
  if (options_.against != nullptr && options_.against->asks_for_block(row.height))
    chain_.met.emplace(row.height, id);
  if (chain::sha256(row.content).view() != row.content_hash)
    complain({row.height}, "the hash that is stored of its content is not that of its content");
  if (id.view() != row.id)
    complain({row.height},
             "header and seal hash to " + to_hex(id) + ", stored under " + chain::to_hex(row.id));
  if (sealed->header.height.value != row.height)
    complain({row.height},
             fmt::format("its header says that its height is {}", sealed->header.height.value));
  auto content = chain::decode_content(row.content);
  if (!content) {
    lose_track(row.height, content.error().message);
    return std::nullopt;
  }
  if (content->entries.size() > sealed->header.log_size) {
    lose_track(row.height, "it lists more events than the log has");
    return std::nullopt;
  }
  return Block{std::move(*sealed), std::move(*content)};
}

void BlockPass::visit(const ChainScan::BlockRow& row) {
  if (row.height != next_height_)
    lose_track(next_height_, fmt::format("the blocks from here to {} are missing", row.height - 1));
  next_height_ = row.height + 1;
  chain_.blocks_end = next_height_;
  ++blocks_;
  if (options_.progress && blocks_ % kBlocksPerReport == 0)
    options_.progress(VerifyStage::kBlocks, events_, bodies_.positions());
  const std::optional<Block> block = decode(row);
  if (!block) return;
  if (row.height == 0) {
    if (!(block->sealed == chain::genesis_block(options_.genesis)) ||
        !(block->content == chain::BlockContent{}))
      lose_track(0, "it is not the block that the genesis file makes");
    if (row.first_position != 0) complain({0}, "it is stored as beginning behind the log's begin");
    if (!lost_track_) chain_.ids.push_back(state_.tip);
    return;
  }
  const std::uint64_t first = block->sealed.header.log_size - block->content.entries.size();
  if (first != row.first_position)
    complain({row.height}, fmt::format("it is stored as beginning at position {}, but begins at {}",
                                       row.first_position, first));
  compare(*block, first);
  events_ += facts_.entries.size();
  if (!lost_track_) judge(*block);
}

// Sets facts_ to those of what the block says; findings for bodies that are not what it says.
void BlockPass::compare(const Block& block, std::uint64_t first_position) {
  const Height height = block.sealed.header.height;
  facts_.entries.clear();
  facts_.rejections.clear();
  facts_.entries.reserve(block.content.entries.size());
  for (std::size_t i = 0; i < block.content.entries.size(); ++i)
    facts_.entries.push_back(compare_entry(block.content.entries[i], first_position + i, height));
  for (const chain::AnnexItem& item : block.content.annex)
    if (const auto* rejection = std::get_if<chain::Rejection>(&item))
      facts_.rejections.push_back(compare_rejection(*rejection, height));
}

EventFacts BlockPass::compare_rejection(const chain::Rejection& rejection, Height height) {
  const HeldBody* held = bodies_.rejected(rejection.commitment);
  if (held != nullptr) refusals_[rejection.commitment] = {height.value, rejection};
  // What one block refused another may have placed since.
  if (held == nullptr) held = bodies_.placed(rejection.commitment);
  EventFacts expected;
  if (held != nullptr) expected = held->facts;
  if (held == nullptr || held->facts.key != rejection.key)
    complain(height,
             "the rejected event key=" + to_hex(rejection.key) + " is not held as it was rejected");
  expected.key = rejection.key;
  expected.commitment = rejection.commitment;
  return expected;
}

EventFacts BlockPass::compare_entry(const EntryRef& entry, std::uint64_t position, Height height) {
  const HeldBody* held = bodies_.at(position);
  const auto bad = [&](const std::string& what) {
    findings_.add({"event", position,
                   fmt::format("key={} height={}: {}", to_hex(entry.key), height.value, what)});
  };
  EventFacts facts;
  if (held == nullptr) {
    bad("body and salt are missing");
    versions_unknown_ = true;
    suspects_.insert(position);
  } else {
    facts = held->facts;
    // What is not the committed body may name another stream than the committed one did.
    if (facts.commitment != entry.commitment) versions_unknown_ = true;
    if (facts.commitment != entry.commitment || facts.key != entry.key)
      suspects_.insert(position);
    else if (!held->has_good_mark)
      bad("what was noted of its commitment at intake is not its own");
    if (held->reason) bad("the database gives a reason why it was rejected");
    if (facts.commitment != entry.commitment)
      bad("salt and body do not hash to the commitment in the block; it " +
          describe_body(options_, *held));
    else if (facts.key != entry.key)
      bad("it is listed under a key that is not its own; it " + describe_body(options_, *held));
    else if (held->state != HeldBody::State::kGood)
      bad("it breaks the rules for events; it " + describe_body(options_, *held));
    if (held->height != height.value)
      bad(fmt::format("the database places it at height {}", held->height));
  }
  // The block is judged by what it says; that the body is not so has been reported.
  facts.key = entry.key;
  facts.commitment = entry.commitment;
  return facts;
}

void BlockPass::judge(const Block& block) {
  const Height height = block.sealed.header.height;
  chain::Projection projection;
  const Verdict verdict = chain::check_template(state_, *this, {block.sealed.header, block.content},
                                                facts_, &projection);
  const bool is_about_versions =
      verdict.rule == Rule::kVersionExpectation || verdict.rule == Rule::kUnjustifiedRejection;
  if (!verdict.ok() && !(versions_unknown_ && is_about_versions))
    complain(height, fmt::format("it breaks the rule {}", to_string(verdict.rule)));
  const Verdict seal = chain::check_seal(state_, digest_of(options_), block.sealed);
  if (!seal.ok())
    complain(height, fmt::format("its seal breaks the rule {}", to_string(seal.rule)));

  const chain::TemplateHeader& header = block.sealed.header;
  if (header.parent != state_.tip || header.height != state_.height().next() ||
      header.log_size != state_.log.size() + block.content.entries.size()) {
    lose_track(height.value, "it does not continue the block below it");
    return;
  }
  if (verdict.ok()) {
    if (!versions_unknown_) compare_versions(projection.versions, projection.first_position);
    move_on(block, std::move(projection.log), projection.tree_hashes);
    return;
  }
  chain::LogTree log = state_.log;
  std::vector<chain::TreeHash> hashes;
  for (const EntryRef& entry : block.content.entries)
    log.append(chain::log_leaf(entry.commitment), &hashes);
  move_on(block, std::move(log), hashes);
}

void BlockPass::compare_versions(const std::vector<StreamVersion>& versions,
                                 std::uint64_t first_position) {
  for (std::size_t i = 0; i < versions.size(); ++i) {
    const HeldBody* held = bodies_.at(first_position + i);
    if (held != nullptr && held->version != versions[i].value)
      findings_.add({"event", first_position + i,
                     fmt::format("key={}: the database gives it stream version {}, it has {}",
                                 to_hex(held->facts.key), held->version, versions[i].value)});
  }
}

void BlockPass::move_on(const Block& block, chain::LogTree log,
                        const std::vector<chain::TreeHash>& tree_hashes) {
  if (options_.against != nullptr)
    options_.against->find_roots(state_.log, block.content, chain_.log_roots);
  trees_.add(tree_hashes);
  for (const EventFacts& entry : facts_.entries) keys_.try_emplace(entry.key);
  for (const EventFacts& entry : facts_.entries) {
    StreamVersion& version = *streams_.try_emplace(entry.stream, chain::kEmptyStream).first;
    version = version.next();
  }
  chain::MembersRef members = chain::members_after(state_, {block.sealed.header, block.content});
  const bool changes_members = members != state_.members;
  chain::Advanced advanced =
      chain::advance(state_, block.sealed, std::move(log), std::move(members));
  trees_.add(advanced.history_nodes);
  state_ = std::move(advanced.state);
  chain_.ids.push_back(state_.tip);
  chain_.log_size = state_.log.size();
  if (changes_members) chain_.sets.emplace(state_.height().value, state_.members);
}

// What the tables say of rejected events, against the last block that refused each.
void BlockPass::compare_refusals() {
  std::uint64_t unknown = 0;
  std::uint64_t unknown_above = 0;
  for (const auto& [commitment, place] : bodies_.rejections()) {
    const HeldBody& held = bodies_.held(place);
    const auto found = refusals_.find(commitment);
    if (found == refusals_.end()) {
      // Or a block that came meanwhile has refused it.
      ++(held.height < chain_.blocks_end ? unknown : unknown_above);
      continue;
    }
    const Refusal& refusal = found->second;
    // A block that came meanwhile may have refused it again.
    Findings& findings = held.height < chain_.blocks_end ? findings_ : unless_grown_;
    const auto bad = [&](const std::string& what) {
      findings.add({"block", refusal.height,
                    "the rejected event key=" + to_hex(refusal.rejection.key) + ": " + what});
    };
    if (held.height != refusal.height)
      bad(fmt::format("the database has it rejected at height {}", held.height));
    if (held.version != refusal.rejection.stream_version.value)
      bad(fmt::format("the database has its stream at version {}", held.version));
    if (held.reason != static_cast<std::int64_t>(refusal.rejection.reason))
      bad("the database has another reason");
    if (held.facts.key == refusal.rejection.key && !held.has_good_mark)
      bad("what was noted of its commitment at intake is not its own");
  }
  const auto add_unknown = [](Findings& findings, std::uint64_t count) {
    if (count > 0)
      findings.add(
          {"database", 0,
           fmt::format("{} events are stored as rejected, but no block rejects them", count)});
  };
  add_unknown(findings_, unknown);
  add_unknown(unless_grown_, unknown_above);
}

void BlockPass::finish(const ChainScan::Extent& extent, VerifyReport& report) {
  if (blocks_ == 0) complain({0}, "there is no block at all");
  if (extent.block_rows > blocks_)
    complain({chain_.blocks_end}, fmt::format("{} more blocks are stored, at heights that no block "
                                              "can have",
                                              extent.block_rows - blocks_));
  for (std::uint64_t position = events_; position < bodies_.positions(); ++position)
    findings_.add({"event", position, "is in the database, but in no block"});
  compare_refusals();
  if (bodies_.settled() < extent.settled)
    findings_.add({"database", 0,
                   fmt::format("{} events have a place but neither salt nor body",
                               extent.settled - bodies_.settled())});
  if (!lost_track_) {
    trees_.finish(extent);
    if (extent.log_peaks != store::pack_hashes(state_.log.peaks()))
      findings_.add({"database", 0, "the right edge that is stored of the log is not the log's"});
    if (extent.history_peaks != store::pack_history(state_.history.peaks()))
      findings_.add(
          {"database", 0, "the right edge that is stored of the history is not the blocks'"});
  }
  for (const chain::BlockId& id : known_blocks_)
    findings_.add({"block", state_.height().value,
                   "the chain does not contain block " + to_hex(id) + ", which was named"});
  report.named_blocks = named_.size();
  for (const std::uint64_t at : named_) report.attest(at, chain_.is_followed(at));
  report.is_connected = chain_.is_whole;
  report.versions_judged = !versions_unknown_;
  report.chain = state_.chain;
  report.blocks = blocks_;
  report.events = events_;
  report.rejected = refusals_.size();
  report.height = state_.height();
  report.tip = state_.tip;
  report.log_root = state_.log.root();
  report.work = state_.history.total_work();
}

}  // namespace eventchain::tools
