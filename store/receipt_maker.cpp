#include "store/receipt_maker.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "chain/keys.h"
#include "chain/log_tree.h"

namespace eventchain::store {

using chain::ErrorCode;
using chain::fail;
using chain::Result;

namespace {

// Signatures stand on nearly every block, so the newest certificate is at the tip or close below.
constexpr std::uint64_t kLookedBackMax = 1000;
// From the event's block on; a node that was away for long may lack the signatures of many.
constexpr unsigned kLookedForwardMax = 100;

template <class T>
tl::unexpected<chain::Error> passed_on(const Result<T>& failed) {
  return tl::unexpected<chain::Error>(failed.error());
}

// What must be there is not.
chain::Error damaged(const chain::Error& error) {
  if (error.code != ErrorCode::kNotFound) return error;
  return {ErrorCode::kCorrupt, error.message + "; verify this node's database"};
}

void add_set(chain::Receipt& receipt, const chain::MembersRef& set) {
  const auto is_same = [&](const chain::MembersRef& other) { return *other == *set; };
  if (std::ranges::none_of(receipt.member_sets, is_same)) receipt.member_sets.push_back(set);
}

// Those that hold, as far as the receipt's reader will count them.
chain::Certificate sound(const chain::SealedHeader& sealed, const chain::MemberSet& before,
                         const chain::MemberSet& after, const chain::Certificate& kept) {
  chain::Ed25519Checker checker;
  return chain::sound_signatures(checker, before, after,
                                 chain::certified_statement(sealed.header, chain::block_id(sealed)),
                                 kept);
}

}  // namespace

struct ReceiptMaker::Draft {
  chain::Receipt receipt;
  chain::Height height;  // of its block
};

ReceiptMaker::ReceiptMaker(ChainReader& reader, const chain::Genesis& genesis)
    : reader_(reader), genesis_(genesis) {}

Result<chain::Receipt> ReceiptMaker::make(const ReceiptWish& wish) const {
  const auto found = reader_.event(wish.key);
  if (!found) return passed_on(found);
  if (found->state == EventLookup::State::kUnknown || !found->height || !found->event)
    return fail(ErrorCode::kNotFound,
                "no block says anything of the event " + to_hex(wish.key) + " yet; ask its status");
  Draft draft;
  draft.height = *found->height;
  draft.receipt.shown = chain::ShownBody{found->event->salt, found->event->body};
  if (const auto done = place(*found, draft); !done) return passed_on(done);
  return finish(wish.shape, std::move(draft));
}

Result<chain::Receipt> ReceiptMaker::make_of_block(chain::Height height,
                                                   const ReceiptShape& shape) const {
  const chain::Height tip = reader_.tip().height;
  if (height.value == 0)
    return fail(ErrorCode::kNotFound,
                "the genesis block has no receipt: the genesis file says all of it");
  if (height > tip)
    return fail(ErrorCode::kNotFound, fmt::format("there is no block {} here yet; the newest is {}",
                                                  height.value, tip.value));
  Draft draft;
  draft.height = height;
  draft.receipt.what = chain::ReceiptBlock{};
  auto sealed = header(height);
  if (!sealed) return passed_on(sealed);
  draft.receipt.block = std::move(*sealed);
  return finish(shape, std::move(draft));
}

Result<chain::Receipt> ReceiptMaker::finish(const ReceiptShape& shape, Draft draft) const {
  draft.receipt.chain = chain::chain_id(genesis_);
  if (const auto done = certify(shape.end, draft); !done) return passed_on(done);
  if (const auto done = find_voters(draft); !done) return passed_on(done);
  if (shape.log_size)
    if (const auto done = reach(*shape.log_size, draft); !done) return passed_on(done);
  const auto report = chain::verify_receipt(draft.receipt, {genesis_, nullptr, std::nullopt});
  if (const chain::ReceiptStep* failed = report.failed())
    return fail(ErrorCode::kCorrupt,
                fmt::format("what is stored of block {} proves nothing: step {}: {}; ask another "
                            "node, and verify this one's database",
                            draft.height.value, failed->name, failed->text));
  return std::move(draft.receipt);
}

Result<chain::SealedHeader> ReceiptMaker::header(chain::Height height) const {
  auto headers = reader_.headers(height, 1);
  if (!headers) return passed_on(headers);
  if (headers->empty() || headers->front().header.height != height)
    return fail(ErrorCode::kCorrupt,
                fmt::format("block {} is missing; verify this node's database", height.value));
  return std::move(headers->front());
}

Result<void> ReceiptMaker::place(const EventLookup& found, Draft& draft) const {
  const chain::Commitment& commitment = found.event->facts.commitment;
  if (found.position) {
    auto sealed = header(draft.height);
    if (!sealed) return passed_on(sealed);
    auto path = chain::inclusion_proof(found.position->value, sealed->header.log_size,
                                       [this](std::uint8_t level, std::uint64_t index) {
                                         return reader_.tree_hash(level, index);
                                       });
    if (!path) return tl::unexpected<chain::Error>(damaged(path.error()));
    draft.receipt.block = std::move(*sealed);
    draft.receipt.what = chain::ReceiptEntry{commitment, *found.position, std::move(*path)};
    return {};
  }
  auto stored = reader_.block(draft.height);
  if (!stored) return passed_on(stored);
  const std::vector<chain::AnnexItem>& annex = stored->block.content.annex;
  for (std::size_t i = 0; i < annex.size(); ++i) {
    const auto* rejection = std::get_if<chain::Rejection>(&annex[i]);
    if (rejection == nullptr || rejection->commitment != commitment) continue;
    draft.receipt.what = chain::ReceiptRejection{*rejection, chain::annex_path(annex, i)};
    draft.receipt.block = stored->block.sealed;
    return {};
  }
  return fail(ErrorCode::kCorrupt,
              fmt::format("block {} does not reject the event {}, as is stored; verify this node's "
                          "database",
                          draft.height.value, to_hex(found.event->facts.key)));
}

// Fills the end of the receipt if a majority of those who vote at `height` signed that block.
Result<bool> ReceiptMaker::has_certificate(chain::Height height, Draft& draft) const {
  const chain::Certificate kept = reader_.certificate(height);
  if (kept.empty()) return false;
  const auto members = reader_.members(height);
  if (!members) return passed_on(members);
  if (!chain::is_certified(kept, **members, **members)) return false;
  auto sealed = header(height);
  if (!sealed) return passed_on(sealed);
  chain::Certificate held = sound(*sealed, **members, **members, kept);
  if (!chain::is_certified(held, **members, **members)) return false;
  draft.receipt.certificate = std::move(held);
  draft.receipt.newer.reset();
  if (height != draft.height) draft.receipt.newer = chain::NewerBlock{std::move(*sealed), {}};
  return true;
}

Result<void> ReceiptMaker::certify(ReceiptEnd end, Draft& draft) const {
  Result<bool> is_found = false;
  const auto look_back = [&] {
    const std::uint64_t tip = reader_.tip().height.value;
    for (std::uint64_t back = 0; is_found && !*is_found && back < kLookedBackMax; ++back) {
      if (tip < draft.height.value + back) break;
      is_found = has_certificate(chain::Height{tip - back}, draft);
    }
  };
  if (end == ReceiptEnd::kNewest) look_back();
  auto at = reader_.next_signed(draft.height);
  for (unsigned tries = 0; is_found && !*is_found && at && tries < kLookedForwardMax; ++tries) {
    is_found = has_certificate(*at, draft);
    at = reader_.next_signed(at->next());
  }
  if (is_found && !*is_found && at && end != ReceiptEnd::kNewest) look_back();
  if (!is_found) return passed_on(is_found);
  if (!*is_found)
    return fail(ErrorCode::kUnavailable,
                fmt::format("no block from {} on has the signatures of a majority of voters here "
                            "yet; ask again soon",
                            draft.height.value));
  const auto set = reader_.members(draft.height);
  if (!set) return passed_on(set);
  add_set(draft.receipt, *set);
  if (!draft.receipt.newer) return {};
  const chain::Height height = draft.receipt.newer->sealed.header.height;
  auto path = chain::history_path(draft.height, height.value, [this](std::uint64_t number) {
    return reader_.history_node(number);
  });
  if (!path) return tl::unexpected<chain::Error>(damaged(path.error()));
  draft.receipt.newer->path = std::move(*path);
  const auto newer_set = reader_.members(height);
  if (!newer_set) return passed_on(newer_set);
  add_set(draft.receipt, *newer_set);
  return {};
}

Result<void> ReceiptMaker::find_voters(Draft& draft) const {
  const chain::Height end = chain::certified_block(draft.receipt).header.height;
  auto before = reader_.members(chain::Height{0});
  if (!before) return passed_on(before);
  for (const chain::Height height : reader_.member_changes()) {
    if (height >= end) break;
    auto after = reader_.members(height.next());
    if (!after) return passed_on(after);
    const chain::MembersRef known = std::exchange(*before, *after);
    if (chain::have_same_signers(*known, **after)) continue;
    auto stored = reader_.block(height);
    if (!stored) return passed_on(stored);
    chain::VoterStep step{stored->block.sealed, std::move(stored->block.content.annex), {}};
    step.certificate = sound(step.sealed, *known, **after, reader_.certificate(height));
    if (!chain::is_certified(step.certificate, *known, **after))
      return fail(
          ErrorCode::kUnavailable,
          fmt::format("block {} changed who signs, and its certificate is not here yet; ask "
                      "again soon, or another node",
                      height.value));
    draft.receipt.voters.push_back(std::move(step));
    add_set(draft.receipt, known);
  }
  return {};
}

Result<void> ReceiptMaker::reach(std::uint64_t log_size, Draft& draft) const {
  const std::uint64_t stored = reader_.tip().log_size;
  if (log_size > stored)
    return fail(ErrorCode::kNotFound,
                fmt::format("the log has {} entries here, fewer than the {} asked about; ask again "
                            "once it has grown",
                            stored, log_size));
  const std::uint64_t own = draft.receipt.block.header.log_size;
  auto path = chain::consistency_proof(
      std::min(own, log_size), std::max(own, log_size),
      [this](std::uint8_t level, std::uint64_t index) { return reader_.tree_hash(level, index); });
  if (!path) return tl::unexpected<chain::Error>(damaged(path.error()));
  draft.receipt.consistency = chain::LogConsistency{log_size, std::move(*path)};
  return {};
}

}  // namespace eventchain::store
