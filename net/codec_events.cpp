#include "net/codec_fields.h"
#include "net/limits.h"

namespace eventchain::net {

using chain::Bytes;
using chain::ByteView;
using chain::EntryRef;
using chain::Result;

namespace {

constexpr std::size_t kRefBytes = chain::EventKey::kSize + chain::Commitment::kSize;

std::vector<EntryRef> unpack_refs(const Bytes& packed, FieldCheck& check) {
  std::vector<EntryRef> entries;
  check.require(packed.size() % kRefBytes == 0, "entries", "must be 48 octets each");
  check.limit(packed.size() / kRefBytes <= limits::kRefsCountMax, "entries", "too many");
  if (!check.ok()) return entries;
  entries.reserve(packed.size() / kRefBytes);
  for (ByteView rest = packed; !rest.empty(); rest.remove_prefix(kRefBytes)) {
    entries.push_back(
        {check.fixed<chain::EventKey>(rest.substr(0, chain::EventKey::kSize), "key"),
         check.fixed<chain::Commitment>(
             rest.substr(chain::EventKey::kSize, chain::Commitment::kSize), "commitment")});
  }
  return entries;
}

std::vector<chain::ShortId> unpack_ids(const Bytes& packed, FieldCheck& check) {
  constexpr std::size_t kSize = chain::ShortId::kSize;
  std::vector<chain::ShortId> ids;
  check.require(packed.size() % kSize == 0, "ids", "must be 8 octets each");
  check.limit(packed.size() / kSize <= limits::kShortIdsCountMax, "ids", "too many");
  if (!check.ok()) return ids;
  ids.reserve(packed.size() / kSize);
  for (ByteView rest = packed; !rest.empty(); rest.remove_prefix(kSize))
    ids.push_back(check.fixed<chain::ShortId>(rest.substr(0, kSize), "ids"));
  return ids;
}

// Of Events and EventsSubmit.
template <class From>
std::vector<RawEvent> take_events(From& from, FieldCheck& check) {
  std::vector<RawEvent> events;
  events.reserve(static_cast<std::size_t>(from.events_size()));
  std::size_t bytes = 0;
  for (wire::Event& item : *from.mutable_events()) {
    check.require(!item.body().empty(), "body", "must not be empty");
    bytes += item.body().size();
    events.push_back(
        {check.fixed<chain::Salt>(item.salt(), "salt"), std::move(*item.mutable_body())});
  }
  check.limit(bytes <= limits::kEventsBytesMax, "events", "the bodies are too large together");
  return events;
}

}  // namespace

Result<Message> decode_from(wire::Events& from) {
  FieldCheck check("events");
  return checked(check, Events{from.batch(), take_events(from, check)});
}

Result<Message> decode_from(wire::EventsSubmit& from) {
  FieldCheck check("events_submit");
  check.require(from.batch() != 0, "batch", "must not be 0");
  check.require(from.events_size() != 0, "events", "must not be empty");
  return checked(check, EventsSubmit{from.batch(), take_events(from, check)});
}

Result<Message> decode_from(const wire::EventsSettled& from) {
  FieldCheck check("events_settled");
  EventsSettled message;
  message.batch = from.batch();
  check.require(from.batch() != 0, "batch", "must not be 0");
  check.limit(from.results().size() <= limits::kEventsCountMax, "results", "too many");
  message.results.reserve(check.ok() ? from.results().size() : 0);
  for (const char octet : from.results()) {
    if (!check.ok()) break;
    check.require(static_cast<std::uint8_t>(octet) <= 3, "results", "unknown result");
    message.results.push_back(static_cast<SettleResult>(octet));
  }
  return checked(check, std::move(message));
}

Result<Message> decode_from(const wire::EventsHeld& from) {
  FieldCheck check("events_held");
  EventsHeld message;
  message.batch = from.batch();
  message.voters_since.value = from.voters_since();
  check.require(from.batch() != 0, "batch", "must not be 0");
  check.limit(from.results().size() <= limits::kEventsCountMax, "results", "too many");
  message.results.reserve(check.ok() ? from.results().size() : 0);
  for (const char octet : from.results()) {
    if (!check.ok()) break;
    check.require(octet >= 1 && octet <= 3, "results", "unknown result");
    message.results.push_back(static_cast<HoldResult>(octet));
  }
  return checked(check, std::move(message));
}

Result<Message> decode_from(const wire::EventsAnnounce& from) {
  FieldCheck check("events_announce");
  auto entries = unpack_refs(from.entries(), check);
  return checked(check, EventsAnnounce{std::move(entries), unpack_ids(from.ids(), check)});
}

Result<Message> decode_from(const wire::EventsRequest& from) {
  FieldCheck check("events_request");
  auto entries = unpack_refs(from.entries(), check);
  return checked(check, EventsRequest{std::move(entries), unpack_ids(from.ids(), check)});
}

}  // namespace eventchain::net
