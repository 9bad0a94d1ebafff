#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "chain/block.h"
#include "chain/certificate.h"
#include "chain/event.h"
#include "chain/member_orders.h"
#include "chain/types.h"
#include "consensus/types.h"

// What nodes say to each other, as plain values. The codec turns them into Protobuf and back and
// distrusts every field; who said it comes from the link's certificate, never from the message.
namespace eventchain::net {

inline constexpr std::uint32_t kProtocolVersion = 3;
inline constexpr std::uint32_t kProtocolWithStore = 3;  // from then on a hello tells the disk

// First message on every link, both ways.
struct Hello {
  std::uint32_t protocol = kProtocolVersion;
  chain::ChainId chain;
  chain::NodeId node;
  std::string software;    // for people, e.g. "0.1.0"
  chain::StoreId store{};  // of the sender's disk
  // The highest that the sender's program can do (chain/features.h).
  std::uint16_t feature_level = 1;
  // Not 0: the receiver is no member by what the sender knows as of this block, and the sender ends
  // the connection. Who was away when it was removed learns of it in no other way.
  chain::Height refused_at{};
  bool operator==(const Hello&) const = default;
};

struct RaftSaid {
  consensus::Envelope envelope;
  bool operator==(const RaftSaid&) const = default;
};

struct RawEvent {
  chain::Salt salt;
  chain::Bytes body;
  bool operator==(const RawEvent&) const = default;
};

// Bodies. `batch` != 0 asks for EventsHeld once they are durable.
struct Events {
  std::uint64_t batch = 0;
  std::vector<RawEvent> events;
  bool operator==(const Events&) const = default;
};

enum class HoldResult : std::uint8_t {
  kHeld = 1,      // durable here (also if it was before, or is placed with the same content)
  kConflict = 2,  // the key names other content here
  kRefused = 3,   // breaks a rule or there is no room
};
struct EventsHeld {
  std::uint64_t batch = 0;
  std::vector<HoldResult> results;  // in the order of the events
  // The answerer's voters are those of this block: an answer counts only among equal voters.
  chain::Height voters_since{};
  bool operator==(const EventsHeld&) const = default;
};

// Bodies on their way from a node that has no vote to a voter, which takes them as if its own
// clients had sent them, and answers with EventsSettled (node/forwarding.h).
struct EventsSubmit {
  std::uint64_t batch = 0;
  std::vector<RawEvent> events;
  bool operator==(const EventsSubmit&) const = default;
};

enum class SettleResult : std::uint8_t {
  kOpen = 0,      // not known yet; another answer follows
  kDurable = 1,   // held by a majority of voters, the leader included
  kConflict = 2,  // the key names other content
  kRefused = 3,   // not taken: there is no room, or the asked has no vote; ask another, or later
};
struct EventsSettled {
  std::uint64_t batch = 0;
  std::vector<SettleResult> results;  // in the order of the events
  bool operator==(const EventsSettled&) const = default;
};

struct EventsAnnounce {  // "I hold these, unplaced"
  std::vector<chain::EntryRef> entries;
  // Of events that voters hold durably, between nodes of which one has no vote (node/gossip.h).
  std::vector<chain::ShortId> ids = {};
  bool operator==(const EventsAnnounce&) const = default;
};
struct EventsRequest {  // answered by Events with batch 0; what is not held is left out
  std::vector<chain::EntryRef> entries;
  std::vector<chain::ShortId> ids = {};  // to who announced them so
  bool operator==(const EventsRequest&) const = default;
};

struct TemplatePush {
  chain::Template made;
  bool operator==(const TemplatePush&) const = default;
};
struct TemplateRequest {  // answered from templates kept or from the committed block there
  chain::TemplateHash hash;
  chain::Height height;
  bool operator==(const TemplateRequest&) const = default;
};
struct SharePush {
  chain::TemplateHash template_hash;
  chain::Nonce nonce;
  bool operator==(const SharePush&) const = default;
};

// What the sender's clock shows, and what it heard of the receiver's: one exchange of the on-wire
// protocol of NTP (RFC 5905, section 8), by which both learn how far their wall clocks are apart
// (node/clock_watch.h). Marks are readings of a monotonic clock and mean nothing to anybody else.
struct ClockSaid {
  chain::UnixMillis wall;                  // the sender's wall clock
  std::chrono::milliseconds mark{1};       // the sender's, to be said back; above 0
  std::chrono::milliseconds echo{0};       // the mark that the receiver said last; 0: none
  std::chrono::milliseconds echo_held{0};  // for how long the sender has had it
  bool operator==(const ClockSaid&) const = default;
};

// "My tip is this": to a new link, after every commit and every few seconds. Whoever is behind, and
// stays so, asks for blocks. A voter tells the nodes without a vote who leads, too
// (node/hearsay.h).
struct TipSaid {
  chain::Height height;
  chain::BlockId id;
  consensus::Term term{};                             // 0: the sender says nothing of who leads
  std::optional<chain::NodeId> leader = {};           // in this term; none: nobody that it knows
  std::optional<std::chrono::milliseconds> age = {};  // of `height`: when it was all there is
  std::optional<ClockSaid> clock = {};                // earlier programs say none
  bool operator==(const TipSaid&) const = default;
};
struct BlocksRequest {  // committed blocks [from, from + count)
  chain::Height from;
  std::uint32_t count = 1;
  bool operator==(const BlocksRequest&) const = default;
};
struct BlocksReply {
  chain::Height from;
  std::vector<chain::Block> blocks;  // ascending, contiguous; may be fewer than asked for
  chain::Certificate certificate;    // of the last block; empty: the sender has none in the range
  bool operator==(const BlocksReply&) const = default;
};

// Linearizable reads (node/reads.h). To the leader, or from who does not reach it to a voter: "how
// far must I have applied?"
struct ReadAsk {
  std::uint64_t question = 0;  // the asker's number for it
  bool operator==(const ReadAsk&) const = default;
};
// From the leader to the voters: "is your term still mine?" Only who says yes answers.
struct ReadRound {
  consensus::Term term;
  std::uint64_t round = 0;
  bool operator==(const ReadRound&) const = default;
};
struct ReadRoundHeld {
  consensus::Term term;
  std::uint64_t round = 0;
  bool operator==(const ReadRoundHeld&) const = default;
};
struct ReadTold {  // answers ReadAsk
  std::uint64_t question = 0;
  consensus::LogIndex index;  // 0: the height is what to wait for
  chain::Height height{};
  bool operator==(const ReadTold&) const = default;
};

// Signatures of voters on a committed block, the sender's own among them if it is a voter. Whoever
// has none asks with an empty message.
struct Signatures {
  chain::Height height;
  chain::BlockId block;
  chain::Certificate signatures;  // by slot
  bool operator==(const Signatures&) const = default;
};

// What an operator wants of the cluster: an order for the next block, or another leader.
struct TransferLeadership {
  chain::NodeId to;
  bool operator==(const TransferLeadership&) const = default;
};
using Order = std::variant<chain::MemberOrder, TransferLeadership>;

enum class OrderOutcome : std::uint8_t {
  kDone = 1,
  kRefused = 2,  // breaks a rule, or the cluster is not fit for it; `message` says why
  kNotNow = 3,   // may work later
};
// To the leader, who alone carries it out; from a node without a vote to a voter, which hands it
// on.
struct OrderAsk {
  std::uint64_t number = 0;
  Order order;
  // The tip of who was given the order: no block up to it has carried the order out. nullopt: a
  // program from before there was one.
  std::optional<chain::Height> as_of = {};
  bool operator==(const OrderAsk&) const = default;
};
struct OrderTold {
  std::uint64_t number = 0;
  OrderOutcome outcome = OrderOutcome::kDone;
  std::string message;   // why not; at most limits::kOrderMessageMax
  chain::Height height;  // of the block that has it
  // With kNotNow, of a node that is to hand the order on: it knows nobody to hand it to. Another
  // node may.
  bool knows_nobody = false;
  bool operator==(const OrderTold&) const = default;
};

// Before voters change (node/steward.h). From the leader: "tell me when everything that is pending
// with you has its place, once you know the voters of this block."
struct SettleAsk {
  consensus::Term term;
  chain::Height voters_since;
  bool operator==(const SettleAsk&) const = default;
};
struct SettleHeld {
  consensus::Term term;
  chain::Height voters_since;
  bool operator==(const SettleHeld&) const = default;
};

// To a new link: "this far I have seen your disk." Whoever knows less has an older copy of it
// (node/witness.h).
struct Seen {
  chain::StoreId store;
  consensus::Term term;
  consensus::LogIndex index;  // that its log reached in this term
  bool operator==(const Seen&) const = default;
};

// For light members (node/light_core.h), which keep no entries. Committed blocks [from, from +
// count) as far as their headers and annexes tell.
struct HeadersRequest {
  chain::Height from;
  std::uint32_t count = 1;
  bool operator==(const HeadersRequest&) const = default;
};
struct HeadersReply {
  chain::Height from;
  std::vector<chain::LightBlock> blocks;  // ascending, contiguous; may be fewer than asked for
  chain::Certificate certificate;         // of the last block; empty if and only if there is none
  bool operator==(const HeadersReply&) const = default;
};
// What TemplatePush tells of a template to whoever mines and cannot check its content.
struct TemplateHeaderPush {
  chain::TemplateHeader header;
  bool operator==(const TemplateHeaderPush&) const = default;
};

using Message = std::variant<Hello, RaftSaid, Events, EventsHeld, EventsAnnounce, EventsRequest,
                             TemplatePush, TemplateRequest, SharePush, TipSaid, BlocksRequest,
                             BlocksReply, ReadAsk, ReadRound, ReadRoundHeld, ReadTold, Signatures,
                             OrderAsk, OrderTold, SettleAsk, SettleHeld, Seen, EventsSubmit,
                             EventsSettled, HeadersRequest, HeadersReply, TemplateHeaderPush>;

// Strict classes of a link's send queue, most urgent first.
enum class Priority : std::uint8_t { kRaft, kShares, kBlocks, kEvents, kRepair };
inline constexpr std::size_t kPriorities = 5;
Priority priority_of(const Message& message);

// Names for logs and metrics; a kind is Message::index().
inline constexpr std::size_t kMessageKinds = std::variant_size_v<Message>;
const char* name_of_kind(std::size_t kind);
const char* name_of(const Message& message);

}  // namespace eventchain::net
