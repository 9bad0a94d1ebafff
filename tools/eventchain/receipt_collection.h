#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "chain/types.h"
#include "tools/eventchain/receipt_source.h"

namespace eventchain::tools {

// Gets receipts of many events and keeps them. Nothing that a source says of them is believed: each
// must be of the event that it was asked for, and where it was asked for by its position, lead from
// that position to the log's root. What else it proves is for `receipt verify`, by a genesis file.
//
// What cannot be had at all stops the command; so does a receipt of something else, as tampering.
class ReceiptCollection {
 public:
  // `out`: a file where `is_one`, a directory otherwise; empty: standard output, a line each.
  ReceiptCollection(ReceiptSource& source, std::string out, bool is_one);

  void get(const chain::EventKey& key);
  void get_stream(const std::string& name);
  // Positions, both of them too; the log's first and last where they are not given. Whole receipts
  // of these positions that an earlier run has left are not touched. A page at a time, so that any
  // range needs the same memory.
  struct Range {
    std::optional<std::uint64_t> first, last;
  };
  void get_range(const Range& range);

  // Events of which there is no receipt yet; each was named on standard error.
  [[nodiscard]] std::uint64_t missing() const { return missing_; }

 private:
  struct Wanted {
    chain::EventKey key;
    std::optional<std::uint64_t> position{};
  };
  void get(const std::vector<Wanted>& some);
  void write(const chain::EventKey& key, const std::string& receipt) const;
  [[nodiscard]] bool has(const Wanted& wanted) const;
  [[nodiscard]] std::filesystem::path file_of(const chain::EventKey& key) const;

  ReceiptSource& source_;
  const std::string out_;
  const bool is_one_;
  std::uint64_t missing_ = 0;
};

}  // namespace eventchain::tools
