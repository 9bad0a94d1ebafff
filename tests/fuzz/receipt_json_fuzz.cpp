// Any octets as a receipt: never a crash, neither in reading nor in judging it, and what is taken
// is written in one spelling.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "node/api/receipt_json.h"

namespace {

using namespace eventchain;

void demand(bool condition) {
  if (!condition) std::abort();
}

// Of whatever chain the receipt claims to be, it is not this one; so the headers are relabelled, or
// nothing behind the first step would ever be reached.
void relabel(chain::Receipt& receipt, const chain::ChainId& chain) {
  receipt.chain = chain;
  receipt.block.header.chain = chain;
  if (receipt.newer) receipt.newer->sealed.header.chain = chain;
  for (chain::VoterStep& step : receipt.voters) step.sealed.header.chain = chain;
}

chain::Genesis any_genesis() {
  chain::Genesis genesis;
  genesis.name = "fuzz";
  genesis.trust_domain = "example.org";
  genesis.share_count = 3;
  genesis.first_target.bits = 0x200fffff;
  genesis.easiest_target = genesis.first_target;
  return genesis;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* octets, std::size_t size) {
  static const chain::Genesis genesis = any_genesis();
  const std::string_view text(reinterpret_cast<const char*>(octets), size);
  auto receipt = node::api::parse_receipt(text);
  if (!receipt) return 0;
  const auto written = node::api::format_receipt(*receipt);
  if (!written) return 0;
  const auto again = node::api::parse_receipt(*written);
  demand(again.has_value());
  demand(node::api::format_receipt(*again).value() == *written);
  relabel(*receipt, chain::chain_id(genesis));
  demand(!chain::verify_receipt(*receipt, {genesis, nullptr, std::nullopt}).is_proved());
  return 0;
}
