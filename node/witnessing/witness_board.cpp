#include "node/witnessing/witness_board.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace eventchain::node {

using Kind = OfferOutcome::Kind;
using Cosigned = store::CosignatureMemory::Cosigned;
using Witnessed = store::CosignatureMemory::Witnessed;

namespace {

// A slow answer counts as long as its round is known.
constexpr std::size_t kRoundsMax = 16;

constexpr const char* kAlarmRemedy =
    "Either the history of this cluster was changed or put back to an older copy, or somebody else "
    "has its voters' keys. Stop relying on this log, keep its /checkpoint and the witness' answer, "
    "and see node/WITNESS.md, \"The alarm\"";

constexpr const char* kDiskRemedy =
    "Check the disk, \"eventchain chain verify\" the database beside it, and if it comes again "
    "move cosignatures.db away: node/WITNESS.md, \"Its memory\"";

std::string forgot_text(std::uint64_t size) {
  return fmt::format(
      "it had cosigned size {} for this node and knew less when it was asked again: its memory was "
      "put back to an older copy, and its word is worth little; ask its operator for a new witness "
      "with a new key. This is said for as long as its key is configured",
      size);
}

std::string verifier_text(const chain::NoteVerifier& verifier) {
  return chain::note_verifier_key(verifier.name, verifier.key, chain::NoteKeyKind::kCosignature);
}

WitnessCondition condition_of(Kind kind) {
  switch (kind) {
    case Kind::kCosigned:
      return WitnessCondition::kCosigns;
    case Kind::kOvertaken:
    case Kind::kSilent:
      return WitnessCondition::kSilent;
    case Kind::kRefused:
    case Kind::kDamaged:
      return WitnessCondition::kRefuses;
    case Kind::kContradicts:
      return WitnessCondition::kContradicts;
  }
  return WitnessCondition::kSilent;
}

}  // namespace

const char* to_string(WitnessCondition condition) {
  switch (condition) {
    case WitnessCondition::kUnasked:
      return "unasked";
    case WitnessCondition::kCosigns:
      return "cosigns";
    case WitnessCondition::kSilent:
      return "silent";
    case WitnessCondition::kRefuses:
      return "refuses";
    case WitnessCondition::kContradicts:
      return "contradicts";
    case WitnessCondition::kAhead:
      return "ahead";
  }
  return "unknown";
}

WitnessBoard::WitnessBoard(std::vector<WitnessName> witnesses, std::size_t quorum)
    : witnesses_(std::move(witnesses)),
      quorum_(quorum),
      known_(witnesses_.size()),
      forgot_(witnesses_.size()),
      failures_(witnesses_.size()),
      claims_(witnesses_.size()) {
  EC_ASSERT(quorum >= 1 && quorum <= witnesses_.size(), "the quorum can be met");
  for (const WitnessName& one : witnesses_) {
    WitnessReport report;
    report.name = one.verifier.name;
    report.url = one.url;
    reports_.push_back(std::move(report));
  }
}

std::vector<std::string> WitnessBoard::restore(const std::vector<Cosigned>& cosigned,
                                               const std::optional<Witnessed>& witnessed) {
  std::vector<std::string> problems;
  const auto add = [&](std::string problem) {
    if (!problem.empty()) problems.push_back(std::move(problem));
  };
  for (std::size_t i = 0; i < witnesses_.size(); ++i)
    for (const Cosigned& one : cosigned)
      if (one.witness == verifier_text(witnesses_[i].verifier)) add(restore_cosigned(i, one));
  if (witnessed) add(restore_witnessed(*witnessed));
  return problems;
}

bool WitnessBoard::is_by_witness(std::size_t witness, const chain::SignedNote& note) const {
  return std::ranges::any_of(note.signatures, [&](const chain::NoteSignature& line) {
    return chain::verified_cosignature(witnesses_[witness].verifier, note.text, line).has_value();
  });
}

// Whether there is a line of the witness' key, sound or not.
bool WitnessBoard::names_witness(std::size_t witness, const chain::SignedNote& note) const {
  const chain::NoteVerifier& verifier = witnesses_[witness].verifier;
  const auto id = chain::note_key_id(verifier.name, verifier.key, chain::NoteKeyKind::kCosignature);
  return std::ranges::any_of(note.signatures, [&](const chain::NoteSignature& line) {
    return line.name == verifier.name && line.key == id;
  });
}

// What is wrong with it; empty: nothing.
std::string WitnessBoard::restore_cosigned(std::size_t witness, const Cosigned& one) {
  if (one.forgot > 0) {
    forgot_[witness] = one.forgot;
    reports_[witness].problem = forgot_text(one.forgot);
  }
  const auto note = chain::decode_note(one.note);
  const auto head = note ? chain::parse_log_head(note->text)
                         : chain::Result<chain::LogHead>(tl::unexpected(note.error()));
  if (!head || head->size != one.size || !is_by_witness(witness, *note))
    return fmt::format(
        "what the witness {} cosigned last is damaged in cosignatures.db, and is not believed; it "
        "is asked what it knows, and whether it has forgotten anything cannot be told. {}",
        witnesses_[witness].verifier.name, kDiskRemedy);
  known_[witness] = reports_[witness].size = one.size;
  reports_[witness].time = one.time;
  return {};
}

