#include "chain/note.h"

#include <algorithm>

#include "chain/base64.h"
#include "chain/hash.h"
#include "chain/keys.h"
#include "chain/text.h"

namespace eventchain::chain {

namespace {

constexpr std::string_view kMark = "\xe2\x80\x94 ";  // an em dash and a space
constexpr std::size_t kIdSize = NoteKeyId::kSize;

Error malformed(std::string message) {
  return {ErrorCode::kMalformed, "the note is damaged: " + std::move(message)};
}

Bytes key_octets(const PublicKey& key, NoteKeyKind kind) {
  return Bytes(1, static_cast<char>(kind)).append(key.view());
}

const char* name_of(NoteKeyKind kind) {
  return kind == NoteKeyKind::kCosignature ? "a witness' Ed25519 key (cosignature/v1)"
                                           : "an Ed25519 key of signed notes";
}

Result<NoteSignature> parse_signature(std::string_view line) {
  if (!line.starts_with(kMark)) return tl::unexpected(malformed("a signature's line has no dash"));
  line.remove_prefix(kMark.size());
  const std::size_t space = line.find(' ');
  NoteSignature made;
  made.name = line.substr(0, space);
  if (space == std::string_view::npos || !is_note_key_name(made.name))
    return tl::unexpected(malformed("a signature's line has no name"));
  const auto octets = from_base64(line.substr(space + 1));
  if (!octets || octets->size() <= kIdSize)
    return tl::unexpected(malformed("the signature of " + made.name +
                                    " is no base64 of a key's id " + "and a signature"));
  made.key = *NoteKeyId::from(ByteView(*octets).substr(0, kIdSize));
  made.signature = octets->substr(kIdSize);
  return made;
}

}  // namespace

bool is_note_key_name(std::string_view name) {
  return !name.empty() && is_utf8(name) && std::ranges::none_of(name, [](char octet) {
    return static_cast<unsigned char>(octet) <= ' ' || octet == '+' || octet == '\x7f';
  });
}

NoteKeyId note_key_id(std::string_view name, const PublicKey& key, NoteKeyKind kind) {
  return as_kind<NoteKeyId>(sha256({name, "\n", key_octets(key, kind)}));
}

std::string note_verifier_key(std::string_view name, const PublicKey& key, NoteKeyKind kind) {
  EC_ASSERT(is_note_key_name(name), "a key's name has neither spaces nor plus");
  return std::string(name) + '+' + to_hex(note_key_id(name, key, kind)) + '+' +
         to_base64(key_octets(key, kind));
}

Result<NoteVerifier> parse_note_verifier_key(std::string_view text, NoteKeyKind kind) {
  const std::size_t first = text.find('+');
  const std::size_t second = first == std::string_view::npos ? first : text.find('+', first + 1);
  if (second == std::string_view::npos || !is_note_key_name(text.substr(0, first)))
    return fail(ErrorCode::kMalformed, "a verifier key is written name+id+key; this one is not");
  NoteVerifier made;
  made.name = text.substr(0, first);
  const auto octets = from_base64(text.substr(second + 1));
  if (!octets || octets->size() != 1 + PublicKey::kSize ||
      octets->front() != static_cast<char>(kind))
    return fail(ErrorCode::kMalformed, "the verifier key of " + made.name + " is not " +
                                           name_of(kind) + "; others are not supported here");
  made.key = *PublicKey::from(ByteView(*octets).substr(1));
  if (to_hex(note_key_id(made.name, made.key, kind)) != text.substr(first + 1, second - first - 1))
    return fail(ErrorCode::kMalformed, "the verifier key of " + made.name +
                                           " does not fit its id; copy it again, name included");
  if (const auto checked = check_public_key(made.key); !checked)
    return fail(checked.error().code,
                "the verifier key of " + made.name + ": " + checked.error().message);
  return made;
}

NoteSignature note_signature(std::string_view name, const PublicKey& key,
                             const Signature& signature) {
  return {std::string(name), note_key_id(name, key), Bytes(signature.view())};
}

std::string encode_note(const SignedNote& note) {
  std::string text = note.text + '\n';
  for (const NoteSignature& one : note.signatures) text += encode_note_signature(one);
  return text;
}

std::string encode_note_signature(const NoteSignature& one) {
  return std::string(kMark) + one.name + ' ' + to_base64(Bytes(one.key.view()) + one.signature) +
         '\n';
}

Result<SignedNote> decode_note(ByteView octets) {
  if (octets.size() > kNoteBytesMax)
    return fail(ErrorCode::kTooLarge, "a note has a mebibyte at most; this is something else");
  if (!is_utf8(octets) || std::ranges::any_of(octets, [](char octet) {
        return static_cast<unsigned char>(octet) < ' ' && octet != '\n';
      }))
    return tl::unexpected(malformed("it is no text"));
  // The last empty line: the text may have others.
  const std::size_t end = octets.rfind("\n\n");
  if (end == ByteView::npos) return tl::unexpected(malformed("no empty line ends the text"));
  SignedNote note{Bytes(octets.substr(0, end + 1)), {}};
  for (ByteView rest = octets.substr(end + 2); !rest.empty();) {
    const std::size_t length = rest.find('\n');
    if (length == ByteView::npos) return tl::unexpected(malformed("the last line has no end"));
    if (note.signatures.size() == kNoteSignaturesMax)
      return fail(ErrorCode::kTooLarge, "a note has a hundred signatures at most");
    auto signature = parse_signature(rest.substr(0, length));
    if (!signature) return tl::unexpected(signature.error());
    note.signatures.push_back(std::move(*signature));
    rest.remove_prefix(length + 1);
  }
  if (note.signatures.empty()) return tl::unexpected(malformed("nobody signed it"));
  return note;
}

}  // namespace eventchain::chain
