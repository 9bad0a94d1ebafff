#pragma once

#include <optional>
#include <string>
#include <vector>

#include "consensus/core.h"
#include "consensus/types.h"

// What a received message must pass before the library sees it. Pure functions: each rule yields
// messages that a correct leader could have sent, or loses one, so Raft's proof is untouched.
// README.md says which defect of the library each rule answers.
namespace eventchain::consensus::ingress {

// Bounds of one message, kept by our own senders too.
inline constexpr std::size_t kEntriesMax = 256;
inline constexpr std::size_t kPayloadBytesMax = 1 << 20;  // of one entry

// Context-free: nullopt if the message is one that a correct server of this software can send,
// otherwise what is wrong with it.
[[nodiscard]] std::optional<std::string> find_fault(const Envelope& envelope, ServerId self);

enum class Verdict : std::uint8_t {
  kPass,
  kMalformed,       // contradicts what a correct peer can say to us now
  kStaleRejection,  // R3
  kUseless,         // an answer to a question no longer asked
};
// Contextual: what must be dropped in the present state.
[[nodiscard]] Verdict judge(const Envelope& envelope, const Core& core);

// R1: cuts off what lies at or below our commit index. True if the message was changed.
bool trim(AppendEntries& message, const Core& core);

// R2: pieces in which a configuration change can only be the first entry.
[[nodiscard]] std::vector<AppendEntries> split(AppendEntries message);

}  // namespace eventchain::consensus::ingress
