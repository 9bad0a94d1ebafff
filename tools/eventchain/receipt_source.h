#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "chain/result.h"
#include "chain/types.h"
#include "tools/eventchain/session.h"

namespace eventchain::tools {

struct ReceiptChoice {
  std::string data;     // a node's data directory; empty: ask the session's endpoints
  std::string genesis;  // of that
  bool newest = false;  // end with the newest certificate
  std::optional<std::uint64_t> log_size{};  // with a path to the log of that size
};

// Where receipts come from: a cluster, or a database. What cannot be answered at all stops the
// command. One thread.
class ReceiptSource {
 public:
  virtual ~ReceiptSource() = default;
  // The receipts of these events, in their order. kUnavailable: there is none yet, and the message
  // says why.
  virtual std::vector<chain::Result<std::string>> receipts(
      const std::vector<chain::EventKey>& keys) = 0;
  // Keys of a stream's events from version `from` on, of the log's from position `from` on; empty
  // at its end.
  virtual std::vector<chain::EventKey> stream(const std::string& name, std::uint64_t from) = 0;
  virtual std::vector<chain::EventKey> log(std::uint64_t from) = 0;
  virtual std::uint64_t log_size() = 0;
};

std::unique_ptr<ReceiptSource> open_receipt_source(const Session& session,
                                                   const ReceiptChoice& choice);

bool is_event_key(const std::string& text);
// Stops the command where it is none.
chain::EventKey event_key_from(const std::string& text);

}  // namespace eventchain::tools
