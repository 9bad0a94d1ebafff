#include <algorithm>
#include <utility>

#include "net/codec.h"
#include "net/limits.h"
#include "net/raft_codec.h"
#include "net/wire.pb.h"

namespace eventchain::net {

using chain::Bytes;
using chain::EntryRef;

namespace {

Bytes pack_refs(const std::vector<EntryRef>& entries) {
  Bytes packed;
  packed.reserve(entries.size() * sizeof(EntryRef));
  for (const EntryRef& entry : entries)
    packed.append(entry.key.view()).append(entry.commitment.view());
  return packed;
}

Bytes pack_ids(const std::vector<chain::ShortId>& ids) {
  Bytes packed;
  packed.reserve(ids.size() * chain::ShortId::kSize);
  for (const chain::ShortId& id : ids) packed.append(id.view());
  return packed;
}

Bytes pack_signatures(const chain::Certificate& signatures) {
  Bytes packed;
  packed.reserve(signatures.size() * (2 + chain::Signature::kSize));
  for (const chain::SlotSignature& one : signatures) {
    packed.push_back(static_cast<char>(one.slot.value >> 8));
    packed.push_back(static_cast<char>(one.slot.value));
    packed.append(one.signature.view());
  }
  return packed;
}

void encode_into(const Hello& from, wire::Frame& frame) {
  wire::Hello& into = *frame.mutable_hello();
  into.set_protocol(from.protocol);
  into.set_chain(Bytes(from.chain.view()));
  into.set_node(Bytes(from.node.view()));
  into.set_software(from.software);
  into.set_store(Bytes(from.store.view()));
  if (from.feature_level > 1) into.set_feature_level(from.feature_level);
  into.set_refused_at(from.refused_at.value);
}

void encode_into(const RaftSaid& from, wire::Frame& frame) {
  encode_raft(from.envelope, *frame.mutable_raft());
}

// Of Events and EventsSubmit.
template <class Into>
void put_events(const std::vector<RawEvent>& events, Into& into) {
  into.mutable_events()->Reserve(static_cast<int>(events.size()));
  for (const RawEvent& event : events) {
    wire::Event& item = *into.add_events();
    item.set_salt(Bytes(event.salt.view()));
    item.set_body(event.body);
  }
}

void encode_into(const Events& from, wire::Frame& frame) {
  frame.mutable_events()->set_batch(from.batch);
  put_events(from.events, *frame.mutable_events());
}

void encode_into(const EventsSubmit& from, wire::Frame& frame) {
  frame.mutable_events_submit()->set_batch(from.batch);
  put_events(from.events, *frame.mutable_events_submit());
}

void encode_into(const EventsSettled& from, wire::Frame& frame) {
  wire::EventsSettled& into = *frame.mutable_events_settled();
  into.set_batch(from.batch);
  Bytes& results = *into.mutable_results();
  results.reserve(from.results.size());
  for (const SettleResult result : from.results) results.push_back(static_cast<char>(result));
}

void encode_into(const EventsHeld& from, wire::Frame& frame) {
  wire::EventsHeld& into = *frame.mutable_events_held();
  into.set_batch(from.batch);
  into.set_voters_since(from.voters_since.value);
  Bytes& results = *into.mutable_results();
  results.reserve(from.results.size());
  for (const HoldResult result : from.results) results.push_back(static_cast<char>(result));
}

void encode_into(const EventsAnnounce& from, wire::Frame& frame) {
  frame.mutable_events_announce()->set_entries(pack_refs(from.entries));
  frame.mutable_events_announce()->set_ids(pack_ids(from.ids));
}

void encode_into(const EventsRequest& from, wire::Frame& frame) {
  frame.mutable_events_request()->set_entries(pack_refs(from.entries));
  frame.mutable_events_request()->set_ids(pack_ids(from.ids));
}

void encode_into(const TemplatePush& from, wire::Frame& frame) {
  wire::TemplatePush& into = *frame.mutable_template_push();
  into.set_header(chain::encode_header(from.made.header));
  into.set_content(chain::encode_content(from.made.content));
}

void encode_into(const TemplateRequest& from, wire::Frame& frame) {
  wire::TemplateRequest& into = *frame.mutable_template_request();
  into.set_hash(Bytes(from.hash.view()));
  into.set_height(from.height.value);
}

void encode_into(const SharePush& from, wire::Frame& frame) {
  wire::SharePush& into = *frame.mutable_share_push();
  into.set_template_hash(Bytes(from.template_hash.view()));
  into.set_nonce_high(from.nonce.high);
  into.set_nonce_low(from.nonce.low);
}

void encode_into(const TipSaid& from, wire::Frame& frame) {
  wire::TipSaid& into = *frame.mutable_tip_said();
  into.set_height(from.height.value);
  into.set_id(Bytes(from.id.view()));
  into.set_term(from.term.value);
  if (from.leader) into.set_leader(Bytes(from.leader->view()));
  if (from.age)
    into.set_age(1 + static_cast<std::uint64_t>(std::min(*from.age, limits::kTipAgeMax).count()));
  if (from.clock) {
    wire::Clock& clock = *into.mutable_clock();
    clock.set_wall(from.clock->wall.value);
    clock.set_mark(static_cast<std::uint64_t>(from.clock->mark.count()));
    clock.set_echo(static_cast<std::uint64_t>(from.clock->echo.count()));
    clock.set_echo_held(static_cast<std::uint32_t>(from.clock->echo_held.count()));
  }
}

void encode_into(const BlocksRequest& from, wire::Frame& frame) {
  wire::BlocksRequest& into = *frame.mutable_blocks_request();
  into.set_from(from.from.value);
  into.set_count(from.count);
}

void encode_into(const BlocksReply& from, wire::Frame& frame) {
  wire::BlocksReply& into = *frame.mutable_blocks_reply();
  into.set_from(from.from.value);
  for (const chain::Block& block : from.blocks) {
    wire::Block& item = *into.add_blocks();
    item.set_header(chain::encode_header(block.sealed.header));
    item.set_seal(chain::encode_seal(block.sealed.seal));
    item.set_content(chain::encode_content(block.content));
  }
  into.set_certificate(pack_signatures(from.certificate));
}

void encode_into(const HeadersRequest& from, wire::Frame& frame) {
  wire::HeadersRequest& into = *frame.mutable_headers_request();
  into.set_from(from.from.value);
  into.set_count(from.count);
}

void encode_into(const HeadersReply& from, wire::Frame& frame) {
  wire::HeadersReply& into = *frame.mutable_headers_reply();
  into.set_from(from.from.value);
  for (const chain::LightBlock& block : from.blocks) {
    wire::LightBlock& item = *into.add_blocks();
    item.set_header(chain::encode_header(block.sealed.header));
    item.set_seal(chain::encode_seal(block.sealed.seal));
    if (!block.annex.empty()) item.set_annex(chain::encode_content({{}, block.annex}));
  }
  into.set_certificate(pack_signatures(from.certificate));
}

void encode_into(const TemplateHeaderPush& from, wire::Frame& frame) {
  frame.mutable_template_header_push()->set_header(chain::encode_header(from.header));
}

void encode_into(const ReadAsk& from, wire::Frame& frame) {
  frame.mutable_read_ask()->set_question(from.question);
}

void encode_into(const ReadRound& from, wire::Frame& frame) {
  wire::ReadRound& into = *frame.mutable_read_round();
  into.set_term(from.term.value);
  into.set_round(from.round);
}

void encode_into(const ReadRoundHeld& from, wire::Frame& frame) {
  wire::ReadRoundHeld& into = *frame.mutable_read_round_held();
  into.set_term(from.term.value);
  into.set_round(from.round);
}

void encode_into(const ReadTold& from, wire::Frame& frame) {
  wire::ReadTold& into = *frame.mutable_read_told();
  into.set_question(from.question);
  into.set_index(from.index.value);
  into.set_height(from.height.value);
}

void encode_into(const Signatures& from, wire::Frame& frame) {
  wire::Signatures& into = *frame.mutable_signatures();
  into.set_height(from.height.value);
  into.set_block(Bytes(from.block.view()));
  into.set_packed(pack_signatures(from.signatures));
}

void encode_into(const OrderAsk& from, wire::Frame& frame) {
  wire::OrderAsk& into = *frame.mutable_order_ask();
  into.set_number(from.number);
  if (const auto* order = std::get_if<chain::MemberOrder>(&from.order)) {
    into.set_order(chain::encode_annex_item(*order));
  } else {
    into.set_transfer_to(Bytes(std::get<TransferLeadership>(from.order).to.view()));
  }
  if (from.as_of) into.set_as_of(from.as_of->next().value);
}

void encode_into(const OrderTold& from, wire::Frame& frame) {
  wire::OrderTold& into = *frame.mutable_order_told();
  into.set_number(from.number);
  into.set_outcome(static_cast<std::uint32_t>(from.outcome));
  into.set_message(from.message.substr(0, limits::kOrderMessageMax));
  into.set_height(from.height.value);
  into.set_knows_nobody(from.knows_nobody);
}

void encode_into(const SettleAsk& from, wire::Frame& frame) {
  wire::SettleAsk& into = *frame.mutable_settle_ask();
  into.set_term(from.term.value);
  into.set_voters_since(from.voters_since.value);
}

void encode_into(const SettleHeld& from, wire::Frame& frame) {
  wire::SettleHeld& into = *frame.mutable_settle_held();
  into.set_term(from.term.value);
  into.set_voters_since(from.voters_since.value);
}

void encode_into(const Seen& from, wire::Frame& frame) {
  wire::Seen& into = *frame.mutable_seen();
  into.set_store(Bytes(from.store.view()));
  into.set_term(from.term.value);
  into.set_index(from.index.value);
}

}  // namespace

Bytes encode(const Message& message) {
  wire::Frame frame;
  std::visit([&frame](const auto& said) { encode_into(said, frame); }, message);
  return frame.SerializeAsString();
}

}  // namespace eventchain::net
