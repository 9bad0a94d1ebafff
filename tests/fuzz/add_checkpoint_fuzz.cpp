#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "chain/log_witness.h"

// What anybody may send to a witness: it must never crash or take more than the text's size, and
// has one spelling.
namespace {

// RFC 8032, section 7.1, test 1.
const eventchain::chain::PublicKey kKey =
    *eventchain::chain::PublicKey::from(*eventchain::chain::from_hex(
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"));

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace eventchain::chain;
  const std::string_view octets(reinterpret_cast<const char*>(data), size);
  const auto request = parse_add_checkpoint(octets);
  if (!request) return 0;
  if (encode_add_checkpoint(*request) != octets) std::abort();
  if (const auto head = parse_log_head(request->checkpoint.text)) {
    const WitnessedLog log{head->origin, {{head->origin, kKey}}, 1};
    if (judge_checkpoint(log, std::nullopt, *head, *request) == WitnessVerdict::kCosign)
      std::abort();
  }
  return 0;
}
