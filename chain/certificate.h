#pragma once

#include <string>
#include <vector>

#include "chain/block.h"
#include "chain/signing.h"

namespace eventchain::chain {

// The name of a chain's log among all logs; also that of its voters' keys where they sign notes.
std::string log_origin(const ChainId& chain);

// What a voter signs of a committed block: "I have applied and synced this". It is the text of a
// checkpoint (C2SP tlog-checkpoint: origin, size and root of the log, a line each) with three lines
// more (height, block id, member set), so that a certificate is at the same time the signatures of
// a checkpoint that others' tools can read. All but the block's id is in the header too; it is
// repeated so that a signature can be checked without the chain.
Bytes certified_statement(const TemplateHeader& header, const BlockId& id);

struct SlotSignature {
  Slot slot;
  Signature signature;
  bool operator==(const SlotSignature&) const = default;
};

// Signatures of voters on one block: by slot, distinct.
using Certificate = std::vector<SlotSignature>;

// A majority of the voters: as many as it takes to commit.
std::size_t certificate_quorum(const MemberSet& members);
// Whether sound signatures are a block's certificate: of a majority of the voters that its header
// names (`before`), or of those in force after it. Raft commits a block that changes the voters
// with the ones or with the others, and where the difference is a voter that died before Raft knew
// of it, nobody else could get past that block. The price: where the voters before are even in
// number, those who keep their vote certify that block with one signature less.
bool is_certified(const Certificate& sound, const MemberSet& before, const MemberSet& after);
// The set in force after a block that is not checked yet: `before` if the annex is not the header's
// or breaks a rule.
MembersRef members_after(const MembersRef& before, const TemplateHeader& header,
                         const std::vector<AnnexItem>& annex);
// Whose signature on a block counts.
bool may_certify(Slot slot, const MemberSet& before, const MemberSet& after);
// Those of the certificate that count and that their members' keys made, once each.
Certificate sound_signatures(Signing& signing, const MemberSet& before, const MemberSet& after,
                             ByteView statement, const Certificate& certificate);
bool is_proven_by(Signing& signing, const MemberSet& before, const MemberSet& after,
                  const SealedHeader& sealed, const BlockId& id, const Certificate& certificate);

}  // namespace eventchain::chain
