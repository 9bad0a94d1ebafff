#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "chain/types.h"
#include "store/receipt_maker.h"
#include "tools/eventchain/session.h"

namespace eventchain::tools {

// What somebody who has a chain says when he is asked for a proof. Nothing of it is believed.
struct SourceAnswer {
  enum class State {
    kReceipt,      // `text` is one
    kCheckpoint,   // `text` is one; a light member has no more
    kNotYet,       // he has not come so far; `text` says why, as all that follow
    kRefused,      // he does not say, or his database is damaged
    kUnreachable,  // or without a quorum
  };
  State state = State::kRefused;
  std::string text;
};

// Where blocks' receipts come from: a cluster, or a database that nobody uses. One thread at a
// time.
class BlockSource {
 public:
  virtual ~BlockSource() = default;
  // Of the block at a height.
  virtual SourceAnswer receipt(chain::Height height, const store::ReceiptShape& shape) = 0;
  // Of the newest block that has a certificate.
  virtual SourceAnswer newest(const store::ReceiptShape& shape) = 0;
};

// Asks the session's endpoints; the first that answers.
std::unique_ptr<BlockSource> cluster_source(const Session& session);
// Reads the data directory of a stopped node, or a copy of one. Stops the command if it cannot be
// opened, is of another chain or a light member's.
std::unique_ptr<BlockSource> cold_source(const std::string& data, const chain::Genesis& genesis);

}  // namespace eventchain::tools
