#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "chain/block.h"
#include "chain/genesis.h"
#include "chain/log_tree.h"
#include "chain/note.h"
#include "chain/result.h"
#include "chain/work.h"
#include "tools/eventchain/body_pass.h"
#include "tools/eventchain/verified_chain.h"
#include "tools/eventchain/verify.h"

namespace eventchain::tools {

// Receipts and checkpoints that somebody kept, each of which must be of the chain that is verified.
// Who redid all work and holds all keys can make a chain that obeys every rule; what was handed
// out before is the one thing that he cannot call back. A receipt must first hold by itself, or
// anybody could write one to cast doubt on a good chain. A checkpoint is believed as its reader's
// own word; where it is a signed note, it is also told which voters signed it.
class KeptFiles {
 public:
  // Files, or directories of nothing else; of them hidden files are left out. `digest` is that of
  // the genesis' work function. What is neither receipt nor checkpoint is kept as such, for
  // judge() to name. An error names what cannot be read.
  static chain::Result<KeptFiles> load(const std::vector<std::string>& paths,
                                       const chain::Genesis& genesis,
                                       const chain::ShareDigest& digest,
                                       const std::function<void(std::uint64_t done)>& progress);

  // --- while the chain is read ---------------------------------------------------------------
  [[nodiscard]] bool asks_for_block(std::uint64_t height) const {
    return heights_.contains(height);
  }
  // Adds the roots of those sizes asked for that the log passes through with this block on top of
  // `before`.
  void find_roots(const chain::LogTree& before, const chain::BlockContent& content,
                  std::map<std::uint64_t, chain::Hash>& roots) const;
  // The same from a header alone.
  void find_root(const chain::TemplateHeader& header,
                 std::map<std::uint64_t, chain::Hash>& roots) const;

  // --- afterwards ----------------------------------------------------------------------------
  // `bodies`: null where none are kept.
  void judge(const VerifiedChain& chain, const BodyPass* bodies, VerifyReport& report) const;

 private:
  enum class Kind : std::uint8_t { kReceipt, kCheckpoint, kUnknown };
  struct SaidBlock {
    std::uint64_t height = 0;
    chain::BlockId id;
  };
  struct Item {
    std::string name;
    Kind kind = Kind::kUnknown;
    std::string fault;              // why it proves nothing by itself; empty: it holds
    std::vector<SaidBlock> blocks;  // that must be in the chain
    std::string signers;            // of a receipt, for people
    // A receipt's, of an event that has a position.
    std::optional<std::uint64_t> position;
    chain::Commitment commitment;
    // A checkpoint's.
    std::uint64_t size = 0;
    chain::Hash root;
    std::optional<chain::SignedNote> note;  // where somebody signed it
  };

  explicit KeptFiles(const chain::Genesis& genesis) : genesis_(genesis) {}
  void add(const std::filesystem::path& file, std::string_view text,
           const chain::ShareDigest& digest);
  void read_receipt(Item& item, std::string_view text, const chain::ShareDigest& digest) const;
  void read_checkpoint(Item& item, std::string_view text) const;
  [[nodiscard]] std::string signers_of(const Item& item, const VerifiedChain& chain,
                                       std::string& fault) const;
  struct Against {
    const VerifiedChain& chain;
    const BodyPass* bodies;  // null: none are kept
    bool is_live;            // a node may yet get what it lacks
  };
  [[nodiscard]] static std::string contradiction(const Item& item, const Against& against,
                                                 std::string& open);
  [[nodiscard]] static std::string contradiction_of_log(const Item& item, const Against& against,
                                                        std::string& open);

  chain::Genesis genesis_;
  std::vector<Item> items_;
  std::set<std::uint64_t> heights_;  // of blocks that are asked for
  std::set<std::uint64_t> sizes_;    // of logs whose roots are
};

}  // namespace eventchain::tools
