#pragma once

#include <boost/json.hpp>
#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <string>

#include "chain/hash_rates.h"
#include "chain/result.h"

namespace eventchain::tools {

// What genesis.json says of the work.
struct WorkTerms {
  std::string chain;
  std::string work_function;  // by name: this program need not know it
  std::uint16_t share_count = 0;
  chain::U256 easiest_each;  // hashes a share takes where the difficulty cannot fall further
};
chain::Result<WorkTerms> read_work_terms(const boost::json::value& genesis);

// The work in the blocks from one height to the tip, and how fast the newest blocks came.
struct ChainWork {
  WorkTerms terms;
  std::uint64_t since = 0;
  std::uint64_t tip = 0;
  std::uint64_t blocks = 0;   // since .. tip
  chain::U256 hashes;         // expected, of these
  chain::U256 at_floor;       // as many blocks take with the easiest target
  chain::UnixMillis begun;    // of work on the first of them
  chain::UnixMillis sealed;   // of the tip
  chain::ShareSum recent;     // the newest blocks
  double recent_seconds = 0;  // in which these came, with the pauses between them
};

// Adds up headers, ascending and without gaps; genesis is skipped.
class WorkCount {
 public:
  // Rates are over this many blocks, or all there are.
  static constexpr std::uint64_t kRecentBlocks = 100;
  // The height to begin with, so that the rates are over enough blocks and the first of them has
  // one before it.
  static std::uint64_t begin_with(std::uint64_t since, std::uint64_t tip);

  WorkCount(WorkTerms terms, std::uint64_t since) : since_(since) {
    made_.terms = std::move(terms);
  }
  void add(const chain::SealedHeader& block);
  // An error if there is no block from the height on.
  chain::Result<ChainWork> finish();

 private:
  struct Recent {
    chain::MiningFacts facts;
    std::uint64_t shares = 0;
    chain::UnixMillis started, sealed_at;
  };
  const std::uint64_t since_;
  ChainWork made_;
  std::deque<Recent> recent_;
};

// A header as the API tells it, as far as work goes. Its seal has no shares.
chain::Result<chain::SealedHeader> read_work_header(const boost::json::value& header);

// From a stopped node's database, a full one's or a light member's, or a copy of one. Nothing is
// verified: `chain verify` does that.
chain::Result<ChainWork> count_stored_work(const std::string& database,
                                           const std::string& genesis_file, std::uint64_t since);

}  // namespace eventchain::tools
