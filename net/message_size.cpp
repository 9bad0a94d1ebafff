#include "net/message_size.h"

#include <string>
#include <type_traits>
#include <variant>
#include <vector>

namespace eventchain::net {

namespace {

// A block of the heap has its own words, is rounded up, and where it is large begins a page.
constexpr std::size_t heap_bytes(std::size_t octets) {
  return octets == 0 ? 0 : octets + octets / 32 + 32;
}

template <class Item>
std::size_t array_bytes(const std::vector<Item>& items) {
  return heap_bytes(items.capacity() * sizeof(Item));
}

std::size_t text_bytes(const std::string& text) {
  return text.capacity() <= std::string().capacity() ? 0 : heap_bytes(text.capacity() + 1);
}

// What a value owns besides itself. A type that may own something and is not named here does not
// compile.
template <class Flat>
requires std::is_trivially_copyable_v<Flat> std::size_t owned_bytes(const Flat&) {
  return 0;
}

template <class Item>
requires std::is_trivially_copyable_v<Item> std::size_t owned_bytes(
    const std::vector<Item>& items) {
  return array_bytes(items);
}

// --- what chain and consensus define ------------------------------------------------------------

std::size_t owned_bytes(const chain::Member& member) {
  return text_bytes(member.name) + text_bytes(member.site) + text_bytes(member.peers_address) +
         text_bytes(member.api_address);
}
std::size_t owned_bytes(const chain::Invite& order) {
  return text_bytes(order.invitation.name) + text_bytes(order.invitation.site);
}
std::size_t owned_bytes(const chain::Admit& order) {
  return owned_bytes(order.member);
}
std::size_t owned_bytes(const chain::UpdateMember& order) {
  return owned_bytes(order.member);
}
std::size_t owned_bytes(const chain::MemberOrder& order) {
  return text_bytes(order.by) +
         std::visit([](const auto& what) { return owned_bytes(what); }, order.what);
}

std::size_t owned_bytes(const std::vector<chain::AnnexItem>& annex) {
  std::size_t bytes = array_bytes(annex);
  for (const chain::AnnexItem& item : annex)
    bytes += std::visit([](const auto& one) { return owned_bytes(one); }, item);
  return bytes;
}
std::size_t owned_bytes(const chain::BlockContent& content) {
  return array_bytes(content.entries) + owned_bytes(content.annex);
}
std::size_t owned_bytes(const chain::SealedHeader& sealed) {
  return array_bytes(sealed.seal.shares);
}

std::size_t owned_bytes(const consensus::AppendEntries& message) {
  std::size_t bytes = array_bytes(message.entries);
  for (const consensus::Entry& entry : message.entries) bytes += text_bytes(entry.payload);
  return bytes;
}
std::size_t owned_bytes(const consensus::InstallSnapshot& message) {
  return array_bytes(message.snapshot.meta.configuration) + text_bytes(message.snapshot.bytes);
}

// --- messages -----------------------------------------------------------------------------------

std::size_t owned_bytes(const std::vector<RawEvent>& events) {
  std::size_t bytes = array_bytes(events);
  for (const RawEvent& event : events) bytes += text_bytes(event.body);
  return bytes;
}

std::size_t owned_bytes(const Hello& message) {
  return text_bytes(message.software);
}
std::size_t owned_bytes(const RaftSaid& message) {
  return std::visit([](const auto& one) { return owned_bytes(one); }, message.envelope.message);
}
std::size_t owned_bytes(const Events& message) {
  return owned_bytes(message.events);
}
std::size_t owned_bytes(const EventsHeld& message) {
  return array_bytes(message.results);
}
std::size_t owned_bytes(const EventsSubmit& message) {
  return owned_bytes(message.events);
}
std::size_t owned_bytes(const EventsSettled& message) {
  return array_bytes(message.results);
}
std::size_t owned_bytes(const EventsAnnounce& message) {
  return array_bytes(message.entries) + array_bytes(message.ids);
}
std::size_t owned_bytes(const EventsRequest& message) {
  return array_bytes(message.entries) + array_bytes(message.ids);
}
std::size_t owned_bytes(const TemplatePush& message) {
  return owned_bytes(message.made.content);
}
std::size_t owned_bytes(const BlocksReply& message) {
  std::size_t bytes = array_bytes(message.blocks) + array_bytes(message.certificate);
  for (const chain::Block& block : message.blocks)
    bytes += owned_bytes(block.sealed) + owned_bytes(block.content);
  return bytes;
}
std::size_t owned_bytes(const Signatures& message) {
  return array_bytes(message.signatures);
}
std::size_t owned_bytes(const OrderAsk& message) {
  return std::visit([](const auto& order) { return owned_bytes(order); }, message.order);
}
std::size_t owned_bytes(const OrderTold& message) {
  return text_bytes(message.message);
}
std::size_t owned_bytes(const HeadersReply& message) {
  std::size_t bytes = array_bytes(message.blocks) + array_bytes(message.certificate);
  for (const chain::LightBlock& block : message.blocks)
    bytes += owned_bytes(block.sealed) + owned_bytes(block.annex);
  return bytes;
}

}  // namespace

std::size_t held_bytes(const Message& message) {
  return sizeof(Message) + std::visit([](const auto& one) { return owned_bytes(one); }, message);
}

}  // namespace eventchain::net
