#pragma once

#include <cstdint>
#include <optional>

#include "chain/note.h"
#include "chain/signing.h"

// What a witness adds to a checkpoint (C2SP tlog-cosignature, cosignature/v1): "at this time, of
// all heads of this log that I have seen, this one is the largest, and it continues the others".
// Pure. FORMATS.md has the octets.
namespace eventchain::chain {

// Seconds since the Unix epoch, by a witness' clock; not negative.
using UnixSeconds = Strong<struct UnixSecondsTag, std::int64_t>;

// What a witness signs of a note's text.
Bytes cosigned_message(UnixSeconds time, ByteView text);

// The line for the note. Pre: time >= 0, and `self` is the key's public half under its name.
NoteSignature make_cosignature(Signing& signing, const NoteVerifier& self, UnixSeconds time,
                               ByteView text);

// When that witness cosigned the text; nullopt unless the line is its and the signature holds.
std::optional<UnixSeconds> verified_cosignature(const NoteVerifier& witness, ByteView text,
                                                const NoteSignature& line);

}  // namespace eventchain::chain
