#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "chain/rng.h"
#include "net/messages.h"

// Messages of every kind with random values that a correct node could send.
namespace eventchain::net::testing {

class RandomMessages {
 public:
  explicit RandomMessages(std::uint64_t seed) : rng_(seed) {}

  Message of_kind(std::size_t kind) {
    switch (kind) {
      case 0:
        return Hello{kProtocolVersion + number<std::uint32_t>() / 2,
                     id<chain::ChainId>(),
                     id<chain::NodeId>(),
                     std::string(below(65), 'v'),
                     id<chain::StoreId>(),
                     static_cast<std::uint16_t>(1 + below(0xffff)),
                     chain::Height{number<std::uint64_t>()}};
      case 1:
        return RaftSaid{raft()};
      case 2:
        return events();
      case 3:
        return held();
      case 4:
        return EventsAnnounce{refs(), ids()};
      case 5:
        return EventsRequest{refs(), ids()};
      case 6:
        return TemplatePush{{header(), content()}};
      case 7:
        return TemplateRequest{id<chain::TemplateHash>(), chain::Height{number<std::uint64_t>()}};
      case 8:
        return SharePush{id<chain::TemplateHash>(),
                         {number<std::uint64_t>(), number<std::uint32_t>()}};
      case 9:
        return tip_said();
      case 10:
        return BlocksRequest{chain::Height{number<std::uint64_t>() >> 1},
                             static_cast<std::uint32_t>(1 + below(64))};
      case 11:
        return blocks();
      case 12:
        return ReadAsk{some()};
      case 13:
        return ReadRound{consensus::Term{some()}, some()};
      case 14:
        return ReadRoundHeld{consensus::Term{some()}, some()};
      case 15:
        return ReadTold{some(), consensus::LogIndex{number<std::uint64_t>()},
                        chain::Height{number<std::uint64_t>()}};
      case 16:
        return signatures();
      case 17:
        return OrderAsk{some(), order(), as_of()};
      case 18:
        return order_told();
      case 19:
        return SettleAsk{consensus::Term{some()}, chain::Height{number<std::uint64_t>()}};
      case 20:
        return SettleHeld{consensus::Term{some()}, chain::Height{number<std::uint64_t>()}};
      case 21:
        return Seen{id<chain::StoreId>(), consensus::Term{some()},
                    consensus::LogIndex{number<std::uint64_t>()}};
      case 22:
        return EventsSubmit{some(), raw_events(1)};
      case 23:
        return settled();
      case 24:
        return HeadersRequest{chain::Height{some()}, static_cast<std::uint32_t>(1 + below(512))};
      case 25:
        return headers();
      default:
        return TemplateHeaderPush{header()};
    }
  }

  std::optional<chain::Height> as_of() {
    return flag() ? std::optional(chain::Height{number<std::uint64_t>() >> 1}) : std::nullopt;
  }

  Order order() {
    if (below(2) == 0) return TransferLeadership{id<chain::NodeId>()};
    chain::MemberOrder order;
    order.by = std::string(below(65), 'b');
    switch (below(3)) {
      case 0:
        order.what = chain::RemoveMember{id<chain::NodeId>()};
        break;
      case 1:
        order.what =
            chain::SetRole{id<chain::NodeId>(), static_cast<chain::MemberRole>(1 + below(4))};
        break;
      default: {
        chain::Member member;
        member.node = id<chain::NodeId>();
        member.name = std::string(below(33), 'n');
        member.peers_address = std::string(below(256), 'a');
        order.what = chain::Admit{id<chain::JoinToken>(), member};
      }
    }
    return order;
  }

  template <class Kind>
  Kind id() {
    Kind value;
    for (std::uint8_t& octet : value.octets) octet = static_cast<std::uint8_t>(below(256));
    return value;
  }

  chain::Bytes bytes(std::size_t max) {
    chain::Bytes value(below(max + 1), '\0');
    for (char& octet : value) octet = static_cast<char>(below(256));
    return value;
  }

  std::size_t below(std::size_t bound) { return static_cast<std::size_t>(rng_.below(bound)); }

