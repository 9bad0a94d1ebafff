#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "chain/history_cut.h"
#include "chain/receipt.h"
#include "chain/work_sampling.h"

// Work proofs: what shows, to somebody who trusts no node and has the genesis file alone, that
// about the work which a head's history claims was done for that history, from some hundreds of its
// blocks. WORK_PROOFS.md has the format, every step of the verification, and the bounds.
namespace eventchain::chain {

struct WorkProof {
  Receipt head;  // of a block, with its own certificate: the head
  WorkSampling sampling;
  // Those looked at, ascending, without genesis: the last ones below the head, and those in which a
  // sample lies.
  std::vector<SealedHeader> blocks;
  std::vector<HistoryNode> nodes;  // where the others are cut off (history_cut.h)
};

// What the blocks of a proof with this head are looked for by.
struct SampleTask {
  SamplePlan plan;
  std::vector<U256> places;
};
// `total`: the work of all blocks below the head; `last`: that of those that are shown in any case.
// nullopt: the history claims more work than can be sampled.
std::optional<SampleTask> sample_task(const WorkSampling& sampling, const SealedHeader& head,
                                      const U256& total, const U256& last);
// The lowest of the blocks below the head that are shown in any case.
Height first_of_last(const WorkSampling& sampling, Height head);

// Reads a header that is there; an error is passed through.
using HeaderReader = std::function<Result<SealedHeader>(Height)>;
// The proof for the head of a chain with a work function. kInvalid: check_sampling(), or the head
// is genesis. Nothing of what is read is verified.
Result<WorkProof> assemble_work_proof(Receipt head, const WorkSampling& sampling,
                                      const HistoryReader& nodes, const HeaderReader& headers);

struct WorkTrust {
  const Genesis& genesis;  // outlives the verification
  // Of the genesis' work function; null: its plain_digest(). Where there is neither, no share is
  // looked at, and the report says that no work is proved.
  const ShareDigest* digest = nullptr;
  // The least that is asked of a proof; how many of the last blocks it shows is its own affair.
  WorkSampling least{WorkShare::kHalf, 1, 1};
};

struct WorkFacts {
  Height head;
  BlockId head_id;
  UnixMillis sealed_at;  // of the head, by the clock of who led then
  std::vector<std::string> signers;
  std::size_t voters = 0;  // of how many
  U256 claimed;            // of all blocks, with the head
  U256 shown;              // of those whose shares are in the proof, with the head
  std::size_t blocks = 0;  // how many these are
  WorkSampling sampling;
  SamplePlan plan;
};

struct WorkReport {
  std::vector<ReceiptStep> steps;  // in the order of WORK_PROOFS.md, up to the first that failed
  // Sentences for people; empty if a step failed.
  std::vector<std::string> proved;
  std::vector<std::string> not_proved;
  std::optional<WorkFacts> facts;

  [[nodiscard]] const ReceiptStep* failed() const;                     // null: none
  [[nodiscard]] const ReceiptStep* find(std::string_view name) const;  // null: not got to
  // No step failed, and shares were looked at.
  [[nodiscard]] bool is_proved() const;
};

// Pure: reads no clock and no file. For any proof, whoever made it.
WorkReport verify_work_proof(const WorkProof& proof, const WorkTrust& trust);

}  // namespace eventchain::chain
