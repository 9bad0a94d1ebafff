#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "node/evidence.h"
#include "node/inputs.h"

// Answers of the core. Effects of a turn are carried out after the turn's transaction is durable,
// in order; that one rule is what "durable before promised" rests on. Those that claim nothing of
// this node's disk may leave ahead of it.
namespace eventchain::node {

// What became of one submitted event, as of the answer.
struct EventOutcome {
  enum class State : std::uint8_t {
    kReceived,
    kDurable,
    kCompleted,
    kRejected,         // by a block, with `rejection`
    kKeyConflict,      // the key names other content
    kVersionConflict,  // the stream stands past the expected version: `version` tells where
    kPoolFull,         // come back later
    kDiskFull,
    kDraining,  // go to another node
  };
  chain::EventKey key;
  State state = State::kReceived;
  std::optional<chain::Position> position;      // completed
  std::optional<chain::StreamVersion> version;  // completed: its own; conflict: the current one
  std::optional<chain::Height> height;          // completed or rejected
  std::optional<chain::RejectionReason> rejection;
  bool is_final = false;  // completed, and a majority of voters has signed that
  bool operator==(const EventOutcome&) const = default;
};

struct Answer {
  RequestId request;
  std::vector<EventOutcome> outcomes;
  // False: the deadline came first; outcomes tell how far the events had come.
  bool reached = true;
};

// An event that waits for its block, and how far it has come as far as this node knows.
struct PendingLookup {
  chain::HeldEvent event;
  chain::PendingStage stage = chain::PendingStage::kReceived;
};

struct PendingAnswer {
  RequestId request;
  std::optional<PendingLookup> pending;  // nullopt: not pending here
};

// The store's readers see all that was committed before the read was asked for; or, if not
// `reached`, nobody could be found to say so.
struct ReadReady {
  RequestId request;
  bool reached = true;
};

struct OrderAnswer {
  RequestId request;
  net::OrderOutcome outcome = net::OrderOutcome::kDone;
  std::string message;   // why not
  chain::Height height;  // of the block that has it
};

struct Send {
  std::vector<chain::NodeId> to;
  net::Message message;
};
struct HangUp {
  chain::NodeId peer;
  std::string reason;
};
struct Mine {
  mining::WorkOrder order;
};
struct StopMining {};
// Shares are collected for this template from now on; for none. Told only where checking one takes
// long, for those who compute ahead (share_queue.h), and once more when it has all it needs.
struct InHand {
  std::optional<chain::TemplateHeader> header;
  bool is_full = false;
};

// A block was committed and applied here.
struct TipMoved {
  chain::Height height;
  chain::BlockId id;
  std::uint64_t log_size = 0;
  std::uint64_t events = 0;
  chain::UnixMillis sealed_at;
};

// A block has changed the member set: links and lists follow it.
struct MembersChanged {
  chain::MembersRef members;
  chain::Height as_of;  // the newest block
  // Just removed: they keep their links for a little while, so that they learn of it.
  std::vector<chain::NodeId> leaving;
};
// This node was removed: it must not run any longer.
struct Removed {};

// This node's disk is an older copy of itself: it has forgotten what others count on, and must not
// say anything any more.
struct RolledBack {
  std::string reason;
};

// The cluster's feature level is above what this program can do: it would misread what comes next.
struct Outdated {
  std::string reason;
};

// The member record names a light member, and this program runs as a full one, or the reverse: what
// others expect of it and what it does differ, so it must not go on.
struct WrongKind {
  std::string reason;
};

// Something an operator may want to read; the shell logs it.
struct Notice {
  enum class Level : std::uint8_t { kDebug, kInfo, kWarning, kError };
  Level level = Level::kInfo;
  std::string text;  // "what happened key=value ..."
};

using Effect = std::variant<Answer, PendingAnswer, ReadReady, OrderAnswer, Send, HangUp, Mine,
                            StopMining, InHand, TipMoved, MembersChanged, Removed, RolledBack,
                            Notice, Outdated, WrongKind, Evidence>;

// What a turn wants done.
struct Effects {
  std::vector<Effect> ahead;         // rest on nothing that this turn writes: before its commit
  std::vector<Effect> when_durable;  // after its commit, in order
};

}  // namespace eventchain::node
