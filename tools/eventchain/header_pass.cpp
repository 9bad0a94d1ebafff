#include "tools/eventchain/header_pass.h"

#include <fmt/format.h>

#include <algorithm>

#include "chain/hash.h"
#include "chain/keys.h"
#include "store/sqlite/columns.h"
#include "tools/eventchain/kept_files.h"

namespace eventchain::tools {

using chain::Verdict;
using store::LightScan;

HeaderPass::HeaderPass(const VerifyOptions& options, Findings& findings)
    : options_(options),
      digest_(digest_of(options)),
      findings_(findings),
      state_(chain::initial_header_state(options.genesis)),
      before_tip_(state_.members),
      known_blocks_(options.known_blocks.begin(), options.known_blocks.end()) {
  sets_.emplace(0, chain::encode_member_set(*state_.members));
  chain_.sets.emplace(0, state_.members);
}

void HeaderPass::complain(std::uint64_t height, std::string text) {
  findings_.add({"block", height, std::move(text)});
}

void HeaderPass::lose_track(std::uint64_t height, const std::string& why) {
  const char* const rest = "; the blocks above it are checked by themselves only";
  complain(height, lost_track_ ? why : why + rest);
  lost_track_ = true;
  chain_.is_whole = false;
}

void HeaderPass::visit(const LightScan::BlockRow& row) {
  if (row.height != next_height_)
    lose_track(next_height_, fmt::format("the blocks from here to {} are missing", row.height - 1));
  next_height_ = row.height + 1;
  chain_.blocks_end = next_height_;
  ++blocks_;
  const auto sealed = chain::decode_sealed_header(row.sealed);
  if (!sealed) return lose_track(row.height, sealed.error().message);
  const chain::BlockId id = chain::block_id(*sealed);
  if (known_blocks_.erase(id) > 0) named_.push_back(row.height);
  if (options_.against != nullptr && options_.against->asks_for_block(row.height))
    chain_.met.emplace(row.height, id);
  if (id.view() != row.id)
    complain(row.height,
             "header and seal hash to " + to_hex(id) + ", stored under " + chain::to_hex(row.id));
  if (sealed->header.height.value != row.height)
    complain(row.height,
             fmt::format("its header says that its height is {}", sealed->header.height.value));
  auto content = chain::decode_content(row.annex);
  if (!content) return lose_track(row.height, content.error().message);
  if (!content->entries.empty()) complain(row.height, "what is stored as its annex lists events");
  const chain::LightBlock block{*sealed, std::move(content->annex)};
  if (row.height == 0) {
    if (!(block == chain::LightBlock{state_.tip_header, {}}))
      lose_track(0, "it is not the block that the genesis file makes");
    if (!lost_track_) chain_.ids.push_back(state_.tip);
    return;
  }
  if (!lost_track_) judge(block);
}

void HeaderPass::judge(const chain::LightBlock& block) {
  const chain::TemplateHeader& header = block.sealed.header;
  const std::uint64_t height = header.height.value;
  if (header.parent != state_.tip || header.height != state_.height().next())
    return lose_track(height, "it does not continue the block below it");
  const Verdict verdict = chain::check_header(state_, header);
  if (!verdict.ok())
    complain(height, fmt::format("it breaks the rule {}", to_string(verdict.rule)));
  const Verdict seal = chain::check_seal(state_, digest_, block.sealed);
  if (!seal.ok())
    complain(height, fmt::format("its seal breaks the rule {}", to_string(seal.rule)));
  chain::MembersRef after;
  const Verdict annex = chain::check_annex(state_, header, block.annex, &after);
  if (!annex.ok()) {
    complain(height, fmt::format("its annex breaks the rule {}", to_string(annex.rule)));
    after = state_.members;
  }
  before_tip_ = state_.members;
  history_before_ = state_.history.peaks();
  const bool changes_members = after != state_.members;
  chain::advance_headers(state_, block.sealed, std::move(after));
  if (changes_members) sets_.emplace(height, chain::encode_member_set(*state_.members));
  if (changes_members) chain_.sets.emplace(height, state_.members);
  chain_.ids.push_back(state_.tip);
  chain_.log_size = header.log_size;
  if (options_.against != nullptr) options_.against->find_root(header, chain_.log_roots);
}

// Above a block that could not be followed nobody knows which sets there should be.
void HeaderPass::visit(const LightScan::MemberRow& row) {
  if (chain::sha256(row.encoded).view() != row.hash)
    complain(row.height, "the member set stored with it does not hash to what is stored beside it");
  const auto expected = sets_.find(row.height);
  if (expected == sets_.end()) {
    if (!lost_track_) complain(row.height, "a member set is stored with it that no block made");
    return;
  }
  if (expected->second != row.encoded)
    complain(row.height, "the member set stored with it is not the one that the blocks make");
  sets_.erase(expected);
}

std::size_t HeaderPass::check_certificate(const chain::Certificate& certificate) {
  const std::uint64_t height = state_.height().value;
  if (height == 0) {
    if (!certificate.empty()) complain(0, "there are signatures on genesis, which needs none");
    return 0;
  }
  chain::Ed25519Checker signing;
  const chain::Certificate sound = chain::sound_signatures(
      signing, *before_tip_, *state_.members,
      chain::certified_statement(state_.tip_header.header, state_.tip), certificate);
  if (sound.size() < certificate.size())
    complain(height, fmt::format("{} of the {} signatures on it are not those of its voters",
                                 certificate.size() - sound.size(), certificate.size()));
  is_certified_ = chain::is_certified(sound, *before_tip_, *state_.members);
  if (!is_certified_)
    complain(height, fmt::format("it is the tip, and its {} sound signatures are no certificate",
                                 sound.size()));
  return sound.size();
}

void HeaderPass::finish(LightScan& scan, VerifyReport& report) {
  const std::uint64_t height = state_.height().value;
  if (blocks_ == 0) complain(0, "there is no block at all");
  for (const auto& set : sets_) complain(set.first, "the member set that it makes is not stored");
  // What belongs to the tip can be told only where the tip was reached.
  const auto certificate = scan.signatures();
  if (!certificate) findings_.add({"database", 0, certificate.error().message});
  const auto below = scan.history_below_tip();
  if (!below) findings_.add({"database", 0, below.error().message});
  if (!lost_track_ && certificate) report.signatures = check_certificate(*certificate);
  if (!lost_track_ && below && *below != store::pack_history(history_before_))
    complain(height, "the history stored below it is not that of the blocks below it");
  for (const chain::BlockId& id : known_blocks_)
    complain(height, "the chain does not contain block " + to_hex(id) + ", which was named");
  report.named_blocks = named_.size();
  for (const std::uint64_t at : named_) report.attest(at, chain_.is_followed(at));
  report.is_connected = chain_.is_whole;
  report.headers_only = true;
  if (is_certified_) report.certified = state_.height();
  report.chain = state_.chain;
  report.blocks = blocks_;
  report.events = state_.tip_header.header.log_size;
  report.height = state_.height();
  report.tip = state_.tip;
  report.log_root = state_.tip_header.header.log_root;
  report.work = state_.history.total_work();
}

}  // namespace eventchain::tools
