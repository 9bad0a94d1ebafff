#include "node/api/signatures.h"

#include "chain/keys.h"

namespace eventchain::node::api {

std::vector<MemberSignature> sound_signatures(store::ChainReader& reader,
                                              const chain::SealedHeader& sealed) {
  std::vector<MemberSignature> sound;
  const chain::Height height = sealed.header.height;
  const auto members = reader.members(height);
  if (!members) return sound;
  const chain::Bytes statement = chain::certified_statement(sealed.header, chain::block_id(sealed));
  for (const chain::SlotSignature& one : reader.certificate(height)) {
    const chain::Member* member = chain::member_at(**members, one.slot);
    if (member != nullptr && chain::verify_ed25519(member->signing_key, statement, one.signature))
      sound.push_back({*member, one.signature});
  }
  return sound;
}

}  // namespace eventchain::node::api
