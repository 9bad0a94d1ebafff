#pragma once

#include <optional>
#include <string>
#include <vector>

#include "chain/evidence.h"
#include "tools/eventchain/block_source.h"

// Whether two things that were told of one chain are of one history: receipts, checkpoints, and
// members, who are asked for what is missing.
namespace eventchain::tools {

struct ConsistencySide {
  std::string name;  // as it was given
  // Of a member: left empty, and fetched.
  std::optional<chain::EvidencePart> item{};
  BlockSource* source = nullptr;  // of a member; outlives the check
};

enum class Agreement {
  kConsistent,
  kTwoHistories,   // and there is evidence
  kContradiction,  // between the two, but nobody else has to believe it
  kUnverified,     // what one of them says proves nothing; that is no evidence of anything
  kUnknown,        // nothing shows it, and `said` tells why
};
const char* to_string(Agreement agreement);  // as programs write it

struct ConsistencyVerdict {
  Agreement agreement = Agreement::kUnknown;
  std::vector<std::string> said;  // sentences for people
  std::optional<chain::Evidence> evidence{};
};

// `digest`: as in chain::ReceiptTrust. `asked`: a member who may settle what the two cannot; may be
// null. Asks each member some three times.
ConsistencyVerdict check_consistency(const chain::Genesis& genesis,
                                     const chain::ShareDigest* digest, ConsistencySide a,
                                     ConsistencySide b, ConsistencySide* asked);

}  // namespace eventchain::tools
