#pragma once

#include <optional>
#include <string>
#include <vector>

#include "chain/cosignature.h"
#include "chain/log_witness.h"

// What is kept of checkpoints that were seen: a witness' side and a log's.
namespace eventchain::store {

// What a witness must never forget: the largest head of each log that it has cosigned. One thread.
// Throws StoreFailure when the disk fails; nothing may be called after that.
class WitnessMemory {
 public:
  virtual ~WitnessMemory() = default;
  struct Cosigned {
    chain::LogHead head;
    std::string note;  // the checkpoint as it came
  };
  virtual std::optional<Cosigned> last(const std::string& origin) = 0;
  // On the disk when it returns: only then may the cosignature leave.
  virtual void keep(const Cosigned& cosigned, chain::UnixSeconds time) = 0;
};

// What a log's node keeps of its witnesses' answers. One thread at a time. Throws StoreFailure when
// the disk fails; nothing may be called after that.
class CosignatureMemory {
 public:
  virtual ~CosignatureMemory() = default;
  // The last that a witness has cosigned.
  struct Cosigned {
    std::string witness;  // its verifier key
    std::uint64_t size = 0;
    chain::UnixSeconds time;  // its own
    std::string note;         // with its cosignature
    // The most that it had cosigned when it knew less than that; 0: it never forgot. A word that
    // stays: never 0 again for that key.
    std::uint64_t forgot = 0;
    bool operator==(const Cosigned&) const = default;
  };
  // The newest checkpoint that enough of them have cosigned.
  struct Witnessed {
    std::uint64_t size = 0;
    chain::UnixMillis seen;  // by this node's clock: when the last one that was needed came
    std::string note;        // with the cosignatures
    bool operator==(const Witnessed&) const = default;
  };
  virtual std::vector<Cosigned> cosigned() = 0;  // by witness
  virtual std::optional<Witnessed> witnessed() = 0;
  // Both in one; on the disk when it returns.
  virtual void keep(const Cosigned& cosigned, const std::optional<Witnessed>& witnessed) = 0;
};

}  // namespace eventchain::store
