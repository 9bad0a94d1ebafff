#pragma once

#include "tests/sim/network.h"
#include "tests/sim/node_host.h"

namespace eventchain::sim {

struct ClusterOptions {
  std::uint64_t seed = 1;
  std::size_t nodes = 3;    // voters of genesis
  std::size_t joiners = 0;  // hosts beyond them, whose nodes run once they are admitted
  bool has_liar = false;    // one more host, the last, which others must stand (liar.h)
  // All but the members, which are made here.
  std::uint16_t share_count = 4;
  std::uint32_t interval_ms = 500;
  std::uint32_t heartbeat_ms = 3000;
  std::uint32_t block_events_max = 65'536;
  std::uint32_t event_bytes_max = 1024 * 1024;
  std::uint32_t block_bytes_max = 64 * 1024 * 1024;
  std::uint64_t hashes_per_share = 16;  // at the start
  std::uint64_t hashes_per_share_min = 2;
  // The highest feature level of a program. Above 1 the hosts begin with programs of mixed levels,
  // and some get a newer one while they are down.
  std::uint16_t newest_program = 1;
  bool records_nonces = false;  // miners search as real ones do, and what they hash is recorded
  bool is_sparse = false;       // linked as net/peer_book.h has it, else all to all
  std::size_t sites = 0;        // that the hosts stand at in turn; 0: nobody says where
  node::CoreOptions core;       // self and genesis are filled in
  Network::Options network;
  Disk::Options disk;
  std::int64_t drift_permille_max = 0;
  std::int64_t skew_ms_max = 0;
};

// What is asked of the hash rate so that the first targets fit the interval when the voters of
// genesis mine; of each node.
std::uint64_t hash_rate(const ClusterOptions& options);

}  // namespace eventchain::sim
