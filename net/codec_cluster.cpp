#include <algorithm>

#include "net/codec_fields.h"
#include "net/limits.h"
#include "net/raft_codec.h"

namespace eventchain::net {

using chain::Result;

namespace {

// ReadRound and its answer have the same fields.
template <class Round, class From>
Result<Message> decode_round(const From& from, const char* name) {
  FieldCheck check(name);
  check.require(from.term() != 0, "term", "must not be 0");
  check.require(from.round() != 0, "round", "must not be 0");
  return checked(check, Round{consensus::Term{from.term()}, from.round()});
}

// SettleAsk and its answer have the same fields.
template <class Settle, class From>
Result<Message> decode_settle(const From& from, const char* name) {
  FieldCheck check(name);
  check.require(from.term() != 0, "term", "must not be 0");
  return checked(check, Settle{consensus::Term{from.term()}, chain::Height{from.voters_since()}});
}

}  // namespace

Result<Message> decode_from(wire::Hello& from) {
  FieldCheck check("hello");
  Hello message;
  message.protocol = from.protocol();
  message.chain = check.fixed<chain::ChainId>(from.chain(), "chain");
  message.node = check.fixed<chain::NodeId>(from.node(), "node");
  message.software = std::move(*from.mutable_software());
  // Another version may lack it, and is to be told that it is another version.
  if (message.protocol >= kProtocolWithStore)
    message.store = check.fixed<chain::StoreId>(from.store(), "store");
  // Programs from before there were levels say nothing.
  message.feature_level = static_cast<std::uint16_t>(std::max(from.feature_level(), 1U));
  check.require(from.feature_level() <= 0xffff, "feature_level", "must be at most 65535");
  message.refused_at = chain::Height{from.refused_at()};
  check.require(message.protocol != 0, "protocol", "must not be 0");
  check.limit(message.software.size() <= limits::kSoftwareNameMax, "software", "is too long");
  const bool printable = std::all_of(message.software.begin(), message.software.end(),
                                     [](char c) { return c >= 0x20 && c < 0x7f; });
  check.require(printable, "software", "must be printable ASCII");
  return checked(check, std::move(message));
}

Result<Message> decode_from(wire::Raft& from) {
  Result<consensus::Envelope> envelope = decode_raft(std::move(from));
  if (!envelope) return tl::unexpected(envelope.error());
  return RaftSaid{std::move(*envelope)};
}

Result<Message> decode_from(const wire::ReadAsk& from) {
  FieldCheck check("read_ask");
  check.require(from.question() != 0, "question", "must not be 0");
  return checked(check, ReadAsk{from.question()});
}

Result<Message> decode_from(const wire::ReadTold& from) {
  FieldCheck check("read_told");
  check.require(from.question() != 0, "question", "must not be 0");
  return checked(check, ReadTold{from.question(), consensus::LogIndex{from.index()},
                                 chain::Height{from.height()}});
}

Result<Message> decode_from(const wire::ReadRound& from) {
  return decode_round<ReadRound>(from, "read_round");
}

Result<Message> decode_from(const wire::ReadRoundHeld& from) {
  return decode_round<ReadRoundHeld>(from, "read_round_held");
}

Result<Message> decode_from(const wire::OrderAsk& from) {
  FieldCheck check("order_ask");
  check.require(from.number() != 0, "number", "must not be 0");
  check.require(from.order().empty() != from.transfer_to().empty(), "order",
                "there must be an order or the next leader, and not both");
  OrderAsk message{from.number(), TransferLeadership{}};
  if (from.as_of() != 0) message.as_of = chain::Height{from.as_of() - 1};
  if (from.order().empty()) {
    message.order =
        TransferLeadership{check.fixed<chain::NodeId>(from.transfer_to(), "transfer_to")};
    return checked(check, std::move(message));
  }
  auto item = chain::decode_annex_item(from.order());
  if (!item) return chain::fail(item.error().code, "order_ask.order: " + item.error().message);
  auto* order = std::get_if<chain::MemberOrder>(&*item);
  check.require(order != nullptr, "order", "must be an order");
  if (order != nullptr) message.order = std::move(*order);
  return checked(check, std::move(message));
}

Result<Message> decode_from(const wire::OrderTold& from) {
  FieldCheck check("order_told");
  check.require(from.number() != 0, "number", "must not be 0");
  check.require(from.outcome() >= 1 && from.outcome() <= 3, "outcome", "unknown outcome");
  check.limit(from.message().size() <= limits::kOrderMessageMax, "message", "too long");
  const auto outcome = static_cast<OrderOutcome>(from.outcome());
  check.require(!from.knows_nobody() || outcome == OrderOutcome::kNotNow, "knows_nobody",
                "is no outcome but not now");
  return checked(check, OrderTold{from.number(), outcome, from.message(),
                                  chain::Height{from.height()}, from.knows_nobody()});
}

Result<Message> decode_from(const wire::Seen& from) {
  FieldCheck check("seen");
  check.require(from.term() != 0, "term", "must not be 0");
  return checked(check, Seen{check.fixed<chain::StoreId>(from.store(), "store"),
                             consensus::Term{from.term()}, consensus::LogIndex{from.index()}});
}

Result<Message> decode_from(const wire::SettleAsk& from) {
  return decode_settle<SettleAsk>(from, "settle_ask");
}

Result<Message> decode_from(const wire::SettleHeld& from) {
  return decode_settle<SettleHeld>(from, "settle_held");
}

}  // namespace eventchain::net
