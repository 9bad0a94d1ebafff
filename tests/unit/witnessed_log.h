#pragma once

#include <doctest/doctest.h>

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "chain/base64.h"
#include "chain/keys.h"
#include "chain/log_witness.h"

// Small logs that are shown to witnesses.
namespace witnessed_log {

using namespace eventchain::chain;

// RFC 8032, section 7.1, tests 1 to 3.
inline constexpr const char* kPems[] = {
    "-----BEGIN PRIVATE KEY-----\n"
    "MC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g\n"
    "-----END PRIVATE KEY-----\n",
    "-----BEGIN PRIVATE KEY-----\n"
    "MC4CAQAwBQYDK2VwBCIEIEzNCJso/5bbnbhPNUaZEfkUpq4OwToTW6u413uA+6b7\n"
    "-----END PRIVATE KEY-----\n",
    "-----BEGIN PRIVATE KEY-----\n"
    "MC4CAQAwBQYDK2VwBCIEIMWqjfQ/n4N7dELb3tMdy3/OhVpONHmjmo3mPvejz1j3\n"
    "-----END PRIVATE KEY-----\n"};

inline const std::string kOrigin = "log.example/a";

inline Hash leaf(std::uint64_t number, char salt) {
  return tree_leaf(std::to_string(number) + salt);
}

// A log of three keys, its entries made with a letter from some position on: two logs with the same
// letters up to there have that beginning in common.
class Log {
 public:
  explicit Log(std::string letters) : letters_(std::move(letters)) {
    for (const char* pem : kPems) {
      auto key = Ed25519::from_pem(pem);
      REQUIRE(key.has_value());
      keys_.push_back(std::move(*key));
    }
    std::vector<TreeHash> complete;
    for (std::uint64_t at = 0; at < letters_.size(); ++at) {
      roots_.push_back(tree_.root());
      tree_.append(leaf(at, letters_[at]), &complete);
    }
    roots_.push_back(tree_.root());
    for (const TreeHash& one : complete) hashes_[{one.level, one.index}] = one.hash;
  }

  [[nodiscard]] WitnessedLog as_witnessed(std::size_t quorum) const {
    WitnessedLog log{kOrigin, {}, quorum};
    for (const auto& key : keys_) log.keys.push_back({kOrigin, key->public_key()});
    return log;
  }
  [[nodiscard]] LogHead head(std::uint64_t size) const { return {kOrigin, size, roots_[size]}; }
  SignedNote note(std::uint64_t size, std::size_t signers = 3) {
    SignedNote made{
        kOrigin + '\n' + std::to_string(size) + '\n' + to_base64(roots_[size].view()) + '\n', {}};
    for (std::size_t i = 0; i < signers; ++i)
      made.signatures.push_back(
          note_signature(kOrigin, keys_[i]->public_key(), keys_[i]->sign(made.text)));
    return made;
  }
  [[nodiscard]] TreeReader tree() const {
    return [this](std::uint8_t level, std::uint64_t index) -> Result<Hash> {
      const auto found = hashes_.find({level, index});
      if (found == hashes_.end()) return fail(ErrorCode::kNotFound, "no such hash");
      return found->second;
    };
  }
  AddCheckpoint request(std::uint64_t old_size, std::uint64_t size, std::size_t signers = 3) {
    AddCheckpoint made{old_size, {}, note(size, signers)};
    if (old_size > 0 && old_size < size) {
      const auto proof = consistency_proof(old_size, size, tree());
      REQUIRE(proof.has_value());
      made.proof = *proof;
    }
    return made;
  }

 private:
  std::string letters_;
  std::vector<std::unique_ptr<Ed25519>> keys_;
  LogTree tree_;
  std::vector<Hash> roots_;
  std::map<std::pair<std::uint8_t, std::uint64_t>, Hash> hashes_;
};

inline std::string letters(std::size_t count, char letter) {
  return std::string(count, letter);
}

}  // namespace witnessed_log
