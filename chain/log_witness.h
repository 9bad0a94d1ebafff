#pragma once

#include <optional>
#include <string>
#include <vector>

#include "chain/log_head.h"
#include "chain/log_tree.h"
#include "chain/note.h"

// What passes between a log and its witnesses (C2SP tlog-witness), and what a witness must refuse.
// Pure; foreign texts are bounded before anything is kept of them.
namespace eventchain::chain {

// The head that a note's text begins with. Lines behind the three are the log's own business.
Result<LogHead> parse_log_head(ByteView text);

// Hashes in a consistency proof: one for each level of a tree of 2^63 leaves.
inline constexpr std::size_t kConsistencyHashesMax = 63;
// A note with a hundred signatures has some 20 KiB; a text may have more lines than ours.
inline constexpr std::size_t kAddCheckpointBytesMax = std::size_t{256} * 1024;

// A log's request: "cosign this one, which continues the one of that size that you know".
struct AddCheckpoint {
  std::uint64_t old_size = 0;
  std::vector<Hash> proof;  // between the two (RFC 6962, 2.1.2); empty for the same or from nothing
  SignedNote checkpoint;
  bool operator==(const AddCheckpoint&) const = default;
};
std::string encode_add_checkpoint(const AddCheckpoint& request);
Result<AddCheckpoint> parse_add_checkpoint(ByteView body);

// What a witness tells of the size that it knows: decimal, a line feed.
std::string encode_witnessed_size(std::uint64_t size);
std::optional<std::uint64_t> parse_witnessed_size(ByteView body);

// A log that a witness looks after.
struct WitnessedLog {
  std::string origin;
  std::vector<NoteVerifier> keys;  // who signs its checkpoints; distinct
  std::size_t quorum = 1;          // so many of them must have signed, from 1 to keys.size()
};

enum class WitnessVerdict : std::uint8_t {
  kCosign,
  kMalformed,      // the old size is beyond the checkpoint's
  kUntrusted,      // too few of the log's keys have signed it, or one of the signatures is false
  kOtherSize,      // the witness knows another size than the log thinks
  kOtherRoot,      // of that very size it has cosigned another root: two histories
  kUnproven,       // the proof does not lead from the known head to this one
  kNeedlessProof,  // hashes where there is nothing to prove: from nothing, or for the known head
};
// What becomes of a request for a checkpoint with this head. `last` is what the witness has
// cosigned of the log: nullopt if nothing yet. Pre: both heads are of `log.origin`.
//
// Whoever cosigns must have the new head on its disk first, and nothing may come between this
// judgement and that: else two requests at once take the log back.
WitnessVerdict judge_checkpoint(const WitnessedLog& log, const std::optional<LogHead>& last,
                                const LogHead& head, const AddCheckpoint& request);

}  // namespace eventchain::chain
