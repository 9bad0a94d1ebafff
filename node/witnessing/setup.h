#pragma once

#include <memory>

#include "chain/genesis.h"
#include "chain/keys.h"
#include "node/config.h"
#include "node/log.h"
#include "node/metrics.h"
#include "node/port.h"
#include "node/witnessing/cosigner.h"
#include "node/witnessing/report.h"
#include "store/chain_reader.h"

namespace eventchain::node {

// In witness.directory, beside the witness' memory.
inline constexpr const char* kWitnessKeyName = "key.pem";

// The key of the witness that the configuration names; null if it names none. Refused: a key that
// others than its user can read, and one that is a member's, so that whoever has the one cannot do
// what the other is for. Errors name the file and what to do.
chain::Result<std::unique_ptr<chain::Ed25519>> load_witness_key(
    const Config& config, const chain::PublicKey& signing_key);

// What of witnesses a node has by its configuration: those of its own log, and the witness that it
// is itself, with its listener. Made before the API, which tells of them; started when the rest
// runs; stopped before the runtime.
class Witnessing {
 public:
  // What it is made of; what is referred to outlives it.
  struct Place {
    const Config& config;
    const chain::Genesis& genesis;
    chain::PublicKey signing_key;  // the member's
    NodePort& port;
    store::ChainReader& reader;
    Log& log;
    Metrics& metrics;
  };
  static chain::Result<std::unique_ptr<Witnessing>> make(const Place& place);
  ~Witnessing();
  Witnessing(const Witnessing&) = delete;
  Witnessing& operator=(const Witnessing&) = delete;

  chain::Result<void> start();
  void stop();
  // Reads the certificate of the witness' listener again; nothing where there is none.
  chain::Result<void> reload_tls();

  [[nodiscard]] const Witnesses* witnesses() const;  // null: none
  [[nodiscard]] Cosigner* cosigner() const;          // null: this node is no witness

 private:
  struct Parts;
  explicit Witnessing(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

}  // namespace eventchain::node
