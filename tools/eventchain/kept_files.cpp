#include "tools/eventchain/kept_files.h"

#include <fmt/format.h>

#include <algorithm>

#include "chain/certificate.h"
#include "chain/checkpoint.h"
#include "chain/receipt.h"
#include "chain/receipt_summary.h"
#include "node/api/receipt_json.h"
#include "tools/eventchain/files.h"

namespace eventchain::tools {

using chain::ErrorCode;
using chain::fail;
using chain::Result;

namespace {

namespace fs = std::filesystem;

constexpr const char* kTooShort =
    "the chain is shorter than what was attested: it was rolled back, or is behind";
constexpr const char* kVerifyAgain =
    "verify again when the node has that; if it never has, it was rolled back";

Result<std::vector<fs::path>> files_in(const std::vector<std::string>& paths) {
  std::vector<fs::path> files;
  for (const std::string& path : paths) {
    std::error_code failed;
    if (!fs::is_directory(path, failed)) {
      files.emplace_back(path);
      continue;
    }
    std::vector<fs::path> found;
    for (fs::directory_iterator at(path, failed), end; !failed && at != end; at.increment(failed))
      // One that cannot be looked at is read all the same, and named then.
      if (std::error_code unknown; (at->is_regular_file(unknown) || unknown) &&
                                   !at->path().filename().string().starts_with('.'))
        found.push_back(at->path());
    if (failed)
      return fail(ErrorCode::kIo, fmt::format("cannot read the directory {}: {}; check its rights",
                                              path, failed.message()));
    if (found.empty())
      return fail(ErrorCode::kNotFound,
                  path + " has no files; name one with receipts or checkpoints");
    std::ranges::sort(found);
    files.insert(files.end(), found.begin(), found.end());
  }
  return files;
}

}  // namespace

Result<KeptFiles> KeptFiles::load(const std::vector<std::string>& paths,
                                  const chain::Genesis& genesis, const chain::ShareDigest& digest,
                                  const std::function<void(std::uint64_t)>& progress) {
  const auto files = files_in(paths);
  if (!files) return tl::unexpected<chain::Error>(files.error());
  KeptFiles kept(genesis);
  for (const fs::path& file : *files) {
    const auto text = read_file(file, node::api::kReceiptBytesMax);
    if (!text) return tl::unexpected<chain::Error>(text.error());
    kept.add(file, *text, digest);
    if (progress) progress(kept.items_.size());
  }
  return kept;
}

void KeptFiles::add(const fs::path& file, std::string_view text, const chain::ShareDigest& digest) {
  Item item;
  item.name = file.string();
  const std::size_t first = text.find_first_not_of(" \t\r\n");
  if (first != std::string_view::npos && text[first] == '{')
    read_receipt(item, text, digest);
  else
    read_checkpoint(item, text);
  if (item.fault.empty()) {
    for (const SaidBlock& block : item.blocks) heights_.insert(block.height);
    if (item.kind == Kind::kCheckpoint) sizes_.insert(item.size);
  }
  items_.push_back(std::move(item));
}

void KeptFiles::read_receipt(Item& item, std::string_view text,
                             const chain::ShareDigest& digest) const {
  item.kind = Kind::kReceipt;
  const auto receipt = node::api::parse_receipt(text);
  if (!receipt) {
    item.fault = receipt.error().message;
    return;
  }
  const chain::ReceiptReport report =
      chain::verify_receipt(*receipt, {genesis_, &digest, std::nullopt});
  if (const chain::ReceiptStep* failed = report.failed()) {
    item.fault = fmt::format("step {}: {}", failed->name, failed->text);
    return;
  }
  const auto say = [&](const chain::SealedHeader& sealed) {
    item.blocks.push_back({sealed.header.height.value, chain::block_id(sealed)});
  };
  say(receipt->block);
  say(chain::certified_block(*receipt));
  for (const chain::VoterStep& step : receipt->voters) say(step.sealed);
  item.signers = chain::listed(report.facts->signers);
  if (report.facts->position) item.position = report.facts->position->value;
  item.commitment = report.facts->commitment.value_or(chain::Commitment{});
}

void KeptFiles::read_checkpoint(Item& item, std::string_view text) const {
  auto known = chain::parse_checkpoint(text);
  if (!known) {
    item.fault = known.error().message;
    return;
  }
  item.kind = Kind::kCheckpoint;
  item.size = known->size;
  item.root = known->root;
  if (const std::string own = chain::log_origin(chain::chain_id(genesis_)); known->origin != own)
    item.fault = fmt::format("it is of the log '{}', this chain's is '{}'", known->origin, own);
  if (!known->head) return;  // nobody signed it: then it is its reader's word alone
  item.blocks.push_back({known->head->block.height.value, known->head->block.id});
  item.note = std::move(known->head->note);
}

void KeptFiles::find_roots(const chain::LogTree& before, const chain::BlockContent& content,
                           std::map<std::uint64_t, chain::Hash>& roots) const {
  const std::uint64_t end = before.size() + content.entries.size();
  auto wanted = sizes_.lower_bound(before.size());
  if (wanted == sizes_.end() || *wanted > end) return;
  chain::LogTree log = before;
  for (std::size_t at = 0;; ++at) {
    if (*wanted == log.size()) {
      roots.emplace(*wanted, log.root());
      if (++wanted == sizes_.end() || *wanted > end) return;
    }
    log.append(chain::log_leaf(content.entries[at].commitment));
  }
}

void KeptFiles::find_root(const chain::TemplateHeader& header,
                          std::map<std::uint64_t, chain::Hash>& roots) const {
  if (sizes_.contains(header.log_size)) roots.emplace(header.log_size, header.log_root);
}

// Names of the voters whose signatures hold; a voter's that does not is the file's fault.
std::string KeptFiles::signers_of(const Item& item, const VerifiedChain& chain,
                                  std::string& fault) const {
  if (item.kind == Kind::kReceipt) return item.signers;
  if (!item.note) return {};
  // By the voters in force there, or the newest known where the chain does not reach so far.
  const std::uint64_t height = std::clamp<std::uint64_t>(
      item.blocks.front().height, 1, std::max<std::uint64_t>(chain.ids.size(), 1));
  const chain::NoteSigners found =
      chain::signers_of_note(*item.note, chain::log_origin(chain::chain_id(genesis_)),
                             *chain.members_at(height), *chain.members_after(height));
  fault = found.fault;
  std::vector<std::string> names;
  for (const chain::Member& voter : found.voters) names.push_back(voter.name);
  return names.empty() ? "" : chain::listed(names);
}

// What it says and the chain does not; empty: they agree. `open`: what could not be compared.
std::string KeptFiles::contradiction(const Item& item, const Against& against, std::string& open) {
  const VerifiedChain& chain = against.chain;
  for (const SaidBlock& said : item.blocks) {
    const std::string says =
        fmt::format("it says that block {} is {}", said.height, to_hex(said.id));
    const auto met = chain.met.find(said.height);
    if (said.height >= chain.blocks_end) {
      const std::int64_t end = static_cast<std::int64_t>(chain.blocks_end) - 1;
      if (!against.is_live)
        return fmt::format("{}, and the chain ends with block {}; {}", says, end, kTooShort);
      open = fmt::format(
          "block {} is newer than what was read of a node that runs, up to block {}; {}",
          said.height, end, kVerifyAgain);
    } else if (met == chain.met.end()) {
      open = fmt::format("block {} cannot be read", said.height);
    } else if (met->second != said.id) {
      std::string text = fmt::format("{}, and the chain has {} there", says, to_hex(met->second));
      const HeldBody* held =
          against.bodies != nullptr && item.position ? against.bodies->at(*item.position) : nullptr;
      if (held != nullptr)
        text += held->facts.commitment == item.commitment
                    ? fmt::format("; the event at position {} is the same", *item.position)
                    : fmt::format("; at position {} it has the commitment {}, the chain {}",
                                  *item.position, to_hex(item.commitment),
                                  to_hex(held->facts.commitment));
      return text;
    }
  }
  return item.kind == Kind::kCheckpoint ? contradiction_of_log(item, against, open) : "";
}

std::string KeptFiles::contradiction_of_log(const Item& item, const Against& against,
                                            std::string& open) {
  const VerifiedChain& chain = against.chain;
  const auto root = chain.log_roots.find(item.size);
  if (root != chain.log_roots.end() && root->second != item.root)
    return fmt::format("it says that the log of {} events has the root {}, and the chain's has {}",
                       item.size, to_hex(item.root), to_hex(root->second));
  if (root != chain.log_roots.end()) return {};
  if (chain.is_whole && item.size > chain.log_size) {
    if (!against.is_live)
      return fmt::format("it says that the log has {} events, and the chain has {}; {}", item.size,
                         chain.log_size, kTooShort);
    open = fmt::format(
        "the log of {} events is newer than what was read of a node that runs, {} events; {}",
        item.size, chain.log_size, kVerifyAgain);
  } else {
    open = fmt::format("the root of the log of {} events is not known here", item.size);
  }
  return {};
}

void KeptFiles::judge(const VerifiedChain& chain, const BodyPass* bodies,
                      VerifyReport& report) const {
  for (const Item& item : items_) {
    const char* thing = item.kind == Kind::kReceipt      ? "receipt"
                        : item.kind == Kind::kCheckpoint ? "checkpoint"
                                                         : "file";
    const std::uint64_t height = item.blocks.empty() ? 0 : item.blocks.front().height;
    const auto bad = [&](const std::string& text) {
      report.findings.add({thing, height, item.name + ": " + text});
    };
    if (item.kind == Kind::kUnknown) {
      bad("it is neither a receipt nor a checkpoint: " + item.fault);
      continue;
    }
    std::string fault = item.fault;
    const std::string signers = fault.empty() ? signers_of(item, chain, fault) : "";
    if (!fault.empty()) {
      bad("it does not hold by itself, and tells nothing of this chain: " + fault);
      continue;
    }
    std::string open;
    const std::string text = contradiction(item, {chain, bodies, report.is_live}, open);
    if (!text.empty()) {
      bad(text + (signers.empty()
                      ? "; keep the file"
                      : fmt::format("; it bears the signatures of {}: keep the file, it "
                                    "is evidence",
                                    signers)));
      continue;
    }
    if (!open.empty()) {
      report.not_compared.push_back(fmt::format("{} {}: {}", thing, item.name, open));
      continue;
    }
    ++(item.kind == Kind::kReceipt ? report.receipts : report.checkpoints);
    for (const SaidBlock& said : item.blocks)
      report.attest(said.height, chain.is_followed(said.height));
    if (item.kind == Kind::kCheckpoint)
      report.attested_events = std::max(report.attested_events, item.size);
  }
}

}  // namespace eventchain::tools
