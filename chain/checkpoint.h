#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "chain/certificate.h"
#include "chain/contradiction.h"
#include "chain/note_check.h"

// Checkpoints that somebody kept (C2SP tlog-checkpoint), and who signed them. Pure.
namespace eventchain::chain {

// A signed note, whose text is a certified statement.
struct SignedHead {
  HistoryPoint::Block block;
  SignedNote note;
};

// A head of the log that the reader has from elsewhere.
struct KnownLog {
  std::string origin;  // of which log, as log_origin() has it
  std::uint64_t size = 0;
  Hash root;
  // Between this and the log as of a receipt's block. Else the receipt's own is used.
  std::optional<std::vector<Hash>> path{};
  std::optional<SignedHead> head{};  // nullopt: nobody signed it; its reader believes it
};
HistoryPoint point_of(const KnownLog& known);

// Foreign text: origin, size and root in a line each; with signatures, the certified statement and
// a line for each of them. Whether these hold, nobody has asked yet.
Result<KnownLog> parse_checkpoint(std::string_view text);

// Who signs from a block on: `set` is in force after block `since`, up to the next one.
struct SignersSince {
  Height since;
  MembersRef set;
};
// Ascending from height 0 on; never empty.
using SignerHistory = std::vector<SignersSince>;
// The set that a block at `height` names, as far as signers go, and the set in force after it.
const MemberSet& signers_before(const SignerHistory& history, Height height);
const MemberSet& signers_after(const SignerHistory& history, Height height);

// What the voters' signatures on a note come to. Those of others, witnesses for example, do not
// matter in any way. NoteCheck says which lines are whose, and what is wrong with one.
struct NoteSigners {
  std::vector<Member> voters;  // whose signatures hold
  std::string fault;           // what is wrong with one that does not; empty: nothing
  bool is_majority = false;
  [[nodiscard]] bool are_enough() const { return fault.empty() && is_majority; }
};
NoteSigners signers_of_note(const SignedNote& note, std::string_view origin,
                            const MemberSet& before, const MemberSet& after);
// The same, for whoever asks by several sets of voters.
NoteSigners signers_of_note(NoteCheck& check, std::string_view origin, const MemberSet& before,
                            const MemberSet& after);

}  // namespace eventchain::chain
