#include "net/messages.h"

#include <array>

#include "chain/result.h"

namespace eventchain::net {

namespace {

template <class... Handlers>
struct Overloaded : Handlers... {
  using Handlers::operator()...;
};
template <class... Handlers>
Overloaded(Handlers...) -> Overloaded<Handlers...>;

}  // namespace

Priority priority_of(const Message& message) {
  return std::visit(
      Overloaded{
          [](const Hello&) { return Priority::kRaft; },
          [](const RaftSaid&) { return Priority::kRaft; },
          // One class for templates and shares: a share must not overtake its template.
          [](const TemplatePush&) { return Priority::kShares; },
          [](const TemplateRequest&) { return Priority::kShares; },
          [](const SharePush&) { return Priority::kShares; },
          [](const TipSaid&) { return Priority::kShares; },
          [](const BlocksRequest&) { return Priority::kBlocks; },
          [](const BlocksReply&) { return Priority::kBlocks; },
          // A template waits for the bodies that were asked for: they go before new ones.
          [](const EventsRequest&) { return Priority::kBlocks; },
          [](const Events& events) {
            return events.batch == 0 ? Priority::kBlocks : Priority::kEvents;
          },
          [](const EventsHeld&) { return Priority::kEvents; },
          [](const EventsAnnounce&) { return Priority::kRepair; },
          // Few, small, and somebody waits for each.
          [](const ReadAsk&) { return Priority::kRaft; },
          [](const ReadRound&) { return Priority::kRaft; },
          [](const ReadRoundHeld&) { return Priority::kRaft; },
          [](const ReadTold&) { return Priority::kRaft; },
          [](const Signatures&) { return Priority::kShares; },
          [](const OrderAsk&) { return Priority::kShares; },
          [](const OrderTold&) { return Priority::kShares; },
          [](const SettleAsk&) { return Priority::kShares; },
          [](const SettleHeld&) { return Priority::kShares; },
          // Before the peer says anything that it should not.
          [](const Seen&) { return Priority::kRaft; },
          [](const EventsSubmit&) { return Priority::kEvents; },
          [](const EventsSettled&) { return Priority::kEvents; },
          [](const HeadersRequest&) { return Priority::kBlocks; },
          [](const HeadersReply&) { return Priority::kBlocks; },
          [](const TemplateHeaderPush&) { return Priority::kShares; },
      },
      message);
}

const char* name_of_kind(std::size_t kind) {
  static constexpr std::array<const char*, kMessageKinds> kNames{"hello",
                                                                 "raft",
                                                                 "events",
                                                                 "events_held",
                                                                 "events_announce",
                                                                 "events_request",
                                                                 "template_push",
                                                                 "template_request",
                                                                 "share_push",
                                                                 "tip_said",
                                                                 "blocks_request",
                                                                 "blocks_reply",
                                                                 "read_ask",
                                                                 "read_round",
                                                                 "read_round_held",
                                                                 "read_told",
                                                                 "signatures",
                                                                 "order_ask",
                                                                 "order_told",
                                                                 "settle_ask",
                                                                 "settle_held",
                                                                 "seen",
                                                                 "events_submit",
                                                                 "events_settled",
                                                                 "headers_request",
                                                                 "headers_reply",
                                                                 "template_header_push"};
  EC_ASSERT(kind < kNames.size(), "a message has a kind of the variant");
  return kNames[kind];
}

const char* name_of(const Message& message) {
  return name_of_kind(message.index());
}

}  // namespace eventchain::net
