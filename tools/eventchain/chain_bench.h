#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>

#include "chain/result.h"

// How fast this machine verifies chains, and makes receipts of them. All times are processor time
// of this process, so that a busy machine does not distort them.
namespace eventchain::tools {

// A data directory with a made-up chain of that many small events in blocks of 1,000, signed by
// three voters, and its genesis.json. What is there already is kept, whatever it holds. `progress`
// is called with the events that are done.
chain::Result<void> make_bench_chain(const std::filesystem::path& directory, std::uint64_t events,
                                     const std::function<void(std::uint64_t)>& progress);

struct VerifyBench {
  std::uint64_t events = 0;
  std::uint64_t blocks = 0;
  std::uint64_t octets = 0;    // of salts and bodies
  double seconds = 0;          // for all of it, with one thread
  double raw_octets_each = 0;  // octets/s of SHA-256 in one long message
  // What one event makes SHA-256 compress, with paddings, tree and lists: octets.
  double hashed_octets_each = 0;
  std::uint64_t findings = 0;
};
chain::Result<VerifyBench> bench_verify(const std::filesystem::path& directory);

struct ReceiptBench {
  std::uint64_t events = 0;    // in the log
  std::uint64_t receipts = 0;  // made, spread over the log
  double octets_each = 0;
  double make_seconds_each = 0;    // verified once before it is handed out
  double verify_seconds_each = 0;  // from the file's text on
};
// `newest`: with the newest certificate instead of the first.
chain::Result<ReceiptBench> bench_receipts(const std::filesystem::path& directory,
                                           std::uint64_t receipts, bool newest);

}  // namespace eventchain::tools
