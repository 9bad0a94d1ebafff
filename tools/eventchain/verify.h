#pragma once

#include <algorithm>
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
// read and hashed, every block recomputed from them, whoever wrote it, and whatever else is stored
// compared with that. Of a light member's, which keeps no bodies, every header, member set and the
// certificate of its tip.
namespace eventchain::tools {

class KeptFiles;

// One thing that is not as it must be.
struct Finding {
  // What, and which:
  //   event       its position
  //   block, signature, member-set  height of the block
  //   log-tree    position of the first event below the hash
  //   history     number of the node (chain/history.h)
  //   index       position of the event, or arrival number of what the entry names
  //   receipt, checkpoint, file  height in it, or 0
  //   database    nothing of the above
  std::string thing;
  std::uint64_t place = 0;
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
  void add_all(const Findings& others) {
    for (const Finding& one : others.kept_)
      if (kept_.size() < kKeptMax) kept_.push_back(one);
    total_ += others.total_;
  }
  [[nodiscard]] const std::vector<Finding>& kept() const { return kept_; }
  [[nodiscard]] std::uint64_t total() const { return total_; }

 private:
  std::vector<Finding> kept_;
  std::uint64_t total_ = 0;
};

// What was found in a database that somebody may be writing.
struct Found {
  Findings surely;
  // Faults unless a node has gone on since: then they are of what came later.
  Findings unless_grown;

  void add_all(const Found& others) {
    surely.add_all(others.surely);
    unless_grown.add_all(others.unless_grown);
  }
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
  std::uint64_t signatures = 0;  // sound ones; of a light member's those on the tip
  // The highest block with sound signatures of a majority; 0: none has them.
  chain::Height certified;
  chain::Height height;  // of the tip
  chain::BlockId tip;
  chain::Hash log_root;
  chain::U256 work;
  std::uint64_t octets = 0;  // of salts and bodies that were hashed
  bool has_grown = false;    // a node went on while this was read: blocks above were left out
  bool is_live = false;      // a node runs on it, which may yet get what it lacks
  // Of the block ids and files that were given: how many agree, up to which block and size of the
  // log they reach, and those that could not be compared, a line each.
  std::uint64_t named_blocks = 0;
  std::uint64_t receipts = 0;
  std::uint64_t checkpoints = 0;
  chain::Height attested;
  std::uint64_t attested_events = 0;
  // Blocks named in them that stand above one that could not be followed: they agree, and say
  // nothing of the history below.
  std::uint64_t attested_apart = 0;
  bool is_connected = true;  // false: some block could not be followed, and the tip is below it
  std::vector<std::string> not_compared;
  Findings findings;

  // Something from outside names the block that is here at this height.
  void attest(std::uint64_t at, bool is_followed) {
    if (is_followed)
      attested = std::max(attested, {at});
    else
      ++attested_apart;
  }
};

enum class VerifyStage : std::uint8_t {
  kBodies,   // counted in events
  kBlocks,   // in events that the blocks place
  kClosing,  // indexes and signatures: in pieces
  kHeaders,  // in blocks; of a light member's, instead of all others
};

struct VerifyOptions {
  std::string database;
  chain::Genesis genesis;
  unsigned threads = 1;  // for the bodies, the indexes and the signatures
  // Blocks that must be in the chain. A chain that was rolled back or made anew as a whole obeys
  // every rule; only what somebody noted elsewhere tells it from the true one.
  std::vector<chain::BlockId> known_blocks;
  // Of the genesis' work function. Null: chain::plain_digest().
  const chain::ShareDigest* digest = nullptr;
  // Receipts and checkpoints that must be of this very chain; null: none. Outlives the call.
  const KeptFiles* against = nullptr;
  // How far a stage is; called now and then on the calling thread.
  std::function<void(VerifyStage stage, std::uint64_t done, std::uint64_t total)> progress;
};

// The one given, or the plain one.
const chain::ShareDigest& digest_of(const VerifyOptions& options);

// An error only when nothing can be verified at all: no such file, another chain, or one that was
// taken for a copy which nobody writes, and somebody did. A running node's can be verified: its
// chain up to the tip of the moment when this began. Needs about 250 octets of memory for each
// event. What kind of database it is, the file says.
chain::Result<VerifyReport> verify_chain(const VerifyOptions& options);

// The database in a node's data directory, or the file itself if it is one. A node has one of the
// two kinds (node/deployment.h); where there is neither, the full node's is named as missing.
std::string database_in(const std::filesystem::path& data);

}  // namespace eventchain::tools