 private:
  // Small numbers, large ones and the greatest: varints of every length.
  template <class UInt>
  UInt number() {
    return static_cast<UInt>(static_cast<UInt>(rng_.next()) >> below(8 * sizeof(UInt)));
  }
  bool flag() { return rng_.chance(1, 2); }
  // Not 0 and not the greatest.
  std::uint64_t some() { return 1 + (number<std::uint64_t>() >> 1); }

  TipSaid tip_said() {
    TipSaid said{chain::Height{number<std::uint64_t>()}, id<chain::BlockId>()};
    if (flag()) {
      const auto milliseconds = [](std::uint64_t count) {
        return std::chrono::milliseconds(static_cast<std::int64_t>(count));
      };
      said.clock =
          ClockSaid{{static_cast<std::int64_t>(rng_.next())}, milliseconds(1 + (some() >> 2))};
      if (flag()) {
        said.clock->echo = milliseconds(1 + (some() >> 2));
        said.clock->echo_held = milliseconds(number<std::uint32_t>());
      }
    }
    if (flag()) return said;
    said.term = consensus::Term{some()};
    if (flag()) said.leader = id<chain::NodeId>();
    if (flag()) said.age = std::chrono::milliseconds(below(1'000'000));
    return said;
  }

  OrderTold order_told() {
    OrderTold told{some(), static_cast<OrderOutcome>(1 + below(3)), std::string(below(513), 'm'),
                   chain::Height{number<std::uint64_t>()}};
    told.knows_nobody = told.outcome == OrderOutcome::kNotNow && flag();
    return told;
  }

  Signatures signatures() {
    return {chain::Height{some()}, id<chain::BlockId>(), certificate(1 + below(7))};
  }

  chain::Certificate certificate(std::size_t count) {
    chain::Certificate made;
    std::uint16_t slot = 0;
    for (; count > 0; --count) {
      slot = static_cast<std::uint16_t>(slot + 1 + below(300));
      made.push_back({chain::Slot{slot}, id<chain::Signature>()});
    }
    return made;
  }

  consensus::RaftMessage raft_message() {
    using namespace consensus;
    const auto version = number<std::uint8_t>();
    const Term term{some()};
    const LogIndex last{flag() ? some() : 0};
    const Term last_term{last.value == 0 ? 0 : some()};
    switch (below(6)) {
      case 0:
        return RequestVote{version, term, ServerId{some()}, last, last_term, flag(), flag()};
      case 1:
        return RequestVoteResult{version, Term{number<std::uint64_t>()}, flag(),
                                 flag(),  number<std::uint16_t>(),       number<std::uint16_t>()};
      case 2:
        return append(version);
      case 3:
        return AppendEntriesResult{version,
                                   term,
                                   LogIndex{number<std::uint64_t>()},
                                   LogIndex{number<std::uint64_t>()},
                                   number<std::uint16_t>(),
                                   number<std::uint16_t>()};
      case 4:
        return snapshot(version, term);
      default:
        return TimeoutNow{version, term, last, last_term};
    }
  }

  consensus::AppendEntries append(std::uint8_t version) {
    using namespace consensus;
    AppendEntries message;
    message.version = version;
    std::uint64_t term = 0;
    if (flag()) {
      message.prev_index = LogIndex{some()};
      term = 1 + below(100);
      message.prev_term = Term{term};
    }
    message.leader_commit = LogIndex{number<std::uint64_t>()};
    for (std::size_t i = below(8); i > 0; --i) {
      term += below(3) + (term == 0 ? 1 : 0);
      message.entries.push_back({Term{term}, static_cast<EntryKind>(1 + below(3)), bytes(300)});
    }
    message.term = Term{term + below(3) + (term == 0 ? 1 : 0)};
    return message;
  }

