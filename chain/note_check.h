#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string_view>
#include <utility>
#include <vector>

#include "chain/note.h"

// Who of known keys signed a note (C2SP signed-note). Pure.
namespace eventchain::chain {

// What a note's lines come to by some keys.
struct NoteVerdict {
  enum class Fault : std::uint8_t {
    kNone,
    kFalse,    // a line under a known name and id holds by none of the keys of that name and id
    kTooMany,  // more lines under a name and id, each another, than keys that they can be of
  };
  std::vector<bool> has_signed;  // by key
  Fault fault = Fault::kNone;
  std::size_t key = 0;  // of a fault: the first key of that name and id
};

// Ids of keys are short: anybody can make a key with the id of another one under the same name, by
// 2^32 attempts, and two of his own by 2^16. So a line is one of all keys that it may be of, and
// false only if it holds by none of them. The same line again counts once. Lines of other names or
// ids do not matter in any way.
//
// Cost: no more lines are verified than there are keys that they can be of, so that a note with a
// hundred lines of one key costs one of them; and each by each key at most once, however often and
// by however many sets of keys it is asked.
//
// The note outlives it. Not thread-safe.
class NoteCheck {
 public:
  explicit NoteCheck(const SignedNote& note) : note_(note) {}

  // `keys`: distinct.
  NoteVerdict judge(const std::vector<NoteVerifier>& keys);
  [[nodiscard]] const SignedNote& note() const { return note_; }
  // Signatures that were verified so far.
  [[nodiscard]] std::size_t verifications() const { return known_.size(); }

 private:
  bool holds(const PublicKey& key, std::size_t line);

  const SignedNote& note_;
  std::map<std::pair<PublicKey, std::size_t>, bool> known_;  // by key and line
};

}  // namespace eventchain::chain
