#include "chain/note_check.h"

#include <set>

#include "chain/keys.h"

namespace eventchain::chain {

NoteVerdict NoteCheck::judge(const std::vector<NoteVerifier>& keys) {
  NoteVerdict verdict;
  verdict.has_signed.resize(keys.size());
  std::map<std::pair<std::string_view, NoteKeyId>, std::vector<std::size_t>> known;
  for (std::size_t i = 0; i < keys.size(); ++i)
    known[{keys[i].name, note_key_id(keys[i].name, keys[i].key)}].push_back(i);
  std::map<std::size_t, std::set<ByteView>> lines;  // by the first key of a name and id
  for (std::size_t i = 0; i < note_.signatures.size(); ++i) {
    const NoteSignature& line = note_.signatures[i];
    const auto found = known.find({line.name, line.key});
    if (found == known.end()) continue;
    const std::vector<std::size_t>& candidates = found->second;
    std::set<ByteView>& seen = lines[candidates.front()];
    if (!seen.insert(line.signature).second) continue;
    verdict.key = candidates.front();
    if (seen.size() > candidates.size()) {
      verdict.fault = NoteVerdict::Fault::kTooMany;
      return verdict;
    }
    bool is_sound = false;
    for (const std::size_t one : candidates)
      if (holds(keys[one].key, i)) verdict.has_signed[one] = is_sound = true;
    if (is_sound) continue;
    verdict.fault = NoteVerdict::Fault::kFalse;
    return verdict;
  }
  return verdict;
}

bool NoteCheck::holds(const PublicKey& key, std::size_t line) {
  const auto known = known_.find({key, line});
  if (known != known_.end()) return known->second;
  const auto signature = Signature::from(note_.signatures[line].signature);
  const bool is_sound = signature && verify_ed25519(key, note_.text, *signature);
  known_.emplace(std::pair(key, line), is_sound);
  return is_sound;
}

}  // namespace eventchain::chain