  consensus::InstallSnapshot snapshot(std::uint8_t version, consensus::Term term) {
    using namespace consensus;
    Snapshot made;
    made.meta.index = LogIndex{some()};
    made.meta.term = Term{1 + below(term.value)};
    made.meta.configuration_index = LogIndex{1 + below(made.meta.index.value)};
    std::uint64_t server = 0;
    for (std::size_t i = 1 + below(7); i > 0; --i) {
      server += 1 + below(5);
      made.meta.configuration.push_back({ServerId{server}, static_cast<Suffrage>(below(3))});
    }
    made.bytes = bytes(500);
    return {version, term, made};
  }

  consensus::Envelope raft() {
    const std::uint64_t from = some();
    return {consensus::ServerId{from}, consensus::ServerId{from + 1}, raft_message()};
  }

  Events events() { return {number<std::uint64_t>(), raw_events(0)}; }

  std::vector<RawEvent> raw_events(std::size_t at_least) {
    std::vector<RawEvent> events;
    for (std::size_t i = at_least + below(20); i > 0; --i)
      events.push_back({id<chain::Salt>(), bytes(400) + "."});
    return events;
  }

  EventsSettled settled() {
    EventsSettled message{some(), {}};
    for (std::size_t i = below(50); i > 0; --i)
      message.results.push_back(static_cast<SettleResult>(below(4)));
    return message;
  }

  EventsHeld held() {
    EventsHeld message{some(), {}, {below(3)}};
    for (std::size_t i = below(50); i > 0; --i)
      message.results.push_back(static_cast<HoldResult>(1 + below(3)));
    return message;
  }

  std::vector<chain::ShortId> ids() {
    std::vector<chain::ShortId> made(below(4));
    for (auto& one : made) one = id<chain::ShortId>();
    return made;
  }

  std::vector<chain::EntryRef> refs() {
    std::vector<chain::EntryRef> entries(below(20));
    for (chain::EntryRef& entry : entries) entry = {id<chain::EventKey>(), id<chain::Commitment>()};
    return entries;
  }

  chain::TemplateHeader header() {
    chain::TemplateHeader made;
    made.chain = id<chain::ChainId>();
    made.height = chain::Height{some()};
    made.parent = id<chain::BlockId>();
    made.log_size = number<std::uint64_t>();
    made.log_root = id<chain::Hash>();
    made.history_root = id<chain::Hash>();
    made.annex_root = id<chain::Hash>();
    made.started = {static_cast<std::int64_t>(number<std::uint64_t>())};
    made.time = {static_cast<std::int64_t>(number<std::uint64_t>())};
    made.share_target.bits = 0x1cffff00;
    made.share_count = number<std::uint16_t>();
    made.member_set = id<chain::Hash>();
    return made;
  }

  chain::BlockContent content() {
    chain::BlockContent made{refs(), {}};
    for (std::size_t i = below(4); i > 0; --i)
      made.annex.push_back(chain::Rejection{id<chain::EventKey>(), id<chain::Commitment>(),
                                            chain::RejectionReason::kVersionConflict,
                                            chain::StreamVersion{5}});
    return made;
  }

  chain::SealedHeader sealed(std::uint64_t height) {
    chain::SealedHeader made;
    made.header = header();
    made.header.height = chain::Height{height};
    made.seal.sealed_at = {static_cast<std::int64_t>(some())};
    for (std::uint32_t share = 0; share < 4; ++share)
      made.seal.shares.push_back({number<std::uint64_t>() >> 1, share});
    return made;
  }

  BlocksReply blocks() {
    BlocksReply message;
    message.from = chain::Height{some()};
    for (std::uint64_t i = 0, count = below(5); i < count; ++i)
      message.blocks.push_back({sealed(message.from.value + i), content()});
    if (!message.blocks.empty()) message.certificate = certificate(below(8));
    return message;
  }

  HeadersReply headers() {
    HeadersReply message;
    message.from = chain::Height{some()};
    for (std::uint64_t i = 0, count = below(5); i < count; ++i)
      message.blocks.push_back({sealed(message.from.value + i), content().annex});
    if (!message.blocks.empty()) message.certificate = certificate(1 + below(7));
    return message;
  }

  chain::Rng rng_;
};

}  // namespace eventchain::net::testing
