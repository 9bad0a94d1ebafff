#include "store/work_proof_maker.h"

#include <fmt/format.h>

#include <map>
#include <utility>

#include "store/receipt_maker.h"

namespace eventchain::store {

using chain::ErrorCode;
using chain::fail;
using chain::Height;
using chain::HistoryNode;
using chain::Result;

namespace {

template <class T>
tl::unexpected<chain::Error> passed_on(const Result<T>& failed) {
  return tl::unexpected<chain::Error>(failed.error());
}

// Ways from the root to the samples have their upper nodes in common.
class KeptNodes {
 public:
  explicit KeptNodes(ChainReader& reader) : reader_(reader) {}

  Result<HistoryNode> operator()(std::uint64_t number) {
    const auto found = kept_.find(number);
    if (found != kept_.end()) return found->second;
    auto node = reader_.history_node(number);
    if (node) kept_.emplace(number, *node);
    // What must be there is not.
    if (!node && node.error().code == ErrorCode::kNotFound)
      return fail(ErrorCode::kCorrupt, node.error().message + "; verify this node's database");
    return node;
  }

 private:
  ChainReader& reader_;
  std::map<std::uint64_t, HistoryNode> kept_;
};

}  // namespace

WorkProofMaker::WorkProofMaker(ChainReader& reader, const chain::Genesis& genesis)
    : reader_(reader), genesis_(genesis) {}

Result<chain::WorkProof> WorkProofMaker::make(const chain::WorkSampling& sampling) const {
  if (genesis_.work_function == chain::WorkFunction::kNone)
    return fail(ErrorCode::kInvalid,
                "the chain's work function is none: there is no work to prove, it rests on "
                "signatures alone");
  if (const auto checked = chain::check_sampling(sampling); !checked) return passed_on(checked);
  auto head = newest_certified();
  if (!head) return passed_on(head);
  KeptNodes kept(reader_);
  auto proof = chain::assemble_work_proof(
      std::move(*head), sampling, [&kept](std::uint64_t number) { return kept(number); },
      [this](Height height) { return header(height); });
  if (!proof) return passed_on(proof);
  const auto report = chain::verify_work_proof(*proof, {genesis_, nullptr, sampling});
  if (const chain::ReceiptStep* failed = report.failed())
    return fail(
        ErrorCode::kCorrupt,
        fmt::format("what is stored does not prove its work: step {}: {}; ask another node, "
                    "and verify this one's database",
                    failed->name, failed->text));
  return proof;
}

Result<chain::Receipt> WorkProofMaker::newest_certified() const {
  if (reader_.tip().height.value == 0)
    return fail(ErrorCode::kUnavailable,
                "there is no block above genesis here yet; ask again soon");
  const ReceiptMaker receipts(reader_, genesis_);
  // The newest certificate of all is the one that covers the first block.
  auto first = receipts.make_of_block(Height{1}, {.end = ReceiptEnd::kNewest});
  if (!first || !first->newer) return first;
  return receipts.make_of_block(first->newer->sealed.header.height, {.end = ReceiptEnd::kFirst});
}

Result<chain::SealedHeader> WorkProofMaker::header(Height height) const {
  auto headers = reader_.headers(height, 1);
  if (!headers) return passed_on(headers);
  if (headers->empty() || headers->front().header.height != height)
    return fail(ErrorCode::kCorrupt,
                fmt::format("block {} is missing; verify this node's database", height.value));
  return std::move(headers->front());
}

}  // namespace eventchain::store
