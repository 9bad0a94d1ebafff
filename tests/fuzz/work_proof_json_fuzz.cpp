// Any octets as a work proof: never a crash, neither in reading nor in judging it, and what is
// taken is written in one spelling.
#include <cstdint>
#include <cstdlib>
#include <string_view>
#include <vector>

#include "node/api/work_proof_json.h"

namespace {

using namespace eventchain;

void demand(bool condition) {
  if (!condition) std::abort();
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
  const auto proof = node::api::parse_work_proof(text);
  if (!proof) return 0;
  const auto written = node::api::format_work_proof(*proof);
  if (!written) return 0;
  const auto again = node::api::parse_work_proof(*written);
  demand(again.has_value());
  demand(node::api::format_work_proof(*again).value() == *written);
  demand(!chain::verify_work_proof(*proof, {genesis, nullptr, proof->sampling}).is_proved());
  // Nobody signed such a head; the parts behind that step are looked at by themselves.
  std::vector<chain::ShownLeaf> shown;
  for (const chain::SealedHeader& sealed : proof->blocks)
    shown.push_back({sealed.header.height,
                     chain::history_leaf(chain::block_id(sealed), chain::block_work(sealed.header),
                                         sealed.header.time, sealed.seal.sealed_at)});
  const auto folded =
      chain::fold_history(shown, proof->head.block.header.height.value, proof->nodes);
  if (folded && chain::check_sampling(proof->sampling))
    chain::sample_task(proof->sampling, proof->head.block, folded->top.work, chain::U256(1));
  return 0;
}
