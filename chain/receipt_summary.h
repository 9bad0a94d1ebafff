#pragma once

#include "chain/receipt.h"

namespace eventchain::chain {

// "n1, n2 and n3"
std::string listed(const std::vector<std::string>& names);
// Fills `proved` and `not_proved` of a report in which no step failed and whose facts are there.
void summarize(const Receipt& receipt, const ReceiptTrust& trust, ReceiptReport& report);

}  // namespace eventchain::chain
