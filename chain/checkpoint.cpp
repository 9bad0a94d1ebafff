#include "chain/checkpoint.h"

#include <algorithm>

#include "chain/log_head.h"
#include "chain/text.h"

namespace eventchain::chain {

namespace {

Result<KnownLog> known_log(Result<LogHead> head) {
  if (!head) return tl::unexpected<Error>(std::move(head.error()));
  return KnownLog{std::move(head->origin), head->size, head->root};
}

// What follows `name` in a line, and a space.
std::optional<std::string_view> value_of(std::optional<std::string_view> line,
                                         std::string_view name) {
  if (!line || !line->starts_with(name)) return std::nullopt;
  return line->substr(name.size());
}

template <class Kind>
std::optional<Kind> parse_hex(std::optional<std::string_view> text) {
  const auto octets = text ? from_hex(*text) : std::nullopt;
  return octets ? Kind::from(*octets) : std::nullopt;
}

// The three lines of a certified statement that a plain checkpoint has not.
std::optional<HistoryPoint::Block> parse_block(std::string_view text) {
  const auto height_text = value_of(take_line(text), "height ");
  const auto id = parse_hex<BlockId>(value_of(take_line(text), "block "));
  const auto members = parse_hex<Hash>(value_of(take_line(text), "members "));
  const auto height = height_text ? parse_decimal(*height_text) : std::nullopt;
  if (!height || !id || !members || !text.empty()) return std::nullopt;
  return HistoryPoint::Block{Height{*height}, *id};
}

bool is_printable(std::string_view text) {
  return is_utf8(text) && std::ranges::none_of(text, [](char octet) {
           return static_cast<unsigned char>(octet) < ' ' && octet != '\n';
         });
}

}  // namespace

HistoryPoint point_of(const KnownLog& known) {
  const auto block = known.head ? std::optional(known.head->block) : std::nullopt;
  return {block, known.size, known.root};
}

Result<KnownLog> parse_checkpoint(std::string_view text) {
  if (text.size() > kNoteBytesMax)
    return fail(ErrorCode::kTooLarge,
                "a checkpoint has a mebibyte at most; this is something else");
  if (text.find("\n\n") == std::string_view::npos) {
    if (!is_printable(text) || !text.ends_with('\n'))
      return fail(ErrorCode::kMalformed, "the checkpoint is no text, or was cut: get it again");
    return known_log(take_log_head(text));
  }
  auto note = decode_note(text);
  if (!note) return tl::unexpected<Error>(note.error());
  std::string_view rest = note->text;
  auto known = known_log(take_log_head(rest));
  if (!known) return known;
  const auto block = parse_block(rest);
  if (!block)
    return fail(ErrorCode::kMalformed,
                "the checkpoint is signed, and does not say height, block and members in a line "
                "each as this chain's voters do");
  known->head = SignedHead{*block, std::move(*note)};
  return known;
}

const MemberSet& signers_before(const SignerHistory& history, Height height) {
  EC_ASSERT(!history.empty(), "somebody signs from genesis on");
  const MemberSet* found = history.front().set.get();
  for (const SignersSince& one : history)
    if (one.since < height) found = one.set.get();
  return *found;
}

const MemberSet& signers_after(const SignerHistory& history, Height height) {
  EC_ASSERT(!history.empty(), "somebody signs from genesis on");
  const MemberSet* found = history.front().set.get();
  for (const SignersSince& one : history)
    if (one.since <= height) found = one.set.get();
  return *found;
}

NoteSigners signers_of_note(const SignedNote& note, std::string_view origin,
                            const MemberSet& before, const MemberSet& after) {
  NoteCheck check(note);
  return signers_of_note(check, origin, before, after);
}

NoteSigners signers_of_note(NoteCheck& check, std::string_view origin, const MemberSet& before,
                            const MemberSet& after) {
  std::vector<const Member*> members;
  std::vector<NoteVerifier> keys;
  for (const Member& member : before.members) {
    if (!may_certify(member.slot, before, after)) continue;
    members.push_back(&member);
    keys.push_back({std::string(origin), member.signing_key});
  }
  const NoteVerdict verdict = check.judge(keys);
  NoteSigners found;
  Certificate sound;
  for (std::size_t i = 0; i < members.size(); ++i) {
    if (!verdict.has_signed[i]) continue;
    found.voters.push_back(*members[i]);
    sound.push_back({members[i]->slot, {}});
  }
  if (verdict.fault == NoteVerdict::Fault::kFalse)
    found.fault = "the signature of " + members[verdict.key]->name + " does not hold";
  if (verdict.fault == NoteVerdict::Fault::kTooMany)
    found.fault = "there are more lines under the key id of " + members[verdict.key]->name +
                  " than keys of voters with that id";
  found.is_majority = is_certified(sound, before, after);
  return found;
}

}  // namespace eventchain::chain
