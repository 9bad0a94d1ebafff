// What a full node does for light members, which keep headers and certificates only: it hands them
// those, and the headers of templates to mine. They send shares, and nothing else is expected of
// them.

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "net/limits.h"
#include "node/core_state.h"

namespace eventchain::node {

namespace {

// Contents read for one answer, most of which is left out of it: what a request may cost.
constexpr std::size_t kReadBytesMax = std::size_t{8} * 1024 * 1024;

std::size_t bytes_of(const chain::LightBlock& block) {
  constexpr std::size_t kHeaderBytes = 320;
  constexpr std::size_t kShareBytes = 12;
  std::size_t bytes = kHeaderBytes + kShareBytes * block.sealed.seal.shares.size();
  if (!block.annex.empty()) bytes += chain::encode_content({{}, block.annex}).size();
  return bytes;
}

}  // namespace

// Shares, and what it asks for; nothing that it claims. One that runs as a full node by mistake
// gets what it asks for, so that it comes as far as to learn what it is.
bool NodeCore::State::counts_of_light(const net::Message& message) {
  return std::holds_alternative<net::HeadersRequest>(message) ||
         std::holds_alternative<net::SharePush>(message) ||
         std::holds_alternative<net::BlocksRequest>(message) ||
         std::holds_alternative<net::TemplateRequest>(message) ||
         std::holds_alternative<net::EventsRequest>(message) ||
         std::holds_alternative<net::Hello>(message);
}

void NodeCore::State::said(const chain::NodeId& peer, const net::HeadersRequest& message) {
  Serving::Left* left = serving.begin(peer);
  if (left == nullptr) return;
  net::HeadersReply reply;
  reply.from = message.from;
  std::size_t bytes = 0;
  std::size_t read = 0;
  const std::size_t count = std::min<std::size_t>(message.count, net::limits::kHeadersPerReplyMax);
  for (std::size_t i = 0; i < count && read < kReadBytesMax; ++i) {
    const chain::Height height{message.from.value + i};
    if (height > ledger.state().height()) break;
    auto block = ledger.block(height);
    if (!block) {
      outbox.notice(Notice::Level::kError, block.error().message);
      break;
    }
    read += block->content.entries.size() * sizeof(chain::EntryRef);
    chain::LightBlock light{std::move(block->sealed), std::move(block->content.annex)};
    bytes += bytes_of(light);
    if (!reply.blocks.empty() && bytes > net::limits::kHeadersReplyBytesMax) break;
    reply.blocks.push_back(std::move(light));
  }
  left->read(read + bytes);
  left->looked_up(reply.blocks.size());
  // Up to the highest block that can be proven by those who may sign the first.
  while (!reply.blocks.empty()) {
    const chain::SealedHeader& last = reply.blocks.back().sealed;
    if (last.header.member_set == reply.blocks.front().sealed.header.member_set)
      reply.certificate = certifier.certificate_of(last, chain::block_id(last));
    if (!reply.certificate.empty()) break;
    reply.blocks.pop_back();
  }
  outbox.send(peer, std::move(reply));
}

void NodeCore::State::said(const chain::NodeId& peer, const net::HeadersReply&) {
  peer_fault(peer, Conduct::Fault::kWasteful, "headers, which this node has not asked for");
}

// Who sends it takes this node for a light member, and may be right: the blocks tell.
void NodeCore::State::said(const chain::NodeId&, const net::TemplateHeaderPush&) {}

void NodeCore::State::check_kind() {
  if (!members.is_light(members.self_id())) return;
  outbox.add(WrongKind{
      "the cluster knows this node as a light member, and node.light is not set; set node.light = "
      "true and let it start with a new data directory, or remove the member and let it join anew "
      "with another role"});
}

}  // namespace eventchain::node