std::string WitnessBoard::restore_witnessed(const Witnessed& witnessed) {
  const auto note = chain::decode_note(witnessed.note);
  const auto head = note ? chain::parse_log_head(note->text)
                         : chain::Result<chain::LogHead>(tl::unexpected(note.error()));
  if (!head)
    return fmt::format(
        "the checkpoint of size {} that witnesses cosigned for this node cannot be read in "
        "cosignatures.db, and so cannot be compared with the log ({}). Compare the log with "
        "/checkpoint/witnessed of another node, or with receipts. {}",
        witnessed.size, head.error().message, kDiskRemedy);
  std::size_t sound = 0;
  for (std::size_t i = 0; i < witnesses_.size(); ++i) {
    if (is_by_witness(i, *note))
      ++sound;
    else if (names_witness(i, *note))
      return fmt::format(
          "the checkpoint of size {} that witnesses cosigned for this node is damaged in "
          "cosignatures.db: it is not what the witness {} signed, and so cannot be compared with "
          "the log. Compare the log with /checkpoint/witnessed of another node, or with receipts. "
          "{}",
          witnessed.size, witnesses_[i].verifier.name, kDiskRemedy);
  }
  unconfirmed_ = *head;
  least_size_ = head->size;
  if (head->size != witnessed.size)
    return fmt::format(
        "the checkpoint that witnesses cosigned for this node is kept in cosignatures.db with two "
        "sizes, {} and {}; the log is compared with it, and it is not told to anybody. {}",
        witnessed.size, head->size, kDiskRemedy);
  if (sound >= quorum_) witnessed_ = witnessed;
  return {};
}

void WitnessBoard::confirm(bool is_in_log) {
  if (!unconfirmed_) return;
  if (!is_in_log) {
    alarm_ = fmt::format(
        "the checkpoint of size {} that witnesses cosigned for this node is not in its log any "
        "more. {}",
        unconfirmed_->size, kAlarmRemedy);
    return;
  }
  alarm_.clear();
  unconfirmed_.reset();
}

void WitnessBoard::miss() {
  if (unconfirmed_)
    alarm_ = fmt::format(
        "witnesses cosigned a checkpoint of size {} for this node, and the cluster's log is "
        "shorter. {}",
        unconfirmed_->size, kAlarmRemedy);
}

const WitnessBoard::Round& WitnessBoard::begin(Offer offer) {
  rounds_.push_back({++last_round_, std::move(offer), {}});
  rounds_.back().lines.resize(witnesses_.size());
  if (rounds_.size() > kRoundsMax) rounds_.pop_front();
  return rounds_.back();
}

const WitnessBoard::Round* WitnessBoard::find(std::uint64_t round) const {
  const auto found =
      std::ranges::find_if(rounds_, [&](const Round& one) { return one.number == round; });
  return found == rounds_.end() ? nullptr : &*found;
}

WitnessBoard::Kept WitnessBoard::prepare(std::uint64_t round, const Offer& offer,
                                         std::size_t witness, const OfferOutcome& outcome,
                                         chain::UnixMillis now) const {
  EC_ASSERT(outcome.kind == Kind::kCosigned, "only a cosignature is kept");
  chain::SignedNote alone = offer.note;
  alone.signatures.push_back(outcome.line);
  Kept kept{
      {verifier_text(witnesses_[witness].verifier), offer.head.size, outcome.time,
       encode_note(alone), std::max(forgot_[witness], outcome.has_forgotten ? known_[witness] : 0)},
      std::nullopt};
  const Round* found = find(round);
  if (found == nullptr || round < witnessed_round_ || unconfirmed_) return kept;
  // After a start the log may be final up to less than an earlier run has had witnessed.
  if (offer.head.size < least_size_) return kept;
  chain::SignedNote all = offer.note;
  for (std::size_t i = 0; i < found->lines.size(); ++i) {
    if (i == witness)
      all.signatures.push_back(outcome.line);
    else if (found->lines[i])
      all.signatures.push_back(*found->lines[i]);
  }
  const std::size_t cosignatures = all.signatures.size() - offer.note.signatures.size();
  if (cosignatures < quorum_) return kept;
  // Further ones do not make it any newer.
  const bool is_known = round == witnessed_round_ && witnessed_;
  kept.witnessed = Witnessed{offer.head.size, is_known ? witnessed_->seen : now, encode_note(all)};
  return kept;
}

