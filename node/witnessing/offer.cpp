#include "node/witnessing/offer.h"

#include <fmt/format.h>

#include <algorithm>

namespace eventchain::node {

using chain::Result;
using Kind = OfferOutcome::Kind;

namespace {

constexpr std::string_view kSizeType = "text/x.tlog.size";

OfferOutcome outcome(Kind kind, std::string why, std::uint64_t known_size = 0) {
  OfferOutcome made;
  made.kind = kind;
  made.why = std::move(why);
  made.known_size = known_size;
  return made;
}

// Verified here, so that a witness which refuses it tells of its own state and not of this node's
// disk.
Result<chain::AddCheckpoint> make_request(const Offer& offer, std::uint64_t old_size,
                                          const chain::TreeReader& read) {
  chain::AddCheckpoint request{old_size, {}, offer.note};
  if (old_size == 0 || old_size == offer.head.size) return request;
  auto proof = chain::consistency_proof(old_size, offer.head.size, read);
  if (!proof) return tl::unexpected<chain::Error>(std::move(proof.error()));
  const auto old_root = chain::root_at(old_size, read);
  if (!old_root) return tl::unexpected<chain::Error>(old_root.error());
  if (!chain::verify_consistency(old_size, offer.head.size, *old_root, offer.head.root, *proof))
    return chain::fail(chain::ErrorCode::kCorrupt,
                       "this node's stored tree does not lead to the root that voters signed; "
                       "verify its database (eventchain chain verify)");
  request.proof = std::move(*proof);
  return request;
}

// Foreign octets, for a line of a log and for JSON, which wants UTF-8: all but plain ASCII is
// spelled as \xNN.
std::string excerpt(std::string_view body) {
  constexpr std::size_t kExcerptMax = 160;
  std::string plain;
  for (const char octet : body.substr(0, std::min(body.find('\n'), kExcerptMax))) {
    if (octet >= ' ' && octet <= '~')
      plain += octet;
    else
      plain += fmt::format("\\x{:02x}", static_cast<unsigned char>(octet));
  }
  return plain;
}

OfferOutcome read_cosignature(const chain::NoteVerifier& witness, const Offer& offer,
                              std::string_view body) {
  const auto note = chain::decode_note(offer.note.text + '\n' + std::string(body));
  if (note && note->text == offer.note.text)
    for (const chain::NoteSignature& line : note->signatures)
      if (const auto time = chain::verified_cosignature(witness, offer.note.text, line)) {
        OfferOutcome made = outcome(Kind::kCosigned, {});
        made.line = line;
        made.time = *time;
        return made;
      }
  return outcome(Kind::kRefused,
                 "it answers without a cosignature by the key that witnesses.nodes names for it; "
                 "ask its operator for its verifier key");
}

OfferOutcome contradiction(std::uint64_t size) {
  return outcome(Kind::kContradicts,
                 fmt::format("it has cosigned another history of this log, of size {}", size),
                 size);
}

// What an answer other than 200 and 409 means.
OfferOutcome read_refusal(const net::http::ClientAnswer& answer, std::uint64_t old_size) {
  switch (answer.status) {
    case 422:
      if (old_size > 0) return contradiction(old_size);
      break;
    case 403:
      return outcome(Kind::kRefused,
                     "it does not trust the checkpoint's signatures; give its operator the keys of "
                     "the present voters (403)");
    case 404:
      return outcome(Kind::kRefused,
                     "it does not look after this log, or its URL is another one; give its "
                     "operator what \"eventchain genesis keys\" prints (404)");
    default:
      break;
  }
  const bool may_pass = answer.status >= 500 || answer.status == 429 || answer.status == 408;
  return outcome(may_pass ? Kind::kSilent : Kind::kRefused,
                 fmt::format("it answers {} {}", answer.status, excerpt(answer.body)));
}

}  // namespace

OfferOutcome offer_checkpoint(const chain::NoteVerifier& witness, const Offer& offer,
                              std::uint64_t known_size, const chain::TreeReader& read,
                              const PostCheckpoint& post) {
  std::uint64_t old_size = std::min(known_size, offer.head.size);
  bool has_named = false;   // a size to begin from: it is a witness
  bool is_probing = false;  // asks from 0, to be named one
  for (;;) {
    const auto request = make_request(offer, old_size, read);
    if (!request) return outcome(Kind::kDamaged, request.error().message);
    const auto answer = post(chain::encode_add_checkpoint(*request));
    if (!answer) return outcome(Kind::kSilent, answer.error().message);
    if (answer->status == 200) {
      OfferOutcome made = read_cosignature(witness, offer, answer->body);
      // It took that size for the last it had cosigned.
      made.has_forgotten = old_size < known_size;
      return made;
    }
    if (answer->status != 409) return read_refusal(*answer, old_size);
    const auto size = answer->content_type.starts_with(kSizeType)
                          ? chain::parse_witnessed_size(answer->body)
                          : std::nullopt;
    const bool is_same_size = old_size == offer.head.size;
    // A conflict about the size that it was told of is one about the root.
    if (is_same_size && (size ? *size == old_size : has_named)) return contradiction(old_size);
    if (is_same_size && !size && !is_probing) {
      is_probing = true;
      old_size = 0;
      continue;
    }
    if (!size || *size == old_size)
      return outcome(Kind::kRefused,
                     "it answers 409 without the size that it knows, as no witness does "
                     "(tlog-witness); look at what stands between, and at its URL");
    if (*size > offer.head.size)
      return outcome(Kind::kOvertaken, fmt::format("it knows this log up to size {}", *size),
                     *size);
    if (has_named)
      return outcome(Kind::kSilent, "what it knows changes while it is asked; it is asked again");
    has_named = true;
    old_size = *size;
  }
}

}  // namespace eventchain::node
