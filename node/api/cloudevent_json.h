#pragma once

#include <cstddef>
#include <functional>
#include <string_view>

#include "chain/event.h"
#include "chain/result.h"
#include "node/api/json_text.h"

// CloudEvents' JSON format 1.0.2, strictly: text that two readers could read differently is
// refused. UTF-8, at most 32 levels deep, no member name twice at any depth, no number beyond a
// double, attributes only as string, boolean or 32-bit integer (null: absent). `data` is kept byte
// for byte as it was sent.
//
// Errors: kMalformed (no such JSON), kInvalid (an event breaks a rule), kTooLarge. They name the
// event's place in a batch, the attribute and the remedy.
namespace eventchain::node::api {

inline constexpr std::size_t kJsonDepthMax = 32;
inline constexpr std::size_t kBatchEventsMax = 10'000;

// Takes one parsed event; an error ends the parse. The event is reused for the next one.
using EventSink = std::function<chain::Result<void>(const chain::Event&)>;

// Shape only: chain::hold_event() checks the attributes' values. What encode_body() relies on
// (names and number of attributes) is checked here.
chain::Result<void> parse_event(std::string_view json, const chain::EventLimits& limits,
                                const EventSink& sink);
// A JSON array of 1 to kBatchEventsMax events; returns their number.
chain::Result<std::size_t> parse_batch(std::string_view json, const chain::EventLimits& limits,
                                       const EventSink& sink);
// Any one JSON text under the same rules, as data of an event in binary mode.
chain::Result<void> check_json(std::string_view json);

// The structured form, with data as it came in.
void append_event(JsonText& out, const chain::Event& event);

}  // namespace eventchain::node::api
