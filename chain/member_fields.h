#pragma once

#include "chain/encoding.h"
#include "chain/members.h"

// Fields that the member set and the orders that change it encode alike. Of this room alone.
namespace eventchain::chain {

inline constexpr std::size_t kMemberNameMax = 32;  // of a site, too

MemberRole read_role(Reader& reader);
void write_invitation(Writer& writer, const Invitation& invitation);
Invitation read_invitation(Reader& reader);

}  // namespace eventchain::chain
