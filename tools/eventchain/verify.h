#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "chain/genesis.h"
#include "chain/result.h"
#include "chain/types.h"
#include "chain/u256.h"
#include "chain/work.h"

// Offline verification of a node's whole database against nothing but its genesis: every body is
// read and hashed, every block recomputed from them, whoever wrote it. Of a light member's, which
// keeps no bodies, every header, member set and the certificate of its tip.
namespace eventchain::tools {

// One thing that is not as it must be.
struct Finding {
  std::string thing;        // "event", "block" or "database"
  std::uint64_t place = 0;  // position of an event, height of a block
  std::string text;
};

// Collects findings; goes on counting when there are more than anyone will read.
class Findings {
 public:
  static constexpr std::size_t kKeptMax = 1000;

  void add(Finding finding) {
    ++total_;
    if (kept_.size() < kKeptMax) kept_.push_back(std::move(finding));
  }
  [[nodiscard]] const std::vector<Finding>& kept() const { return kept_; }
  [[nodiscard]] std::uint64_t total() const { return total_; }

 private:
  std::vector<Finding> kept_;
  std::uint64_t total_ = 0;
};

struct VerifyReport {
  chain::ChainId chain;
  std::uint64_t blocks = 0;  // with genesis
  std::uint64_t events = 0;
  std::uint64_t rejected = 0;
  bool versions_judged = true;  // false: not above the first event whose stream is unknown
  // A light member's database: it keeps neither events nor bodies, and `events` are those that its
  // headers speak of. What is wrong in the log itself cannot be seen in it.
  bool headers_only = false;
  std::size_t signatures = 0;  // sound ones on the tip; counted for a light member only
  chain::Height height;        // of the tip
  chain::BlockId tip;
  chain::Hash log_root;
  chain::U256 work;
  Findings findings;
};

struct VerifyOptions {
  std::string database;
  chain::Genesis genesis;
  unsigned threads = 1;  // for the bodies
  // Blocks that must be in the chain. A chain that was rolled back or made anew as a whole obeys
  // every rule; only what somebody noted elsewhere tells it from the true one.
  std::vector<chain::BlockId> known_blocks;
  // Of the genesis' work function. Null: chain::plain_digest().
  const chain::ShareDigest* digest = nullptr;
  // Bodies hashed so far, of how many; called now and then on the calling thread.
  std::function<void(std::uint64_t done, std::uint64_t total)> progress;
};

// The one given, or the plain one.
const chain::ShareDigest& digest_of(const VerifyOptions& options);

// An error only when nothing can be verified at all (no such file, another chain). Needs about
// 200 octets of memory for each event. What kind of database it is, the file says.
chain::Result<VerifyReport> verify_chain(const VerifyOptions& options);

// The database in a node's data directory, or the file itself if it is one. A node has one of the
// two kinds (node/deployment.h); where there is neither, the full node's is named as missing.
std::string database_in(const std::filesystem::path& data);

}  // namespace eventchain::tools
