#pragma once

#include <cstdint>
#include <optional>

#include "chain/genesis.h"
#include "chain/receipt.h"
#include "chain/result.h"
#include "store/chain_reader.h"

namespace eventchain::store {

// Which block's certificate a receipt ends with.
enum class ReceiptEnd : std::uint8_t {
  kFirst,   // the first from the event's block on that has one: the shortest receipt
  kNewest,  // the newest: tells all the work that stands on the event since
};

// What a receipt of anything may have besides.
struct ReceiptShape {
  ReceiptEnd end = ReceiptEnd::kFirst;
  // Of a log that the reader knows; the receipt gets a path between it and the receipt's block.
  std::optional<std::uint64_t> log_size{};
};

struct ReceiptWish {
  chain::EventKey key;
  ReceiptShape shape{};
};

// Makes receipts (chain/RECEIPTS.md) of what a node has stored, years later too. Each is verified
// before it is handed out, so that damage on the disk never leaves as a receipt.
//
// Threading: as many threads at once as the reader allows. The reader outlives it.
//
// Cost: some hundreds of reads of hashes of each tree, a certificate or, where nearly none are
// here, some hundreds of those, and for each block that ever changed the members one member set. No
// signature is believed unseen.
class ReceiptMaker {
 public:
  ReceiptMaker(ChainReader& reader, const chain::Genesis& genesis);

  // kNotFound: no block says anything of the event, or the log is not that long yet. kUnavailable:
  // no block from its own on has a certificate here yet, or one that is needed on the way from
  // genesis is missing here. kCorrupt: what is stored proves nothing.
  chain::Result<chain::Receipt> make(const ReceiptWish& wish) const;
  // Of a block. The same errors; kNotFound also of genesis, which the genesis file says all of.
  chain::Result<chain::Receipt> make_of_block(chain::Height height,
                                              const ReceiptShape& shape) const;

 private:
  struct Draft;
  [[nodiscard]] chain::Result<chain::Receipt> finish(const ReceiptShape& shape, Draft draft) const;
  [[nodiscard]] chain::Result<void> place(const EventLookup& found, Draft& draft) const;
  [[nodiscard]] chain::Result<void> certify(ReceiptEnd end, Draft& draft) const;
  [[nodiscard]] chain::Result<bool> has_certificate(chain::Height height, Draft& draft) const;
  [[nodiscard]] chain::Result<void> find_voters(Draft& draft) const;
  [[nodiscard]] chain::Result<void> reach(std::uint64_t log_size, Draft& draft) const;
  [[nodiscard]] chain::Result<chain::SealedHeader> header(chain::Height height) const;

  ChainReader& reader_;
  const chain::Genesis genesis_;
};

}  // namespace eventchain::store
