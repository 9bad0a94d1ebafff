#include "chain/receipt_checkpoint.h"

#include <fmt/format.h>

#include "chain/log_tree.h"
#include "chain/receipt_summary.h"

namespace eventchain::chain {

namespace {

constexpr const char* kName = "checkpoint";

ReceiptStep failed(std::string text) {
  return {kName, StepState::kFailed, std::move(text)};
}

// Who signed the checkpoint: failed, if that is wrong, not checked, if nothing here shows who may.
ReceiptStep judge_signatures(const KnownLog& known, const SignerHistory& signers,
                             Height certified) {
  if (!known.head)
    return {kName, StepState::kPassed, "it bears no signatures, and is believed as it is"};
  const Height height = known.head->block.height;
  const NoteSigners found =
      signers_of_note(known.head->note, known.origin, signers_before(signers, height),
                      signers_after(signers, height));
  if (!found.fault.empty()) return failed("in the checkpoint, " + found.fault);
  std::vector<std::string> names;
  for (const Member& member : found.voters) names.push_back(member.name);
  if (found.is_majority) return {kName, StepState::kPassed, "it is signed by " + listed(names)};
  if (height > certified)
    return {kName, StepState::kNotChecked,
            fmt::format("the checkpoint is of block {}, and those who signed it may have become "
                        "voters after block {}, with which the receipt ends: get the receipt "
                        "anew, with the newest certificate",
                        height.value, certified.value)};
  return failed(fmt::format("{} signed the checkpoint, which is no majority of the {} voters",
                            listed(names), count_voters(signers_before(signers, height))));
}

// Whether the two logs are of one history.
ReceiptStep compare_logs(const Receipt& receipt, const KnownLog& known) {
  const TemplateHeader& header = receipt.block.header;
  if (known.size == header.log_size)
    return {kName, StepState::kPassed,
            fmt::format("the checkpoint is of the log as of block {}", header.height.value)};
  const std::vector<Hash>* path = known.path ? &*known.path : nullptr;
  if (path == nullptr && receipt.consistency && receipt.consistency->size == known.size)
    path = &receipt.consistency->path;
  if (path == nullptr)
    return {kName, StepState::kNotChecked,
            fmt::format("the checkpoint is of {} entries and block {} of {}; there is no path "
                        "between the two: get the receipt anew, with one",
                        known.size, header.height.value, header.log_size)};
  const bool is_older = known.size < header.log_size;
  const bool is_consistent =
      is_older
          ? verify_consistency(known.size, header.log_size, known.root, header.log_root, *path)
          : verify_consistency(header.log_size, known.size, header.log_root, known.root, *path);
  if (!is_consistent)
    return failed(
        fmt::format("the path does not lead between the checkpoint's {} entries and the "
                    "{} as of block {}: a wrong path, or two histories",
                    known.size, header.log_size, header.height.value));
  return {kName, StepState::kPassed,
          is_older ? "the log of the checkpoint is the beginning of the receipt's"
                   : "the log of the checkpoint goes on where the receipt's ends"};
}

}  // namespace

ReceiptStep checkpoint_step(const Receipt& receipt, const KnownLog& known,
                            const SignerHistory& signers) {
  // The foreign name is not repeated: it may have anything in it.
  if (known.origin != log_origin(receipt.chain))
    return failed(fmt::format("the checkpoint is of another log than this chain's, '{}'",
                              log_origin(receipt.chain)));
  const SealedHeader& certified = certified_block(receipt);
  ReceiptStep signatures = judge_signatures(known, signers, certified.header.height);
  if (signatures.state == StepState::kFailed) return signatures;
  const HistoryPoint told = point_of(known);
  for (const SealedHeader* sealed : {&receipt.block, &certified})
    if (const auto kind = contradiction(point_of(*sealed), told))
      return failed(fmt::format("two histories were told, keep both files: {}",
                                describe(*kind, point_of(*sealed), told)));
  ReceiptStep logs = compare_logs(receipt, known);
  if (logs.state == StepState::kPassed && signatures.state == StepState::kNotChecked)
    return signatures;
  logs.text += "; " + signatures.text;
  return logs;
}

}  // namespace eventchain::chain
