#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "chain/cosignature.h"
#include "chain/log_witness.h"
#include "net/http/client.h"

namespace eventchain::node {

// A checkpoint is shown to one witness, and what its answer means. Decides; who asks and when is
// log_witnesses'. No sockets, no clock.

struct Offer {
  chain::LogHead head;
  chain::SignedNote note;  // of that head, signed by the log's voters
};

struct OfferOutcome {
  enum class Kind : std::uint8_t {
    kCosigned,
    kOvertaken,    // it knows a larger head than the one that was offered
    kSilent,       // no answer, or none now: it may come later
    kRefused,      // an answer that somebody has to do something about
    kContradicts,  // it knows a head that is no beginning of this one: two histories
    kDamaged,      // this node's own log does not lead to the head; nothing was sent
  };
  Kind kind = Kind::kSilent;
  std::string why;               // for people; empty when it cosigned
  std::uint64_t known_size = 0;  // that it says it knows; after kOvertaken and kContradicts
  chain::NoteSignature line;     // after kCosigned, like `time`
  chain::UnixSeconds time;
  // It knows less than it has cosigned for this node before: its memory was put back.
  bool has_forgotten = false;
};

// One POST of add-checkpoint; the error says why there is no answer.
using PostCheckpoint =
    std::function<chain::Result<net::http::ClientAnswer>(const std::string& body)>;

// Asks once, and again if the witness names another size to begin from. `known_size` is what this
// node believes that it knows: 0 if nothing. `read` has the hashes of the node's log.
//
// A conflict (409) at the very size that is offered may come without a size: tlog-witness asks for
// none where the roots differ. That is a witness with another history, or something between that
// answers so to everything. So it is asked from 0: a witness must then name the size it knows.
OfferOutcome offer_checkpoint(const chain::NoteVerifier& witness, const Offer& offer,
                              std::uint64_t known_size, const chain::TreeReader& read,
                              const PostCheckpoint& post);

}  // namespace eventchain::node
