#pragma once

#include <utility>

#include "net/codec.h"
#include "net/field_check.h"
#include "net/wire.pb.h"

namespace eventchain::net {

// The fields of one message each, checked: sizes before anything is allocated for them, what must
// be there, and what must fit together. An error names the message and its field. Private to the
// codec; the gate before it (codec.cpp) has counted the repeated fields. What they take from a
// mutable message is moved out of it.
//
// Seams: codec_events.cpp (pending events), codec_chain.cpp (templates, shares, blocks,
// signatures), codec_cluster.cpp (hellos, Raft, reads, orders and what leads to them).

chain::Result<Message> decode_from(wire::Events& from);
chain::Result<Message> decode_from(wire::EventsSubmit& from);
chain::Result<Message> decode_from(const wire::EventsSettled& from);
chain::Result<Message> decode_from(const wire::EventsHeld& from);
chain::Result<Message> decode_from(const wire::EventsAnnounce& from);
chain::Result<Message> decode_from(const wire::EventsRequest& from);

chain::Result<Message> decode_from(const wire::TemplatePush& from);
chain::Result<Message> decode_from(const wire::TemplateRequest& from);
chain::Result<Message> decode_from(const wire::SharePush& from);
chain::Result<Message> decode_from(const wire::TipSaid& from);
chain::Result<Message> decode_from(const wire::BlocksRequest& from);
chain::Result<Message> decode_from(const wire::BlocksReply& from);
chain::Result<Message> decode_from(const wire::Signatures& from);
chain::Result<Message> decode_from(const wire::HeadersRequest& from);
chain::Result<Message> decode_from(const wire::HeadersReply& from);
chain::Result<Message> decode_from(const wire::TemplateHeaderPush& from);

chain::Result<Message> decode_from(wire::Hello& from);
chain::Result<Message> decode_from(wire::Raft& from);
chain::Result<Message> decode_from(const wire::ReadAsk& from);
chain::Result<Message> decode_from(const wire::ReadRound& from);
chain::Result<Message> decode_from(const wire::ReadRoundHeld& from);
chain::Result<Message> decode_from(const wire::ReadTold& from);
chain::Result<Message> decode_from(const wire::OrderAsk& from);
chain::Result<Message> decode_from(const wire::OrderTold& from);
chain::Result<Message> decode_from(const wire::SettleAsk& from);
chain::Result<Message> decode_from(const wire::SettleHeld& from);
chain::Result<Message> decode_from(const wire::Seen& from);

// The message, or the first of its fields that does not hold.
template <class T>
chain::Result<Message> checked(FieldCheck& check, T message) {
  if (!check.ok()) return tl::unexpected(check.take_error());
  return Message(std::move(message));
}

}  // namespace eventchain::net
