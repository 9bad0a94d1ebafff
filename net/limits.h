#pragma once

#include <chrono>
#include <cstddef>

// Every bound of the network room in one place, each with its reason.
namespace eventchain::net::limits {

// A frame holds the largest template (65,536 entries of 48 octets = 3.0 MiB) with room to spare.
inline constexpr std::size_t kFrameBytesMax = std::size_t{4} * 1024 * 1024;
// Bodies per Events message: small enough that Raft's messages never wait long behind one.
inline constexpr std::size_t kEventsBytesMax = std::size_t{1} * 1024 * 1024 + 64 * 1024;
inline constexpr std::size_t kEventsCountMax = 8192;
inline constexpr std::size_t kRefsCountMax = 16384;
inline constexpr std::size_t kShortIdsCountMax = 8192;  // what one Events can answer
inline constexpr std::size_t kBlocksPerReplyMax = 64;
inline constexpr std::size_t kBlocksReplyBytesMax = std::size_t{3} * 1024 * 1024 + 512 * 1024;
// Headers with seals and mostly empty annexes: some 0.5 KiB each where 16 shares seal a block.
inline constexpr std::size_t kHeadersPerReplyMax = 512;
inline constexpr std::size_t kHeadersReplyBytesMax = std::size_t{1} * 1024 * 1024;
inline constexpr std::size_t kRaftEntriesMax = 256;
// Far more servers than a Raft configuration can use; a bound for what a peer may claim.
inline constexpr std::size_t kRaftServersMax = 256;
// A certificate has at most one of each voter, and genesis allows seven.
inline constexpr std::size_t kSignaturesMax = 7;
inline constexpr std::size_t kSoftwareNameMax = 64;
// A hello has less than 200 octets, and fields may be added.
inline constexpr std::size_t kHelloBytesMax = 1024;
inline constexpr std::size_t kOrderMessageMax = 512;
// Whoever is behind by more says this; a bound so that no clock overflows.
inline constexpr std::chrono::milliseconds kTipAgeMax{std::chrono::hours(24 * 365)};
// What may wait to be sent to one peer; beyond it the peer is too slow and the link is closed.
inline constexpr std::size_t kSendQueueBytesMax = std::size_t{32} * 1024 * 1024;
inline constexpr std::chrono::seconds kHandshakeTimeout{5};
inline constexpr std::chrono::seconds kIdleTimeout{10};  // no frame at all, pings included
inline constexpr std::chrono::seconds kPingInterval{2};
// Connections accepted but not yet known to be a member's: what a stranger can make us hold.
inline constexpr std::size_t kHandshakesMax = 64;
// Wait before a peer is dialled again: doubles from the first to the last, jittered. A voter is
// needed by all; of the others one is as good as another.
inline constexpr std::chrono::milliseconds kDialDelayFirst{100};
inline constexpr std::chrono::milliseconds kDialDelayOfVoterMax{2000};
inline constexpr std::chrono::milliseconds kDialDelayMax{60'000};
// A link that ends younger than this does not end the doubling.
inline constexpr std::chrono::seconds kLinkSteadyAfter{10};
// Links that a node dials that does not vote. With 6 of its own and about as many of the others'
// the mesh holds together when a third of the nodes dies at once; two voters, so that one may fail.
inline constexpr std::size_t kOutgoingLinks = 6;
inline constexpr std::size_t kVoterLinks = 2;
// Links accepted from nodes that do not vote. The others' dials bring 4 on average; 5 voters have
// room for two links of each of 300 nodes, with fewer voters a node asks for one.
inline constexpr std::size_t kInboundLinksMax = 32;
inline constexpr std::size_t kInboundLinksOfVoterMax = 128;
// One random link gives way to another this often: cliques and a fooled choice do not last.
inline constexpr std::chrono::minutes kRotateLinksEvery{5};
// Octets handed to TLS in one go: many small frames share records and system calls, and an urgent
// frame waits behind no more than this (or behind one larger frame).
inline constexpr std::size_t kWriteRunBytes = std::size_t{256} * 1024;
inline constexpr std::size_t kReadBytes = std::size_t{64} * 1024;
// Warnings about refused connections per second; the rest is counted and logged for debugging.
inline constexpr int kRefusalLinesPerSecond = 5;

}  // namespace eventchain::net::limits
