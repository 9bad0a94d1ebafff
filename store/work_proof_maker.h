#pragma once

#include "chain/genesis.h"
#include "chain/result.h"
#include "chain/work_proof.h"
#include "store/chain_reader.h"

namespace eventchain::store {

// Makes work proofs (chain/WORK_PROOFS.md) of what a node has stored, with the newest block that
// has a certificate as their head. Each is verified before it is handed out, so that damage on the
// disk never leaves as a proof; the hashes of RandomX are not computed for that.
//
// Threading: as many threads at once as the reader allows. The reader outlives it.
//
// Cost: for each sample some hundreds of reads of history nodes and one of a header, a head's
// receipt besides (receipt_maker.h).
class WorkProofMaker {
 public:
  WorkProofMaker(ChainReader& reader, const chain::Genesis& genesis);

  // kInvalid: the chain has no work, or a parameter is out of its range. kUnavailable: no
  // certificate is here yet. kCorrupt: what is stored proves nothing.
  chain::Result<chain::WorkProof> make(const chain::WorkSampling& sampling) const;

 private:
  [[nodiscard]] chain::Result<chain::Receipt> newest_certified() const;
  [[nodiscard]] chain::Result<chain::SealedHeader> header(chain::Height height) const;

  ChainReader& reader_;
  const chain::Genesis genesis_;
};

}  // namespace eventchain::store