void WitnessBoard::take_cosigned(std::uint64_t round, std::size_t witness,
                                 const OfferOutcome& outcome, Kept kept) {
  WitnessReport& report = reports_[witness];
  forgot_[witness] = kept.cosigned.forgot;
  // Who cosigns less than it named is put back, or not who named it: that settles nothing.
  if (claims_[witness] && kept.cosigned.size >= claims_[witness]->size) claims_[witness].reset();
  if (!claims_[witness] || !is_alarm(report.condition)) {
    report.condition = WitnessCondition::kCosigns;
    report.problem = forgot_[witness] > 0 ? forgot_text(forgot_[witness]) : "";
  }
  report.size = known_[witness] = kept.cosigned.size;
  report.time = kept.cosigned.time;
  ++report.cosigned;
  failures_[witness] = 0;
  for (Round& one : rounds_)
    if (one.number == round) one.lines[witness] = outcome.line;
  if (!kept.witnessed) return;
  witnessed_ = std::move(kept.witnessed);
  witnessed_round_ = round;
  least_size_ = witnessed_->size;
}

Notice WitnessBoard::take_failed(std::size_t witness, const OfferOutcome& outcome) {
  WitnessReport& report = reports_[witness];
  if (outcome.kind == Kind::kOvertaken) {
    // The first that is open stays: a log that never reaches it is not excused by later ones.
    if (!claims_[witness]) claims_[witness] = Claim{++claims_made_, outcome.known_size};
    return {Notice::Level::kDebug, fmt::format("witness: {} name={}", outcome.why, report.name)};
  }
  ++report.failed;
  ++failures_[witness];
  const WitnessCondition condition = condition_of(outcome.kind);
  const bool is_grave = is_alarm(condition);
  const std::string problem =
      is_grave ? fmt::format("{}. {}", outcome.why, kAlarmRemedy) : outcome.why;
  if (is_grave || !is_alarm(report.condition)) {
    report.condition = condition;
    report.problem = problem;
  }
  return {is_grave ? Notice::Level::kError : Notice::Level::kWarning,
          fmt::format("witness{}: {} name={} url={}", is_grave ? " ALARM" : "", problem,
                      report.name, report.url)};
}

bool WitnessBoard::has_claims() const {
  return std::ranges::any_of(claims_, [](const auto& one) { return one.has_value(); });
}

std::vector<Notice> WitnessBoard::judge_claims(const OwnLog& own, std::uint64_t made) {
  std::vector<Notice> told;
  for (std::size_t i = 0; i < claims_.size(); ++i) {
    WitnessReport& report = reports_[i];
    if (!claims_[i] || claims_[i]->number > made) continue;
    if (own.size >= claims_[i]->size) {
      claims_[i].reset();
      if (report.condition != WitnessCondition::kAhead) continue;
      report.condition = WitnessCondition::kUnasked;
      report.problem = forgot_[i] > 0 ? forgot_text(forgot_[i]) : "";
      told.push_back({Notice::Level::kWarning,
                      fmt::format("witness: the log has reached what it had cosigned, and the "
                                  "alarm is over name={}",
                                  report.name)});
    } else if (own.is_current && !is_alarm(report.condition)) {
      report.condition = WitnessCondition::kAhead;
      report.problem =
          fmt::format("it has cosigned this log up to size {}, and the cluster has {}. {}",
                      claims_[i]->size, own.size, kAlarmRemedy);
      told.push_back({Notice::Level::kError, fmt::format("witness ALARM: {} name={} url={}",
                                                         report.problem, report.name, report.url)});
    }
  }
  return told;
}

std::uint64_t WitnessBoard::witnessed_size() const {
  return witnessed_ && !unconfirmed_ ? witnessed_->size : 0;
}

std::optional<std::string> WitnessBoard::witnessed_note() const {
  if (!witnessed_ || unconfirmed_) return std::nullopt;
  return witnessed_->note;
}

std::vector<chain::NoteSignature> WitnessBoard::cosignatures_on(chain::ByteView text) const {
  std::vector<chain::NoteSignature> found;
  // The newest round of that text; where nothing new is final, many rounds offer the same.
  for (std::size_t i = 0; i < witnesses_.size(); ++i)
    for (auto round = rounds_.rbegin(); round != rounds_.rend(); ++round)
      if (round->lines[i] && round->offer.note.text == text) {
        found.push_back(*round->lines[i]);
        break;
      }
  if (!found.empty()) return found;
  // After a restart, what an earlier run has kept.
  const auto note = chain::decode_note(witnessed_note().value_or(""));
  if (!note || note->text != text) return found;
  for (const chain::NoteSignature& line : note->signatures)
    for (const WitnessName& one : witnesses_)
      if (chain::verified_cosignature(one.verifier, text, line)) found.push_back(line);
  return found;
}

WitnessesReport WitnessBoard::report() const {
  WitnessesReport made;
  made.quorum = quorum_;
  made.witnesses = reports_;
  made.size = witnessed_size();
  if (made.size > 0) made.seen = witnessed_->seen;
  made.alarm = alarm_;
  return made;
}

std::chrono::milliseconds pause_after(unsigned failures, std::chrono::milliseconds interval,
                                      double draw) {
  if (failures == 0) return std::chrono::milliseconds(0);
  constexpr unsigned kDoublingsMax = 4;
  const auto most = interval * (1U << std::min(failures - 1, kDoublingsMax));
  return std::chrono::duration_cast<std::chrono::milliseconds>(most * (0.75 + draw / 2));
}

}  // namespace eventchain::node
