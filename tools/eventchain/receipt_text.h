#pragma once

#include <boost/json.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "chain/receipt.h"
#include "chain/result.h"

// Receipts between files, people and programs.
namespace eventchain::tools {

// What came of one file.
struct ReceiptVerdict {
  chain::ReceiptReport report;
  // False: a checkpoint was given, and nothing in the files leads to it.
  bool is_whole = true;
};

// A file that is no receipt is a report whose only step, "format", failed.
ReceiptVerdict judge_receipt(std::string_view text, const chain::ReceiptTrust& trust);

// For a body in a receipt while no genesis file is at hand: whatever a receipt can hold.
chain::EventLimits shown_limits();

// What a file claims, by name, unchecked; nothing in it is believed. An error if it is no receipt.
using Claims = std::vector<std::pair<std::string, std::string>>;
chain::Result<Claims> claims_of(std::string_view text);

// For people. `with_steps`: every step, and not the verdict alone.
std::string verdict_text(const ReceiptVerdict& verdict, bool with_steps);
boost::json::object verdict_json(const ReceiptVerdict& verdict);

}  // namespace eventchain::tools
