#include "node/api/placed_json.h"

#include "node/api/cloudevent_json.h"

namespace eventchain::node::api {

chain::Result<void> append_placed(JsonText& out, const store::PlacedEvent& placed) {
  const auto event = chain::decode_body(placed.event.body);
  if (!event) return chain::fail(chain::ErrorCode::kCorrupt, event.error().message);
  out.open_object()
      .text("key", to_hex(placed.event.facts.key))
      .big("position", placed.position.value)
      .number("version", placed.version.value)
      .big("height", placed.height.value)
      .key("event");
  append_event(out, *event);
  out.close_object();
  return {};
}

}  // namespace eventchain::node::api
