#include "tools/eventchain/block_pass.h"

#include <fmt/format.h>

namespace eventchain::tools {

using chain::Block;
using chain::EntryRef;
using chain::EventFacts;
using chain::Height;
using chain::Rule;
using chain::StreamVersion;
using chain::Verdict;
using store::ChainScan;

BlockPass::BlockPass(const VerifyOptions& options, const BodyPass& bodies, Findings& findings)
    : options_(options),
      bodies_(bodies),
      findings_(findings),
      state_(chain::initial_state(options.genesis)),
      keys_(bodies.positions()),
      known_blocks_(options.known_blocks.begin(), options.known_blocks.end()) {}

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
}

std::optional<Block> BlockPass::decode(const ChainScan::BlockRow& row) {
  auto sealed = chain::decode_sealed_header(row.sealed);
  if (!sealed) {
    lose_track(row.height, sealed.error().message);
    return std::nullopt;
  }
  const chain::BlockId id = chain::block_id(*sealed);
  known_blocks_.erase(id);
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
  ++blocks_;
  const std::optional<Block> block = decode(row);
  if (!block) return;
  if (row.height == 0) {
    if (!(block->sealed == chain::genesis_block(options_.genesis)) ||
        !(block->content == chain::BlockContent{}))
      lose_track(0, "it is not the block that the genesis file makes");
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
  for (const chain::AnnexItem& item : block.content.annex) {
    const auto* refused = std::get_if<chain::Rejection>(&item);
    if (refused == nullptr) continue;
    const chain::Rejection& rejection = *refused;
    const HeldBody* held = bodies_.rejected(rejection.commitment);
    EventFacts expected;
    if (held != nullptr) {
      expected = held->facts;
      rejected_.insert(rejection.commitment);
    }
    if (held == nullptr || held->facts.key != rejection.key)
      complain(height, "the rejected event key=" + to_hex(rejection.key) +
                           " is not held as it was rejected");
    expected.key = rejection.key;
    expected.commitment = rejection.commitment;
    facts_.rejections.push_back(expected);
  }
}

EventFacts BlockPass::compare_entry(const EntryRef& entry, std::uint64_t position, Height height) {
  const HeldBody* held = bodies_.at(position);
  const auto bad = [&](const std::string& what) {
    findings_.add({"event", position,
                   fmt::format("key={} height={}: {}", to_hex(entry.key), height.value, what)});
  };
  EventFacts facts;
  if (held == nullptr || held->state == HeldBody::State::kMissing) {
    bad("body and salt are missing");
    versions_unknown_ = true;
  } else {
    facts = held->facts;
    // What is not the committed body may name another stream than the committed one did.
    if (facts.commitment != entry.commitment) versions_unknown_ = true;
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
    move_on(block, std::move(projection.log));
    return;
  }
  chain::LogTree log = state_.log;
  for (const EntryRef& entry : block.content.entries) log.append(chain::log_leaf(entry.commitment));
  move_on(block, std::move(log));
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

void BlockPass::move_on(const Block& block, chain::LogTree log) {
  for (const EventFacts& entry : facts_.entries) keys_.try_emplace(entry.key);
  for (const EventFacts& entry : facts_.entries) {
    StreamVersion& version = *streams_.try_emplace(entry.stream, chain::kEmptyStream).first;
    version = version.next();
  }
  chain::MembersRef members = chain::members_after(state_, {block.sealed.header, block.content});
  state_ = chain::advance(state_, block.sealed, std::move(log), std::move(members)).state;
}

void BlockPass::finish(VerifyReport& report) {
  if (blocks_ == 0) complain({0}, "there is no block at all");
  for (std::uint64_t position = events_; position < bodies_.positions(); ++position)
    findings_.add({"event", position, "is in the database, but in no block"});
  if (rejected_.size() < bodies_.rejections())
    findings_.add({"database", 0,
                   fmt::format("{} events are stored as rejected, but no block rejects them",
                               bodies_.rejections() - rejected_.size())});
  for (const chain::BlockId& id : known_blocks_)
    findings_.add({"block", state_.height().value,
                   "the chain does not contain block " + to_hex(id) + ", which was named"});
  report.versions_judged = !versions_unknown_;
  report.chain = state_.chain;
  report.blocks = blocks_;
  report.events = events_;
  report.rejected = bodies_.rejections();
  report.height = state_.height();
  report.tip = state_.tip;
  report.log_root = state_.log.root();
  report.work = state_.history.total_work();
}

}  // namespace eventchain::tools
