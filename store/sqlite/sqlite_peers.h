#pragma once

#include <vector>

#include "store/peer_memory.h"
#include "store/sqlite/turn.h"

namespace eventchain::store {

// What SqliteStore remembers of peers: see there for lifecycle and threading.
class SqlitePeers : public PeerMemory {
 public:
  explicit SqlitePeers(SqliteTurn& turn)
      : turn_(turn),
        select_(turn.database(), "SELECT node, store, term, log_index FROM peer_seen"),
        replace_(turn.database(), "INSERT OR REPLACE INTO peer_seen VALUES (?, ?, ?, ?)") {}

  std::vector<PeerSeen> load() override {
    turn_.before_read();
    std::vector<PeerSeen> all;
    Statement::Rows rows = select_.query();
    while (rows.next())
      all.push_back({rows.fixed<chain::NodeId>(0), rows.fixed<chain::StoreId>(1),
                     consensus::Term{rows.number(2)}, consensus::LogIndex{rows.number(3)}});
    return all;
  }
  void save(const PeerSeen& seen) override {
    turn_.before_write();
    replace_.run(seen.node, seen.store, seen.term.value, seen.index.value);
  }

 private:
  SqliteTurn& turn_;
  Statement select_;
  Statement replace_;
};

}  // namespace eventchain::store
