#include "node/api/final_checkpoint.h"

#include "chain/certificate.h"
#include "node/api/signatures.h"

namespace eventchain::node::api {

using chain::Result;

namespace {

bool is_majority(store::ChainReader& reader, chain::Height height,
                 const std::vector<MemberSignature>& sound) {
  const auto before = reader.members(height);
  const auto after = reader.members(height.next());
  if (!before || !after) return false;
  chain::Certificate certificate;
  for (const MemberSignature& one : sound) certificate.push_back({one.member.slot, one.signature});
  return chain::is_certified(certificate, **before, **after);
}

}  // namespace

Result<std::optional<FinalCheckpoint>> final_checkpoint(store::ChainReader& reader,
                                                        chain::Height certified) {
  if (certified.value == 0) return std::nullopt;
  const auto headers = reader.headers(certified, 1);
  if (!headers) return tl::unexpected<chain::Error>(headers.error());
  if (headers->empty()) return std::nullopt;
  const chain::SealedHeader& sealed = headers->front();
  const std::string origin = chain::log_origin(sealed.header.chain);
  const auto sound = sound_signatures(reader, sealed);
  if (sound.empty())
    return chain::fail(
        chain::ErrorCode::kCorrupt,
        "none of the signatures on the newest final block is sound here; ask another "
        "node, and look at this one's disk");
  FinalCheckpoint made;
  made.head = {origin, sealed.header.log_size, sealed.header.log_root};
  made.height = certified;
  made.note.text = chain::certified_statement(sealed.header, chain::block_id(sealed));
  for (const MemberSignature& one : sound)
    made.note.signatures.push_back(
        chain::note_signature(origin, one.member.signing_key, one.signature));
  made.has_majority = is_majority(reader, certified, sound);
  return made;
}

}  // namespace eventchain::node::api
