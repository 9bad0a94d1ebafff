#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "chain/result.h"
#include "node/effects.h"
#include "node/port.h"
#include "node/witnessing/report.h"
#include "store/chain_reader.h"
#include "store/witness_memory.h"

namespace eventchain::node {

struct LogWitnessesOptions {
  struct Place {
    chain::NoteVerifier verifier;
    std::string url;      // add-checkpoint is below it
    std::string ca_file;  // PEM; empty: the system's authorities
  };
  std::vector<Place> witnesses;
  std::size_t quorum = 1;
  std::chrono::milliseconds interval{60'000};
  std::chrono::milliseconds timeout{10'000};
  std::function<void(Notice::Level, const std::string&)> log;
};

// Shows this node's newest final checkpoint to the log's witnesses, every interval, and keeps what
// they cosign. Beside the node: a thread for each witness and one for the rounds; nothing waits for
// them, and the core does not know of them.
//
// Lifecycle: make(), start(), stop() (or the destructor), which ends requests that are under way.
// Port, reader and memory outlive it; stop it before the runtime.
class LogWitnesses final : public Witnesses {
 public:
  static chain::Result<std::unique_ptr<LogWitnesses>> make(LogWitnessesOptions options,
                                                           NodePort& port,
                                                           store::ChainReader& reader,
                                                           store::CosignatureMemory& memory);
  ~LogWitnesses() override;
  LogWitnesses(const LogWitnesses&) = delete;
  LogWitnesses& operator=(const LogWitnesses&) = delete;

  void start();
  void stop();

  [[nodiscard]] WitnessesReport report() const override;
  [[nodiscard]] std::uint64_t witnessed_size() const override;
  [[nodiscard]] std::optional<std::string> witnessed_note() const override;
  [[nodiscard]] std::vector<chain::NoteSignature> cosignatures_on(
      chain::ByteView text) const override;

 private:
  struct State;
  explicit LogWitnesses(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace eventchain::node
