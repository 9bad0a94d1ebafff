#include <doctest/doctest.h>

#include <limits>
#include <map>
#include <string>
#include <vector>

#include "net/codec.h"
#include "tests/unit/filled.h"
#include "tests/unit/golden_file.h"

// Frames as another program of this protocol version sends them, and as one of tomorrow may.
using namespace eventchain;
using namespace eventchain::net;
using consensus::LogIndex;
using consensus::ServerId;
using consensus::Term;

namespace {

// Of the block in chain's golden vectors; its test has the values field by field.
chain::Bytes of_chain(const char* name) {
  return *chain::from_hex(golden_value("chain/golden_vectors.txt", name));
}

chain::Block block() {
  return {{*chain::decode_header(of_chain("header")), *chain::decode_seal(of_chain("seal"))},
          *chain::decode_content(of_chain("content"))};
}

chain::SlotSignature signed_by(std::uint16_t slot, std::uint8_t octet) {
  return {chain::Slot{slot}, filled<chain::Signature>(octet)};
}

Message raft(consensus::RaftMessage message) {
  return RaftSaid{{ServerId{1}, ServerId{300}, std::move(message)}};
}

void add_raft(std::map<std::string, Message>& frames) {
  using namespace consensus;
  frames["raft-request-vote"] =
      raft(RequestVote{1, Term{7}, ServerId{1}, LogIndex{9}, Term{6}, true, true});
  frames["raft-request-vote-result"] = raft(RequestVoteResult{1, Term{7}, true, true, 3, 500});
  frames["raft-append-entries"] = raft(AppendEntries{1,
                                                     Term{7},
                                                     LogIndex{9},
                                                     Term{5},
                                                     LogIndex{8},
                                                     {{Term{5}, EntryKind::kCommand, "decision"},
                                                      {Term{6}, EntryKind::kBarrier, ""},
                                                      {Term{7}, EntryKind::kChange, "servers"}}});
  frames["raft-append-entries-result"] =
      raft(AppendEntriesResult{1, Term{7}, LogIndex{9}, LogIndex{8}, 3, 500});
  const Configuration servers = {{ServerId{1}, Suffrage::kVoter},
                                 {ServerId{2}, Suffrage::kStandby},
                                 {ServerId{std::uint64_t{1} << 63}, Suffrage::kSpare}};
  frames["raft-install-snapshot"] =
      raft(InstallSnapshot{1, Term{7}, {{LogIndex{20}, Term{6}, servers, LogIndex{4}}, "state"}});
  frames["raft-timeout-now"] = raft(TimeoutNow{1, Term{7}, LogIndex{9}, Term{6}});
}

// What the golden frames say, by name.
std::map<std::string, Message> expected() {
  const std::uint64_t greatest = std::numeric_limits<std::uint64_t>::max();
  const chain::EntryRef ref{filled<chain::EventKey>(0x77), filled<chain::Commitment>(0x88)};
  const chain::EntryRef other{filled<chain::EventKey>(0x79), filled<chain::Commitment>(0x89)};
  const auto template_hash = *chain::TemplateHash::from(of_chain("template-hash"));
  const auto block_id = *chain::BlockId::from(of_chain("block-id"));
  const chain::Height seven{7};
  std::map<std::string, Message> frames;
  frames["hello"] = Hello{3,       filled<chain::ChainId>(0x11), filled<chain::NodeId>(0x22),
                          "0.1.0", filled<chain::StoreId>(0x23), 1};
  frames["hello-level"] = Hello{3,       filled<chain::ChainId>(0x11), filled<chain::NodeId>(0x22),
                                "0.1.0", filled<chain::StoreId>(0x23), 2};
  frames["hello-refused"] =
      Hello{3,       filled<chain::ChainId>(0x11), filled<chain::NodeId>(0x22),
            "0.1.0", filled<chain::StoreId>(0x23), 1,
            seven};
  add_raft(frames);
  frames["events"] =
      Events{1, {{filled<chain::Salt>(0x33), "body one"}, {filled<chain::Salt>(0x44), "body two"}}};
  frames["events-held"] = EventsHeld{
      1, {HoldResult::kHeld, HoldResult::kConflict, HoldResult::kRefused}, chain::Height{12}};
  frames["events-announce"] = EventsAnnounce{{ref}};
  frames["events-request"] = EventsRequest{{ref, other}};
  const auto first = chain::short_id(ref.commitment);
  frames["events-announce-ids"] = EventsAnnounce{{}, {first, chain::short_id(other.commitment)}};
  frames["events-request-ids"] = EventsRequest{{}, {first}};
  frames["events-request-both"] = EventsRequest{{other}, {first}};
  frames["template-push"] = TemplatePush{{block().sealed.header, block().content}};
  frames["template-request"] = TemplateRequest{template_hash, seven};
  frames["share-push"] = SharePush{template_hash, {0x0002030405060708, 0x0a0b0c0d}};
  frames["tip-said"] = TipSaid{seven, block_id};
  frames["tip-said-leader"] = TipSaid{seven, block_id, Term{7}, filled<chain::NodeId>(0x22),
                                      std::chrono::milliseconds(300)};
  frames["tip-said-clock"] = TipSaid{seven, block_id, Term{0}, {}, {}, ClockSaid{}};
  const auto milliseconds = [](std::int64_t count) { return std::chrono::milliseconds(count); };
  frames["tip-said-clock-echo"] = TipSaid{
      seven,
      block_id,
      Term{0},
      {},
      {},
      ClockSaid{{1'750'000'000'123}, milliseconds(70'000), milliseconds(1), milliseconds(4999)}};
  frames["blocks-request"] = BlocksRequest{seven, 64};
  frames["blocks-reply"] =
      BlocksReply{seven, {block()}, {signed_by(1, 0x55), signed_by(258, 0x66)}};
  frames["read-ask"] = ReadAsk{greatest};
  frames["read-round"] = ReadRound{Term{7}, 2};
  frames["read-round-held"] = ReadRoundHeld{Term{7}, 2};
  frames["read-told"] = ReadTold{greatest, LogIndex{40}};
  frames["signatures"] = Signatures{seven, block_id, {signed_by(0, 0x55), signed_by(513, 0x66)}};
  frames["order-ask-order"] = OrderAsk{
      5, chain::MemberOrder{
             "ann", chain::SetRole{filled<chain::NodeId>(0x41), chain::MemberRole::kVoter}}};
  frames["order-ask-transfer"] = OrderAsk{6, TransferLeadership{filled<chain::NodeId>(0x22)}};
  frames["order-ask-as-of"] =
      OrderAsk{6, TransferLeadership{filled<chain::NodeId>(0x22)}, chain::Height{12}};
  frames["order-told"] =
      OrderTold{5, OrderOutcome::kRefused, "n1 is the last voter", chain::Height{12}};
  frames["order-told-knows-nobody"] =
      OrderTold{5, OrderOutcome::kNotNow, "no leader", chain::Height{}, true};
  frames["settle-ask"] = SettleAsk{Term{7}, chain::Height{12}};
  frames["settle-held"] = SettleHeld{Term{7}, chain::Height{12}};
  frames["read-told-height"] = ReadTold{5, LogIndex{0}, chain::Height{12}};
  frames["events-submit"] = EventsSubmit{9, {{filled<chain::Salt>(0x33), "body one"}}};
  frames["events-settled"] = EventsSettled{9,
                                           {SettleResult::kOpen, SettleResult::kDurable,
                                            SettleResult::kConflict, SettleResult::kRefused}};
  frames["headers-request"] = HeadersRequest{seven, 512};
  frames["headers-reply"] = HeadersReply{
      seven, {{block().sealed, block().content.annex}}, {signed_by(1, 0x55), signed_by(258, 0x66)}};
  frames["headers-reply-none"] = HeadersReply{chain::Height{8}, {}, {}};
  frames["template-header-push"] = TemplateHeaderPush{block().sealed.header};
  frames["seen"] = Seen{filled<chain::StoreId>(0x23), Term{7}, LogIndex{40}};
  return frames;
}

struct GoldenFrame {
  std::string name;
  chain::Bytes bytes;
};

std::vector<GoldenFrame> golden_frames() {
  std::vector<GoldenFrame> frames;
  for (const GoldenLine& line : golden_lines("net/golden_frames.txt")) {
    const auto bytes = chain::from_hex(line.value);
    REQUIRE_MESSAGE(bytes.has_value(), line.name, " is not hexadecimal");
    frames.push_back({line.name, *bytes});
  }
  return frames;
}

chain::Bytes varint(std::uint64_t value) {
  chain::Bytes text;
  for (; value >= 0x80; value >>= 7) text.push_back(static_cast<char>((value & 0x7f) | 0x80));
  text.push_back(static_cast<char>(value));
  return text;
}

std::uint64_t take_varint(chain::ByteView& in) {
  std::uint64_t value = 0;
  for (unsigned shift = 0;; shift += 7) {
    const auto octet = static_cast<std::uint8_t>(in.at(0));
    in.remove_prefix(1);
    value |= std::uint64_t{octet & 0x7fU} << shift;
    if (octet < 0x80) return value;
  }
}

// Field 1000 as a number and field 1001 as octets: what a later version may add.
const chain::Bytes kAdded =
    varint(1000 << 3) + varint(77) + varint(1001 << 3 | 2) + varint(5) + "added";

// The frame with those fields at the end of its message, `depth` levels down, each level the last
// field of the one above.
chain::Bytes with_added(chain::ByteView message, int depth) {
  if (depth == 0) return chain::Bytes(message) + kAdded;
  chain::ByteView rest = message;
  while (true) {
    const std::size_t start = message.size() - rest.size();
    const std::uint64_t tag = take_varint(rest);
    const std::uint64_t value = take_varint(rest);
    if ((tag & 7) != 2) continue;  // a number
    if (value < rest.size()) {
      rest.remove_prefix(value);
      continue;
    }
    const chain::Bytes inner = with_added(rest, depth - 1);
    return chain::Bytes(message.substr(0, start)) + varint(tag) + varint(inner.size()) + inner;
  }
}

}  // namespace

TEST_CASE("every golden frame decodes to its value, and the value encodes to the frame") {
  auto values = expected();
  std::vector<bool> has_kind(kMessageKinds);
  for (const GoldenFrame& frame : golden_frames()) {
    INFO(frame.name);
    const auto value = values.extract(frame.name);
    REQUIRE_FALSE(value.empty());
    const chain::Result<Message> message = decode(frame.bytes);
    REQUIRE_MESSAGE(message.has_value(), message.error().message);
    CHECK(*message == value.mapped());
    CHECK(chain::to_hex(encode(value.mapped())) == chain::to_hex(frame.bytes));
    has_kind[message->index()] = true;
  }
  CHECK_MESSAGE(values.empty(), "there is no golden frame of ", values.begin()->first);
  for (std::size_t kind = 0; kind < kMessageKinds; ++kind)
    CHECK_MESSAGE(has_kind[kind], "there is no golden frame of the kind ",
                  std::string(name_of_kind(kind)));
}

TEST_CASE("fields that a later version adds to a message are passed over") {
  const auto values = expected();
  for (const GoldenFrame& frame : golden_frames()) {
    // Raft's messages are one level further down.
    const int deepest = frame.name.rfind("raft-", 0) == 0 ? 2 : 1;
    for (int depth = 0; depth <= deepest; ++depth) {
      INFO(frame.name, " at depth ", depth);
      const chain::Bytes more = with_added(frame.bytes, depth);
      REQUIRE(more.size() >= frame.bytes.size() + kAdded.size());
      const chain::Result<Message> message = decode(more);
      REQUIRE_MESSAGE(message.has_value(), message.error().message);
      CHECK(*message == values.at(frame.name));
      CHECK(chain::to_hex(encode(*message)) ==
            chain::to_hex(frame.bytes));  // and are not handed on
    }
  }
}
