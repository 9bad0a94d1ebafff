#include "tests/sim/lies.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <utility>

#include "chain/work.h"
#include "consensus/configuration.h"
#include "net/codec.h"
#include "node/members.h"
#include "tests/sim/draws.h"

namespace eventchain::sim {

namespace {

using std::chrono::milliseconds;

constexpr std::size_t kHeardMax = 12;  // of each kind
constexpr int kGarbleTries = 8;
constexpr std::uint64_t kNoncesTried = 64;
constexpr std::uint64_t kNoncesTriedForSeal = 4096;

template <class Item>
void drop_one(std::vector<Item>& items, chain::Rng& rng) {
  if (!items.empty())
    items.erase(items.begin() + static_cast<std::ptrdiff_t>(rng.below(items.size())));
}

template <class Item>
void swap_two(std::vector<Item>& items, chain::Rng& rng) {
  if (items.size() >= 2) std::swap(items[rng.below(items.size())], items[rng.below(items.size())]);
}

chain::Nonce draw_nonce(chain::Slot slot, chain::Rng& rng) {
  return {chain::nonce_high(slot, 0, rng.below(chain::kNonceCounters)),
          static_cast<std::uint32_t>(rng.next())};
}

}  // namespace

Lies::Lies(NodeHost& host, const Roster& roster, chain::Rng rng)
    : host_(host), roster_(roster), rng_(rng) {}

void Lies::remember(const net::Message& message) {
  auto& known = heard_[message.index()];
  known.push_back(message);
  if (known.size() > kHeardMax) known.pop_front();
}

template <class Kind>
const Kind* Lies::recall() {
  const auto& known = heard_[net::Message(Kind{}).index()];
  return known.empty() ? nullptr : &std::get<Kind>(known[rng_.below(known.size())]);
}

const net::Message* Lies::recall_any() {
  std::vector<const net::Message*> known;
  for (const auto& kind : heard_)
    if (!kind.empty()) known.push_back(&kind[rng_.below(kind.size())]);
  return known.empty() ? nullptr : known[rng_.below(known.size())];
}

std::optional<net::Message> Lies::make(Kind kind, std::size_t to) {
  switch (kind) {
    case Kind::kReplay:
    case Kind::kGarble: {
      const net::Message* heard = recall_any();
      if (heard == nullptr) return std::nullopt;
      return kind == Kind::kReplay ? *heard : garbled(*heard);
    }
    case Kind::kRaft:
      return make_raft(to);
    case Kind::kTips:
      return make_tip();
    case Kind::kTemplates:
      return make_template();
    case Kind::kShares:
      return make_share();
    case Kind::kBlocks:
      return make_blocks();
    case Kind::kSeals:
      return make_seal();
    case Kind::kBodies:
      return make_bodies();
    case Kind::kAnnounces:
      return make_announce();
    case Kind::kRequests:
      return make_request();
    case Kind::kAnswers:
      return make_answer();
  }
  return std::nullopt;
}

std::optional<net::Message> Lies::garbled(const net::Message& message) {
  const chain::Bytes whole = net::encode(message);
  for (int i = 0; i < kGarbleTries; ++i) {
    chain::Bytes bytes = whole;
    for (std::uint64_t changes = 1 + rng_.below(3); changes > 0; --changes)
      bytes[rng_.below(bytes.size())] = static_cast<char>(rng_.next());
    if (auto decoded = net::decode(bytes)) return std::move(*decoded);
  }
  return std::nullopt;
}

std::uint64_t Lies::some_number(std::uint64_t near) {
  switch (rng_.below(6)) {
    case 0:
      return near;
    case 1:
      return near + 1;
    case 2:
      return near - std::min<std::uint64_t>(near, 1);
    case 3:
      return near + rng_.below(1000);
    case 4:
      return rng_.next() >> rng_.below(64);
    default:
      return std::numeric_limits<std::uint64_t>::max() >> rng_.below(3);
  }
}

chain::Height Lies::some_height() {
  return chain::Height{some_number(host_.headers().height().value)};
}

chain::EntryRef Lies::invent_entry() {
  chain::EntryRef entry{draw_octets<chain::EventKey>(rng_), draw_octets<chain::Commitment>(rng_)};
  // Half of them under a key that exists.
  if (const auto* known = recall<net::EventsAnnounce>();
      known != nullptr && !known->entries.empty() && rng_.chance(1, 2))
    entry.key = known->entries[rng_.below(known->entries.size())].key;
  return entry;
}

net::RaftSaid Lies::make_raft(std::size_t to) {
  const consensus::Term term{std::max<std::uint64_t>(1, some_number(log_end_.term.value))};
  const consensus::LogIndex index{some_number(log_end_.index.value)};
  consensus::Envelope envelope;
  envelope.from = node::server_of(roster_.node(rng_.chance(1, 8) ? some_host() : host_.index()));
  envelope.to = node::server_of(roster_.node(to));
  switch (rng_.below(5)) {
    case 0:
      envelope.message = consensus::RequestVote{
          1, term, envelope.from, index, term, rng_.chance(1, 2), rng_.chance(1, 2)};
      break;
    case 1:
      envelope.message = consensus::RequestVoteResult{1, term, true, rng_.chance(1, 2), 0, 0};
      break;
    case 2: {
      consensus::AppendEntries append;
      append.version = 1;
      append.term = term;
      append.prev_index = log_end_.index;
      append.prev_term = log_end_.term;
      append.leader_commit = index;
      append.entries.push_back(
          {term, consensus::EntryKind::kChange,
           consensus::encode_configuration({{envelope.from, consensus::Suffrage::kVoter}})});
      if (rng_.chance(1, 2))
        append.entries[0] = {term, consensus::EntryKind::kCommand, chain::Bytes(8, 'x')};
      envelope.message = append;
      break;
    }
    case 3:
      envelope.message = consensus::AppendEntriesResult{1, term, {}, index, 0, 0};
      break;
    default:
      envelope.message = consensus::TimeoutNow{1, term, index, term};
  }
  return {envelope};
}

net::TipSaid Lies::make_tip() {
  net::TipSaid tip;
  if (const auto* heard = recall<net::TipSaid>()) tip = *heard;
  if (rng_.chance(1, 2)) tip.height = some_height();
  if (rng_.chance(1, 2)) tip.id = draw_octets<chain::BlockId>(rng_);
  if (rng_.chance(1, 2)) tip.term = consensus::Term{some_number(tip.term.value)};
  if (rng_.chance(1, 2)) tip.leader = roster_.node(some_host());
  if (rng_.chance(1, 4)) tip.age = milliseconds(rng_.between(0, 1'000'000));
  if (rng_.chance(1, 2)) {
    net::ClockSaid clock;
    clock.wall = {static_cast<std::int64_t>(some_number(1'700'000'000'000) >> 1)};
    clock.mark = milliseconds(1 + static_cast<std::int64_t>(rng_.below(1'000'000)));
    clock.echo = milliseconds(static_cast<std::int64_t>(rng_.below(1'000'000)));
    clock.echo_held = milliseconds(static_cast<std::int64_t>(rng_.below(10'000)));
    tip.clock = clock;
  }
  return tip;
}

chain::MemberOrder Lies::invent_order() {
  const chain::NodeId& node = roster_.node(some_host());
  const std::string by = rng_.chance(1, 2) ? "operator" : "policy";
  if (rng_.chance(1, 2)) return {by, chain::RemoveMember{node}};
  return {by, chain::SetRole{node, chain::MemberRole::kObserver}};
}

void Lies::twist_content(chain::BlockContent& content) {
  switch (rng_.below(6)) {
    case 0:
      content.entries.push_back(invent_entry());
      break;
    case 1:
      drop_one(content.entries, rng_);
      break;
    case 2:
      swap_two(content.entries, rng_);
      break;
    case 3:
      drop_one(content.annex, rng_);
      break;
    case 4:
      content.annex.emplace_back(invent_order());
      break;
    default: {
      const chain::EntryRef entry = invent_entry();
      content.annex.emplace_back(chain::Rejection{
          entry.key, entry.commitment, chain::RejectionReason::kKeyTaken, chain::kEmptyStream});
    }
  }
}

void Lies::twist_header(chain::TemplateHeader& header) {
  switch (rng_.below(9)) {
    case 0:
      header.height = some_height();
      break;
    case 1:
      header.parent = draw_octets<chain::BlockId>(rng_);
      break;
    case 2:
      header.log_size = some_number(header.log_size);
      break;
    case 3:
      header.annex_root = draw_octets<chain::Hash>(rng_);
      break;
    case 4:
      header.started.value += rng_.between(-10'000, 10'000);
      break;
    case 5:
      header.time.value = static_cast<std::int64_t>(
          some_number(static_cast<std::uint64_t>(header.time.value)) >> 1);
      break;
    case 6:
      header.share_target = host_.core_options().genesis.easiest_target;
      break;
    case 7:
      header.share_count = static_cast<std::uint16_t>(rng_.next());
      break;
    default:
      header.member_set = draw_octets<chain::Hash>(rng_);
  }
}

std::optional<net::Message> Lies::make_template() {
  const auto* heard = recall<net::TemplatePush>();
  if (heard == nullptr) return std::nullopt;
  chain::Template made = heard->made;
  switch (rng_.below(4)) {
    case 0:
      twist_content(made.content);  // which the header does not stand for
      break;
    case 1:
      twist_header(made.header);
      break;
    case 2:
      twist_content(made.content);
      made.header.annex_root = chain::annex_root(made.content.annex);
      break;
    default:
      // Another work on the same content, and from another time.
      made.header.time.value +=
          rng_.chance(1, 2) ? rng_.between(1, 5000) : std::int64_t{1} << rng_.between(20, 60);
  }
  if (rng_.chance(1, 6)) return net::TemplateHeaderPush{made.header};
  return net::TemplatePush{std::move(made)};
}

std::optional<net::Message> Lies::make_share() {
  const auto* heard = recall<net::TemplatePush>();
  if (heard == nullptr) return std::nullopt;
  const chain::TemplateHeader& header = heard->made.header;
  const chain::MemberSet& set = *host_.headers().members;
  const chain::Slot slot = rng_.chance(1, 8) ? chain::Slot{static_cast<std::uint16_t>(rng_.next())}
                                             : set.members[rng_.below(set.members.size())].slot;
  net::SharePush share{chain::template_hash(header), draw_nonce(slot, rng_)};
  if (rng_.chance(1, 8)) share.template_hash = draw_octets<chain::TemplateHash>(rng_);
  const auto target = chain::expand(header.share_target);
  if (!target || rng_.chance(1, 4)) return share;
  const chain::Sha256Digest digest;
  for (std::uint64_t i = 0; i < kNoncesTried; ++i) {
    if (chain::share_meets(digest, header, share.nonce, *target)) break;
    share.nonce = draw_nonce(slot, rng_);
  }
  return share;
}

void Lies::twist_certificate(chain::Certificate& certificate) {
  switch (rng_.below(4)) {
    case 0:
      drop_one(certificate, rng_);
      break;
    case 1:
      if (!certificate.empty())
        certificate[rng_.below(certificate.size())].signature = draw_octets<chain::Signature>(rng_);
      break;
    case 2:
      if (!certificate.empty()) certificate.push_back(certificate.front());
      break;
    default:
      certificate.clear();
  }
  std::ranges::sort(certificate, {}, &chain::SlotSignature::slot);
}

void Lies::twist_block(chain::Block& block) {
  switch (rng_.below(4)) {
    case 0:
    case 1:
      twist_content(block.content);
      break;
    case 2:
      twist_header(block.sealed.header);
      break;
    default:
      if (!block.sealed.seal.shares.empty())
        block.sealed.seal.shares.back().low ^= 1U + static_cast<std::uint32_t>(rng_.below(1000));
      block.sealed.seal.sealed_at.value += rng_.between(0, 1000);
  }
}

std::optional<net::Message> Lies::make_blocks() {
  const std::uint64_t top = host_.headers().height().value;
  if (top == 0) return std::nullopt;
  // Of the newest mostly: who is behind asks for those.
  const std::uint64_t count = 1 + rng_.below(std::min<std::uint64_t>(top, 4));
  const std::uint64_t last = rng_.chance(3, 4) ? top : count + rng_.below(top - count + 1);
  net::BlocksReply reply;
  reply.from = chain::Height{last - count + 1};
  for (std::uint64_t height = reply.from.value; height <= last; ++height) {
    auto block = host_.store().chain().block(chain::Height{height});
    if (!block) return std::nullopt;
    reply.blocks.push_back(std::move(*block));
  }
  if (const auto* signed_here = recall<net::Signatures>())
    reply.certificate = signed_here->signatures;
  if (rng_.chance(1, 4)) twist_certificate(reply.certificate);
  if (rng_.chance(3, 4)) twist_block(reply.blocks[rng_.below(reply.blocks.size())]);
  if (rng_.chance(1, 8)) reply.from = some_height();
  if (rng_.chance(1, 8)) reply.blocks.clear();
  if (!rng_.chance(1, 4)) return reply;
  net::HeadersReply headers{reply.from, {}, reply.certificate};
  for (const chain::Block& block : reply.blocks)
    headers.blocks.push_back({block.sealed, block.content.annex});
  return headers;
}

// Every rule of a block is kept; only nobody has decided on it.
std::optional<chain::Block> Lies::seal_next() {
  const chain::Member* self =
      chain::find_member(*host_.headers().members, roster_.node(host_.index()));
  const net::TemplatePush* heard = nullptr;
  for (const net::Message& message : heard_[net::Message(net::TemplatePush{}).index()]) {
    const auto& push = std::get<net::TemplatePush>(message);
    if (push.made.header.height == host_.headers().height().next()) heard = &push;
  }
  if (heard == nullptr || self == nullptr) return std::nullopt;
  chain::Block block{{heard->made.header, {}}, heard->made.content};
  chain::TemplateHeader& header = block.sealed.header;
  if (rng_.chance(1, 2)) header.time.value += 1;
  const auto target = chain::expand(header.share_target);
  if (!target) return std::nullopt;
  const chain::Sha256Digest digest;
  std::vector<chain::Nonce>& shares = block.sealed.seal.shares;
  for (std::uint64_t i = 0; i < kNoncesTriedForSeal && shares.size() < header.share_count; ++i) {
    const chain::Nonce nonce = draw_nonce(self->slot, rng_);
    if (chain::share_meets(digest, header, nonce, *target)) shares.push_back(nonce);
  }
  if (shares.size() < header.share_count) return std::nullopt;
  std::ranges::sort(shares);
  block.sealed.seal.sealed_at = {header.time.value + rng_.between(0, 1000)};
  return block;
}

// Half of the time it says only that it has one.
std::optional<net::Message> Lies::make_seal() {
  auto block = seal_next();
  if (!block) return std::nullopt;
  const chain::Height height = block->sealed.header.height;
  if (rng_.chance(1, 2))
    return net::TipSaid{height, chain::block_id(block->sealed), {}, {}, {}, {}};
  return net::BlocksReply{height, {std::move(*block)}, {}};
}

std::optional<net::Message> Lies::make_asked(const net::Message& request) {
  const auto* blocks = std::get_if<net::BlocksRequest>(&request);
  const auto* headers = std::get_if<net::HeadersRequest>(&request);
  if (blocks == nullptr && headers == nullptr) return std::nullopt;
  const chain::Height from = blocks != nullptr ? blocks->from : headers->from;
  if (from != host_.headers().height().next()) return std::nullopt;
  auto block = seal_next();
  if (!block) return std::nullopt;
  // Signed in the names of all, by nobody.
  chain::Certificate certificate;
  for (const chain::Member& member : host_.headers().members->members)
    if (member.role == chain::MemberRole::kVoter)
      certificate.push_back({member.slot, draw_octets<chain::Signature>(rng_)});
  if (const auto* signed_here = recall<net::Signatures>(); signed_here && rng_.chance(1, 2))
    certificate = signed_here->signatures;
  std::ranges::sort(certificate, {}, &chain::SlotSignature::slot);
  if (blocks != nullptr) return net::BlocksReply{from, {std::move(*block)}, certificate};
  return net::HeadersReply{from, {{block->sealed, std::move(block->content.annex)}}, certificate};
}

net::Message Lies::make_bodies() {
  std::vector<net::RawEvent> events;
  for (std::uint64_t count = 1 + rng_.below(4); count > 0; --count) {
    chain::Event event;
    // Of the clients' own sometimes, whatever they put into it.
    const bool is_known = rng_.chance(1, 2);
    event.set("id", is_known ? fmt::format("e{}", rng_.below(200)) : fmt::format("l{}", bodies_++));
    event.set("source", std::string("/sim"));
    event.set("type", std::string("sim"));
    event.set("stream", fmt::format("s{}", rng_.below(8)));
    if (rng_.chance(1, 4))
      event.set("expectedversion", static_cast<std::int32_t>(rng_.between(-1, 40)));
    event.data_kind = chain::DataKind::kBinary;
    event.data = std::to_string(rng_.next());
    events.push_back({draw_octets<chain::Salt>(rng_), chain::encode_body(event)});
  }
  const std::uint64_t batch = rng_.chance(3, 4) ? 1 + rng_.below(1'000'000) : 0;
  if (batch == 0 || rng_.chance(1, 2)) return net::Events{batch, std::move(events)};
  return net::EventsSubmit{batch, std::move(events)};
}

net::EventsAnnounce Lies::make_announce() {
  net::EventsAnnounce announce;
  for (std::uint64_t count = 1 + rng_.below(20); count > 0; --count) {
    if (rng_.chance(1, 2)) {
      announce.entries.push_back(invent_entry());
    } else {
      announce.ids.push_back(draw_octets<chain::ShortId>(rng_));
    }
  }
  return announce;
}

net::Message Lies::make_request() {
  const std::uint32_t count = static_cast<std::uint32_t>(1 + some_number(64) % 1000);
  switch (rng_.below(6)) {
    case 0:
      return net::BlocksRequest{some_height(), count};
    case 1:
      return net::HeadersRequest{some_height(), count};
    case 2:
      return net::TemplateRequest{draw_octets<chain::TemplateHash>(rng_), some_height()};
    case 3: {
      net::EventsRequest request;
      for (std::uint64_t i = 1 + rng_.below(50); i > 0; --i)
        request.entries.push_back(invent_entry());
      return request;
    }
    case 4:
      return net::ReadAsk{1 + rng_.below(1000)};
    default:
      return net::Signatures{some_height(), draw_octets<chain::BlockId>(rng_), {}};
  }
}

net::Message Lies::make_answer() {
  const std::uint64_t number = 1 + rng_.below(40);  // others count from 1, too
  const auto* tip = recall<net::TipSaid>();
  const consensus::Term term{tip != nullptr ? std::max<std::uint64_t>(1, tip->term.value) : 1};
  switch (rng_.below(9)) {
    case 0:
      return net::EventsHeld{number, std::vector(1 + rng_.below(8), net::HoldResult::kHeld),
                             some_height()};
    case 1:
      return net::EventsSettled{
          number, std::vector(1 + rng_.below(8), static_cast<net::SettleResult>(rng_.below(4)))};
    case 2:
      return net::ReadTold{number, consensus::LogIndex{rng_.below(3)}, some_height()};
    case 3:
      return net::ReadRound{term, number};
    case 4:
      return net::ReadRoundHeld{term, number};
    case 5:
      return net::SettleHeld{term, some_height()};
    case 6:
      return net::SettleAsk{term, some_height()};
    case 7:
      return net::OrderTold{number, net::OrderOutcome::kRefused, "no", some_height(), false};
    default: {
      net::Signatures signatures;
      if (const auto* heard = recall<net::Signatures>()) signatures = *heard;
      if (rng_.chance(1, 2)) signatures.height = some_height();
      twist_certificate(signatures.signatures);
      return signatures;
    }
  }
}

net::Message Lies::twist(net::Message message) {
  if (auto* reply = std::get_if<net::BlocksReply>(&message)) {
    if (!reply->blocks.empty() && rng_.chance(1, 2))
      twist_block(reply->blocks[rng_.below(reply->blocks.size())]);
    else if (rng_.chance(1, 2))
      twist_certificate(reply->certificate);
    else
      drop_one(reply->blocks, rng_);
    return message;
  }
  if (auto* reply = std::get_if<net::HeadersReply>(&message)) {
    twist_certificate(reply->certificate);
    return message;
  }
  if (auto* push = std::get_if<net::TemplatePush>(&message)) {
    rng_.chance(1, 2) ? twist_content(push->made.content) : twist_header(push->made.header);
    return message;
  }
  if (auto* said = std::get_if<net::Signatures>(&message)) {
    twist_certificate(said->signatures);
    return message;
  }
  return garbled(message).value_or(std::move(message));
}

}  // namespace eventchain::sim
