#pragma once

#include <optional>
#include <vector>

#include "consensus/core.h"
#include "consensus/replica.h"
#include "consensus/types.h"

namespace eventchain::consensus {

// Lets into the log only entries that the node can vouch for (Admission), so that "committed"
// implies "a quorum holds and has checked the bodies". It stands at receive: what is held back was
// never in the log, which to Raft looks like a slow network and can always be replaced by what the
// next leader sends. Holding back the acknowledgement of entries already in the log instead would
// block that log for ever when the only holder of a body dies.
//
// From each AppendEntries the admissible prefix passes; the rest is kept, in one contiguous tail.
// The sender still gets its answers: what it sends behind or into the tail passes as a heartbeat
// anchored where the tail begins. A snapshot the state machine cannot take yet is kept likewise.
//
// Owned by Replica, no calls back. Only the leader of the newest term has anything here, since a
// term has one leader; an older tail is dropped. Invariant: the tail's anchor is in our log with
// the anchor's term. Bounds: kHeldEntriesMax entries and kHeldBytesMax octets (eight full
// messages), one snapshot; what exceeds them is lost and will be sent again.
class BodyGate {
 public:
  static constexpr std::size_t kHeldEntriesMax = 8 * 256;
  static constexpr std::size_t kHeldBytesMax = std::size_t{8} << 20;

  // `envelope` has passed find_fault, judge and trim. What may be given to the core now.
  std::optional<Envelope> pass(Envelope envelope, const Core& core, Admission& admission);
  // Asks again. Nothing, or one envelope to give to the core; call again until nothing.
  std::optional<Envelope> reconsider(const Core& core, Admission& admission);

  [[nodiscard]] bool is_holding() const { return tail_ || snapshot_; }
  [[nodiscard]] std::vector<Entry> held_back() const;  // commands only, oldest first
  [[nodiscard]] std::optional<Snapshot> held_back_snapshot() const;

 private:
  struct Tail {
    ServerId from;
    ServerId to;
    AppendEntries message;  // prev is the anchor; leader_commit the newest heard
    std::size_t bytes = 0;
  };

  void drop_outdated(const Core& core);
  bool is_sender_of(const Envelope& envelope, Term term) const;
  std::optional<Envelope> pass_entries(Envelope envelope, const Core& core, Admission& admission);
  std::optional<Envelope> pass_snapshot(Envelope envelope, const Core& core, Admission& admission);
  void join(AppendEntries& message);
  void hold_from(std::size_t first, AppendEntries& message);
  // Moves the admissible head of the tail into a message; the message may be an empty heartbeat.
  Envelope release(const Core& core, Admission& admission);

  std::optional<Tail> tail_;
  std::optional<Envelope> snapshot_;  // an InstallSnapshot
};

}  // namespace eventchain::consensus
