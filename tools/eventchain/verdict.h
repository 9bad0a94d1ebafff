#pragma once

#include <boost/json.hpp>
#include <string>
#include <vector>

#include "chain/receipt.h"

namespace eventchain::tools {

// What every verdict has, whether of a receipt, of a work proof or of evidence: the steps that were
// taken, and sentences on what they prove and what not. Pure.
struct Verdict {
  const std::vector<chain::ReceiptStep>& steps;
  const std::vector<std::string>& proved;
  const std::vector<std::string>& not_proved;
  const chain::ReceiptStep* failed;  // null: none
};
// Of any of the reports; it outlives the verdict.
template <class Report>
Verdict verdict_of_report(const Report& report) {
  return {report.steps, report.proved, report.not_proved, report.failed()};
}

// A line for each step; names are filled up to so many columns.
std::string steps_text(const Verdict& verdict, std::size_t name_width);
std::string failure_text(const std::string& heading, const chain::ReceiptStep& failed);
std::string sentences_text(const Verdict& verdict);

boost::json::array sentences_json(const std::vector<std::string>& sentences);
// `facts`: null if there are none.
boost::json::object verdict_json(const Verdict& verdict, bool is_proved, boost::json::value facts);

}  // namespace eventchain::tools
