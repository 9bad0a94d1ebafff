#include <fmt/format.h>

#include <algorithm>

#include "node/api/cloudevent_json.h"
#include "node/api/follower.h"
#include "node/api/handlers.h"
#include "node/api/outcome_json.h"
#include "node/api/placed_json.h"

namespace eventchain::node::api {

using chain::Result;

namespace {

constexpr std::size_t kListDefault = 100;
constexpr std::size_t kListMax = 1000;
// Events may be a megabyte each: a listing ends early rather than fill the memory. `next` tells.
constexpr std::size_t kListOctetsMax = std::size_t{8} * 1024 * 1024;
constexpr std::size_t kSlice = 32;

// What is known of a key: what a block said of it, or else the event that waits for its block.
struct Standing {
  store::EventLookup settled;
  std::optional<PendingLookup> pending;

  [[nodiscard]] bool is_known() const {
    return pending || settled.state != store::EventLookup::State::kUnknown;
  }
  [[nodiscard]] const chain::HeldEvent* event() const {
    if (pending) return &pending->event;
    return settled.event ? &*settled.event : nullptr;
  }
};

void answer_lookup(const CallPtr& call, const chain::EventKey& key, bool with_event,
                   const Standing& standing) {
  if (!standing.is_known())
    return call->answer(Problem::kNotFound, "no event with this key has reached this node");
  JsonText document;
  document.open_object().text("key", to_hex(key));
  if (standing.pending)
    append_pending(document, standing.pending->stage);
  else
    append_settled(document, standing.settled, finality_of(*call->context));
  if (with_event && standing.event() != nullptr) {
    const auto event = chain::decode_body(standing.event()->body);
    if (!event) return call->answer(Problem::kCorrupt, event.error().message);
    document.key("event");
    append_event(document, *event);
  }
  call->answer_json(200, std::move(document.close_object()));
}

// nullopt after having answered.
std::optional<store::EventLookup> read_settled(const CallPtr& call, const chain::EventKey& key) {
  auto lookup = call->context->reader.event(key);
  if (lookup) return std::move(*lookup);
  call->answer(problem_response(lookup.error()));
  return std::nullopt;
}

void look_up(const CallPtr& call, const chain::EventKey& key, bool with_event) {
  auto settled = read_settled(call, key);
  if (!settled) return;
  if (settled->state == store::EventLookup::State::kCompleted)
    return answer_lookup(call, key, with_event, {std::move(*settled), std::nullopt});
  call->context->port.ask_pending(
      key, [call, key, with_event](std::optional<PendingLookup> pending) {
        call->later([call, key, with_event, pending = std::move(pending)] {
          if (pending) return answer_lookup(call, key, with_event, {{}, pending});
          // Read again: a block may have settled it between the two questions.
          if (auto now = read_settled(call, key))
            answer_lookup(call, key, with_event, {std::move(*now), std::nullopt});
        });
      });
}

// Events of a listing, read in slices. `next` is where the next listing goes on.
struct Listing {
  JsonText document;
  std::size_t events = 0;
  std::uint64_t next = 0;
};

template <class Read, class PlaceOf>
Result<void> list_events(Listing& listing, const Range& range, Read read, PlaceOf place_of) {
  listing.next = range.from;
  listing.document.key("events").open_array();
  while (listing.events < range.limit && listing.document.size() < kListOctetsMax) {
    const std::size_t wanted = std::min(kSlice, range.limit - listing.events);
    Result<std::vector<store::PlacedEvent>> slice = read(listing.next, wanted);
    if (!slice) return tl::unexpected<chain::Error>(std::move(slice.error()));
    for (const store::PlacedEvent& placed : *slice) {
      if (auto done = append_placed(listing.document, placed); !done) return done;
      listing.next = place_of(placed) + 1;
      ++listing.events;
      if (listing.document.size() >= kListOctetsMax) break;
    }
    if (slice->size() < wanted) break;
  }
  listing.document.close_array();
  return {};
}

bool wants_event_stream(const Call& call) {
  return call.request.header("accept").find("text/event-stream") != std::string_view::npos;
}

}  // namespace

void find_event(const CallPtr& call) {
  const auto source = call->parameter("source");
  const auto id = call->parameter("id");
  if (!source || !id || source->empty() || id->empty())
    return call->answer(Problem::kMalformedRequest,
                        "query parameters 'source' and 'id' are both needed");
  look_up(call, chain::event_key(*source, *id), true);
}

void get_event(const CallPtr& call) {
  if (const auto key = event_key_of(call)) look_up(call, *key, true);
}

void get_event_status(const CallPtr& call) {
  if (const auto key = event_key_of(call)) look_up(call, *key, false);
}

void get_stream(const CallPtr& call) {
  const auto range = parse_range(*call, kListDefault, kListMax);
  if (!range) return call->answer(Problem::kMalformedRequest, range.error().message);
  const chain::StreamKey stream = chain::stream_key(call->path[0]);
  store::ChainReader& reader = call->context->reader;
  Listing listing;
  listing.document.open_object()
      .text("stream", call->path[0])
      .number("version", reader.stream_version(stream).value);
  const auto done = list_events(
      listing, *range,
      [&](std::uint64_t from, std::size_t limit) {
        return reader.stream(stream, chain::StreamVersion{static_cast<std::int64_t>(from)}, limit);
      },
      [](const store::PlacedEvent& placed) {
        return static_cast<std::uint64_t>(placed.version.value);
      });
  if (!done) return call->answer(problem_response(done.error()));
  listing.document.number("next", static_cast<std::int64_t>(listing.next)).close_object();
  call->answer_json(200, std::move(listing.document));
}

void get_log(const CallPtr& call) {
  auto range = parse_range(*call, kListDefault, kListMax);
  if (!range) return call->answer(Problem::kMalformedRequest, range.error().message);
  if (wants_event_stream(*call)) {
    // A browser that reconnects names the last position it saw.
    if (const auto last = call->request.find("last-event-id")) {
      const auto position = parse_number(*last);
      if (!position)
        return call->answer(Problem::kMalformedRequest, "header Last-Event-ID is no position");
      range->from = *position + 1;
    }
    return follow_log(call, range->from);
  }
  Listing listing;
  listing.document.open_object();
  const auto done = list_events(
      listing, *range,
      [&](std::uint64_t from, std::size_t limit) {
        return call->context->reader.log(chain::Position{from}, limit);
      },
      [](const store::PlacedEvent& placed) { return placed.position.value; });
  if (!done) return call->answer(problem_response(done.error()));
  listing.document.big("next", listing.next)
      .big("log_size", call->context->log_size.load())
      .close_object();
  call->answer_json(200, std::move(listing.document));
}

}  // namespace eventchain::node::api
