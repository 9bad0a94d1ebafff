#include "chain/log_witness.h"

#include <algorithm>

#include "chain/base64.h"
#include "chain/note_check.h"

namespace eventchain::chain {

namespace {

constexpr std::string_view kOld = "old ";
constexpr std::size_t kOriginBytesMax = 1024;

std::optional<Hash> parse_hash(std::string_view text) {
  const auto octets = from_base64(text);
  return octets ? Hash::from(*octets) : std::nullopt;
}

// A key signs a note once. One that signed it wrongly spoils the note: whoever made it changed
// something, or does not know what it hands on.
bool is_signed(const WitnessedLog& log, const SignedNote& note) {
  NoteCheck check(note);
  const NoteVerdict verdict = check.judge(log.keys);
  const auto sound = std::ranges::count(verdict.has_signed, true);
  return verdict.fault == NoteVerdict::Fault::kNone && sound > 0 &&
         static_cast<std::size_t>(sound) >= log.quorum;
}

}  // namespace

Result<LogHead> parse_log_head(ByteView text) {
  auto head = take_log_head(text);
  if (head && head->origin.size() > kOriginBytesMax)
    return fail(ErrorCode::kTooLarge, "the checkpoint's first line, its origin, is too long");
  return head;
}

std::string encode_add_checkpoint(const AddCheckpoint& request) {
  std::string body = std::string(kOld) + std::to_string(request.old_size) + '\n';
  for (const Hash& hash : request.proof) body += to_base64(hash.view()) + '\n';
  return body + '\n' + encode_note(request.checkpoint);
}

Result<AddCheckpoint> parse_add_checkpoint(ByteView body) {
  if (body.size() > kAddCheckpointBytesMax)
    return fail(ErrorCode::kTooLarge,
                "the request has more than 256 KiB; no checkpoint needs that");
  AddCheckpoint request;
  const auto old = take_line(body);
  const auto size =
      old && old->starts_with(kOld) ? parse_decimal(old->substr(kOld.size())) : std::nullopt;
  if (!size)
    return fail(ErrorCode::kMalformed,
                "the first line must be \"old\", a space and the size of the checkpoint that the "
                "witness knows, or 0");
  request.old_size = *size;
  for (;;) {
    const auto line = take_line(body);
    if (!line) return fail(ErrorCode::kMalformed, "no empty line ends the consistency proof");
    if (line->empty()) break;
    if (request.proof.size() == kConsistencyHashesMax)
      return fail(ErrorCode::kTooLarge, "a consistency proof has 63 hashes at most");
    const auto hash = parse_hash(*line);
    if (!hash)
      return fail(ErrorCode::kMalformed,
                  "a line of the consistency proof is no hash: 32 octets in base64");
    request.proof.push_back(*hash);
  }
  auto note = decode_note(body);
  if (!note) return tl::unexpected<Error>(std::move(note.error()));
  request.checkpoint = std::move(*note);
  return request;
}

std::string encode_witnessed_size(std::uint64_t size) {
  return std::to_string(size) + '\n';
}

std::optional<std::uint64_t> parse_witnessed_size(ByteView body) {
  const auto line = take_line(body);
  return line && body.empty() ? parse_decimal(*line) : std::nullopt;
}

WitnessVerdict judge_checkpoint(const WitnessedLog& log, const std::optional<LogHead>& last,
                                const LogHead& head, const AddCheckpoint& request) {
  if (!is_signed(log, request.checkpoint)) return WitnessVerdict::kUntrusted;
  if (request.old_size > head.size) return WitnessVerdict::kMalformed;
  if (request.old_size != (last ? last->size : 0)) return WitnessVerdict::kOtherSize;
  if (last && last->size == head.size && last->root != head.root) return WitnessVerdict::kOtherRoot;
  // It says nothing of the log: whoever has a true checkpoint can add hashes to it.
  const bool needs_proof = request.old_size > 0 && request.old_size < head.size;
  if (!needs_proof && !request.proof.empty()) return WitnessVerdict::kNeedlessProof;
  const Hash old_root = last ? last->root : empty_tree_root();
  return verify_consistency(request.old_size, head.size, old_root, head.root, request.proof)
             ? WitnessVerdict::kCosign
             : WitnessVerdict::kUnproven;
}

}  // namespace eventchain::chain
