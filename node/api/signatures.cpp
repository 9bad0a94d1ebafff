#include "node/api/signatures.h"

#include "chain/keys.h"

namespace eventchain::node::api {

std::vector<MemberSignature> sound_signatures(store::ChainReader& reader,
                                              const chain::SealedHeader& sealed) {
  std::vector<MemberSignature> sound;
  const chain::Height height = sealed.header.height;
  const auto before = reader.members(height);
  const auto after = reader.members(height.next());
  if (!before || !after) return sound;
  chain::Ed25519Checker checker;
  const chain::Bytes statement = chain::certified_statement(sealed.header, chain::block_id(sealed));
  for (const chain::SlotSignature& one :
       chain::sound_signatures(checker, **before, **after, statement, reader.certificate(height)))
    sound.push_back({*chain::member_at(**before, one.slot), one.signature});
  return sound;
}

}  // namespace eventchain::node::api
