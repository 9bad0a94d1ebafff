#pragma once

#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "node/witnessing/cosigner.h"
#include "node/witnessing/offer.h"
#include "store/chain_store.h"
#include "store/witness_memory.h"
#include "tests/unit/witnessed_log.h"

// Witnesses and what they remember, without disks and sockets.
namespace witness_test {

using namespace eventchain;

class FakeWitnessMemory final : public store::WitnessMemory {
 public:
  std::optional<Cosigned> last(const std::string& origin) override {
    const auto found = kept.find(origin);
    if (found == kept.end()) return std::nullopt;
    return found->second;
  }
  void keep(const Cosigned& cosigned, chain::UnixSeconds) override {
    if (fails) throw store::StoreFailure("the disk is full");
    kept[cosigned.head.origin] = cosigned;
    ++writes;
  }
  std::map<std::string, Cosigned> kept;
  bool fails = false;
  int writes = 0;
};

// Seeds: SHA-256 of "witness 1" and of "witness 2".
inline constexpr const char* kWitnessPems[] = {
    "-----BEGIN PRIVATE KEY-----\n"
    "MC4CAQAwBQYDK2VwBCIEILH9l8/lvrRBsR++P11zEO/jE3YyAyI2cTCMpC4w/6vW\n"
    "-----END PRIVATE KEY-----\n",
    "-----BEGIN PRIVATE KEY-----\n"
    "MC4CAQAwBQYDK2VwBCIEIEnFmkw9toquHZx8aCWCKJ3Zy0XBHCulnsP1yiL3mLPR\n"
    "-----END PRIVATE KEY-----\n"};

// A witness that runs, and one answer at a time.
class RunningWitness {
 public:
  explicit RunningWitness(std::vector<chain::WitnessedLog> logs, std::size_t which = 0,
                          std::shared_ptr<FakeWitnessMemory> kept = nullptr)
      : memory(kept ? std::move(kept) : std::make_shared<FakeWitnessMemory>()) {
    auto made = chain::Ed25519::from_pem(kWitnessPems[which]);
    REQUIRE(made.has_value());
    key = std::move(*made);
    self = {"witness.example/w" + std::to_string(which + 1), key->public_key()};
    node::CosignerOptions options;
    options.self = self;
    options.logs = std::move(logs);
    options.wall_clock = [] { return chain::UnixMillis{1'700'000'000'000}; };
    options.log = [this](node::Notice::Level, const std::string& text) { lines.push_back(text); };
    options.keep_evidence = [this](const std::string& name,
                                   const std::string& text) -> chain::Result<std::string> {
      if (is_full) return chain::fail(chain::ErrorCode::kIo, "no room");
      evidence.push_back(text);
      return name;
    };
    cosigner = std::make_unique<node::Cosigner>(std::move(options), *key, *memory);
  }

  net::http::Response ask(std::string body) {
    std::mutex mutex;
    std::condition_variable is_there;
    std::optional<net::http::Response> answer;
    cosigner->add_checkpoint(std::move(body), [&](net::http::Response given) {
      const std::lock_guard lock(mutex);
      answer = std::move(given);
      is_there.notify_one();
    });
    std::unique_lock lock(mutex);
    is_there.wait(lock, [&] { return answer.has_value(); });
    return *answer;
  }
  net::http::Response ask(const chain::AddCheckpoint& request) {
    return ask(chain::encode_add_checkpoint(request));
  }
  // As a log's node reaches it.
  node::PostCheckpoint post() {
    return [this](const std::string& body) -> chain::Result<net::http::ClientAnswer> {
      ++asked;
      const auto answer = ask(body);
      return net::http::ClientAnswer{answer.status, answer.content_type, answer.body};
    };
  }

  std::shared_ptr<FakeWitnessMemory> memory;
  std::unique_ptr<chain::Ed25519> key;
  chain::NoteVerifier self;
  std::vector<std::string> lines, evidence;
  bool is_full = false;  // and evidence cannot be kept
  int asked = 0;
  std::unique_ptr<node::Cosigner> cosigner;  // goes first
};

inline node::Offer offer_of(witnessed_log::Log& log, std::uint64_t size) {
  return {log.head(size), log.note(size)};
}

}  // namespace witness_test
