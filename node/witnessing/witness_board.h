#pragma once

#include <chrono>
#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "node/effects.h"
#include "node/witnessing/offer.h"
#include "node/witnessing/report.h"
#include "store/witness_memory.h"

namespace eventchain::node {

struct WitnessName {
  chain::NoteVerifier verifier;
  std::string url;
};

// How far this node's own log is.
struct OwnLog {
  std::uint64_t size = 0;
  // The node asked the cluster, after what it is compared with was said, and the size is of a log
  // that has all that was committed before it asked. That it heard from its leader a moment ago is
  // not enough: another node of the cluster may have shown a witness more within that moment.
  bool is_current = false;
};

// What this node knows of its witnesses: whose cosignatures it holds for which checkpoint, since
// when there are enough, and what is wrong with whom. Decides; log_witnesses asks, keeps and tells.
//
// Checkpoints are offered in rounds, the same one to all, because only cosignatures of the same
// text stand under one note. An answer may come when later rounds have begun; it still counts for
// its own. Not thread-safe.
class WitnessBoard {
 public:
  // `quorum`: from 1 to witnesses.size().
  WitnessBoard(std::vector<WitnessName> witnesses, std::size_t quorum);

  // What an earlier run kept. Witnesses that are not configured any more do not count, and a
  // checkpoint that the present quorum is not met for is not witnessed any more. Nothing of it is
  // told, and nothing takes its place, before confirm(): a log that is not what was witnessed must
  // not make anybody forget what was. That a witness forgot stays said for as long as its key is
  // configured.
  //
  // Returns what of it is damaged, and what to do about that, a sentence each: what cannot be read,
  // says two sizes, or is not what a witness signed, is not believed. A checkpoint of two sizes is
  // compared all the same.
  std::vector<std::string> restore(
      const std::vector<store::CosignatureMemory::Cosigned>& cosigned,
      const std::optional<store::CosignatureMemory::Witnessed>& witnessed);
  // The kept checkpoint's head, as long as nobody has compared it with the node's log.
  [[nodiscard]] const std::optional<chain::LogHead>& unconfirmed() const { return unconfirmed_; }
  // Whether the log has that root at that size.
  void confirm(bool is_in_log);
  // The node's log is shorter, and it is current.
  void miss();

  struct Round {
    std::uint64_t number = 0;
    Offer offer;
    std::vector<std::optional<chain::NoteSignature>> lines;  // by witness
  };
  // Valid until the next one.
  const Round& begin(Offer offer);

  // What a cosignature leaves to be kept; it counts once that is on the disk and it was taken.
  struct Kept {
    store::CosignatureMemory::Cosigned cosigned;
    std::optional<store::CosignatureMemory::Witnessed> witnessed;
  };
  // Pre: the outcome is kCosigned, for the offer of that round.
  [[nodiscard]] Kept prepare(std::uint64_t round, const Offer& offer, std::size_t witness,
                             const OfferOutcome& outcome, chain::UnixMillis now) const;
  void take_cosigned(std::uint64_t round, std::size_t witness, const OfferOutcome& outcome,
                     Kept kept);
  // Any other outcome; what operators are told. That a witness knows more than it was offered is a
  // claim, and no fault of anybody: another node was quicker. An alarm is not taken back by a
  // witness that is silent afterwards, refuses, or cosigns less than it named.
  Notice take_failed(std::size_t witness, const OfferOutcome& outcome);

  // Whether a witness has named a size that the log has not been seen to reach since.
  [[nodiscard]] bool has_claims() const;
  // How many claims there have been. Whoever asks the cluster how far the log is takes the number
  // before: what is claimed while he asks is not to be judged by the answer.
  [[nodiscard]] std::uint64_t claims_made() const { return claims_made_; }
  // Those among the first `made` that the log has reached are settled, and with them their alarms.
  // The others mean that the cluster's log is shorter than one that was witnessed, if it is
  // current: the alarm. Tells what is new.
  std::vector<Notice> judge_claims(const OwnLog& own, std::uint64_t made);

  [[nodiscard]] std::uint64_t known_size(std::size_t witness) const { return known_[witness]; }
  [[nodiscard]] unsigned failures(std::size_t witness) const { return failures_[witness]; }
  [[nodiscard]] std::uint64_t witnessed_size() const;
  [[nodiscard]] std::optional<std::string> witnessed_note() const;
  [[nodiscard]] std::vector<chain::NoteSignature> cosignatures_on(chain::ByteView text) const;
  [[nodiscard]] WitnessesReport report() const;

 private:
  [[nodiscard]] const Round* find(std::uint64_t round) const;
  std::string restore_cosigned(std::size_t witness, const store::CosignatureMemory::Cosigned& one);
  std::string restore_witnessed(const store::CosignatureMemory::Witnessed& witnessed);
  [[nodiscard]] bool is_by_witness(std::size_t witness, const chain::SignedNote& note) const;
  [[nodiscard]] bool names_witness(std::size_t witness, const chain::SignedNote& note) const;

  const std::vector<WitnessName> witnesses_;
  const std::size_t quorum_;
  std::vector<WitnessReport> reports_;
  std::vector<std::uint64_t> known_;
  std::vector<std::uint64_t> forgot_;  // by witness: the most that it had cosigned; 0: it did not
  std::vector<unsigned> failures_;     // one after the other
  struct Claim {
    std::uint64_t number = 0, size = 0;
  };
  std::vector<std::optional<Claim>> claims_;  // by witness, the first that is open
  std::uint64_t claims_made_ = 0;
  std::deque<Round> rounds_;
  std::uint64_t last_round_ = 0;
  std::optional<store::CosignatureMemory::Witnessed> witnessed_;
  std::uint64_t witnessed_round_ = 0;  // 0: an earlier run's
  std::uint64_t least_size_ = 0;       // of what may take its place
  std::optional<chain::LogHead> unconfirmed_;
  std::string alarm_;
};

// How long a witness is left alone after so many failures, one after the other: twice as long each
// time, up to 16 intervals. `draw` in 0..1 spreads it by a quarter to both sides, so that the nodes
// of a cluster do not come back all at once.
std::chrono::milliseconds pause_after(unsigned failures, std::chrono::milliseconds interval,
                                      double draw);

}  // namespace eventchain::node
