#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "chain/cosignature.h"

// What a node knows of the witnesses of its log, and of the logs that it is a witness of: values
// for the API and the metrics.
namespace eventchain::node {

enum class WitnessCondition : std::uint8_t {
  kUnasked,  // not since the start, or since an alarm was settled
  kCosigns,
  kSilent,       // gives no answer
  kRefuses,      // gives one that somebody has to do something about
  kContradicts,  // knows another history of this log
  kAhead,        // knows more of this log than the cluster has, by the cluster's own later word
};
const char* to_string(WitnessCondition condition);
// Whether it means that somebody may have changed history.
constexpr bool is_alarm(WitnessCondition condition) {
  return condition == WitnessCondition::kContradicts || condition == WitnessCondition::kAhead;
}

struct WitnessReport {
  std::string name;
  std::string url;
  WitnessCondition condition = WitnessCondition::kUnasked;
  std::string problem;     // for people, with the remedy; empty: none
  std::uint64_t size = 0;  // of the last head that it cosigned here; 0: none
  std::optional<chain::UnixSeconds> time = std::nullopt;  // of that, by its clock
  std::uint64_t cosigned = 0, failed = 0;                 // answers since the start
};

struct WitnessesReport {
  std::size_t quorum = 0;
  std::vector<WitnessReport> witnesses;  // as configured
  std::uint64_t size = 0;                // of the newest witnessed checkpoint; 0: none
  std::optional<chain::UnixMillis> seen = std::nullopt;         // by this node's clock
  std::optional<std::chrono::milliseconds> age = std::nullopt;  // since then
  // What this node's own memory of witnesses has against its log; empty: nothing.
  std::string alarm;
  std::string failure;  // its disk failed, and no cosignature counts any more; empty: it works
};

// The witnesses of this node's log, as the API sees them. Thread-safe.
class Witnesses {
 public:
  virtual ~Witnesses() = default;
  [[nodiscard]] virtual WitnessesReport report() const = 0;
  // Events below it are witnessed.
  [[nodiscard]] virtual std::uint64_t witnessed_size() const = 0;
  // The newest checkpoint that enough witnesses have cosigned, with the cosignatures.
  [[nodiscard]] virtual std::optional<std::string> witnessed_note() const = 0;
  // Those that are held for a checkpoint of exactly this text.
  [[nodiscard]] virtual std::vector<chain::NoteSignature> cosignatures_on(
      chain::ByteView text) const = 0;
};

// What a witness did since it started.
struct CosignerReport {
  struct Log {
    std::string origin;
    std::uint64_t size = 0;  // of the last head it cosigned; 0: none
  };
  std::vector<Log> logs;
  std::uint64_t cosigned = 0;
  // Heads, each counted once: with another root of a size it had cosigned; and those that nothing
  // showed to continue what it knows.
  std::uint64_t contradictions = 0;
  std::uint64_t unproven = 0;
  std::uint64_t refused = 0;  // for any other reason
  std::string failure;        // its disk failed, and it cosigns nothing any more
};

}  // namespace eventchain::node
