#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "chain/keys.h"
#include "chain/log_witness.h"
#include "net/http/response.h"
#include "node/effects.h"
#include "node/witnessing/report.h"
#include "store/witness_memory.h"

namespace eventchain::node {

struct CosignerOptions {
  chain::NoteVerifier self;  // whose private half `signing` is
  std::vector<chain::WitnessedLog> logs;
  std::function<chain::UnixMillis()> wall_clock;  // empty: the system's
  std::function<void(Notice::Level, const std::string&)> log;
  // Two signed heads of one size, as a text for people: the file that has it now. Does not throw;
  // on the cosigner's thread.
  std::function<chain::Result<std::string>(const std::string& name, const std::string& text)>
      keep_evidence;
};

// A witness of other logs (C2SP tlog-witness): takes add-checkpoint requests and cosigns what
// continues what it has cosigned. One thread takes them one after the other: each is judged against
// what is on the disk, the new head is on the disk before its cosignature exists, and so no crash
// and no two requests at once bring out two histories or a log that shrinks.
//
// Anybody may ask: who may have a log witnessed is told by the log's own signatures. A head that it
// has cosigned before is cosigned again without a write, so that asking costs it no sync.
//
// Lifecycle: `signing` and `memory` outlive it. stop() (or the destructor) answers nobody any more
// and joins. After the disk failed it cosigns nothing until it is started again, since nobody knows
// what the disk has.
class Cosigner {
 public:
  using Answer = std::function<void(net::http::Response)>;

  Cosigner(CosignerOptions options, chain::Signing& signing, store::WitnessMemory& memory);
  ~Cosigner();
  Cosigner(const Cosigner&) = delete;
  Cosigner& operator=(const Cosigner&) = delete;

  // Thread-safe, returns at once. `answer` is called once, on the cosigner's thread or, when too
  // many wait or the body is too large, on this one; never after stop().
  void add_checkpoint(std::string body, Answer answer);
  void stop();
  [[nodiscard]] CosignerReport report() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace eventchain::node
