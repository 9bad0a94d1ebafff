// Any octets as a single event and as a batch: never a crash, and what is taken survives the way
// through the canonical body and out again.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "node/api/cloudevent_json.h"

namespace {

using namespace eventchain;

void demand(bool condition) {
  if (!condition) std::abort();
}

chain::Result<void> round_trip(const chain::Event& event) {
  const auto held = chain::hold_event({}, chain::encode_body(event), {});
  if (!held) return tl::unexpected<chain::Error>(held.error());
  node::api::JsonText out;
  node::api::append_event(out, event);
  bool was_read = false;
  const auto again = node::api::parse_event(out.take(), {}, [&](const chain::Event& parsed) {
    demand(parsed == event);
    was_read = true;
    return chain::Result<void>();
  });
  // What can be held can be read again.
  demand(again.has_value() && was_read);
  return {};
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* octets, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(octets), size);
  (void)node::api::parse_event(text, {}, round_trip).has_value();
  (void)node::api::parse_batch(text, {}, round_trip).has_value();
  return 0;
}
