#include <doctest/doctest.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cfenv>
#include <set>
#include <string>
#include <thread>

#include "mining/randomx/randomx_digest.h"
#include "mining/randomx/randomx_search.h"
#include "reference.h"

// librandomx 1.1.10 forgets 72 octets each time when it is refused huge pages for a cache whose
// program is to be compiled. The name is the sanitizer's.
extern "C" const char* __lsan_default_suppressions() {
  return "leak:randomx_alloc_cache\n";
}

using namespace eventchain;
using namespace eventchain::mining;
using namespace eventchain::mining::randomx;

namespace {

// From RandomX's own tests.
struct Vector {
  const char* key;
  std::string input;
  const char* hash;
};

std::vector<Vector> official_vectors() {
  return {
      {"test key 000", "This is a test",
       "639183aae1bf4c9a35884cb46b09cad9175f04efd7684e7262a0ac1c2f0b4e3f"},
      {"test key 000", "Lorem ipsum dolor sit amet",
       "300a0adb47603dedb42228ccb2b211104f4da45af709cd7547cd049e9489c969"},
      {"test key 000", "sed do eiusmod tempor incididunt ut labore et dolore magna aliqua",
       "c36d4ed4191e617309867ed66a443be4075014e2b061bcdaf9ce7b721d2b77a8"},
      {"test key 001", "sed do eiusmod tempor incididunt ut labore et dolore magna aliqua",
       "e9ff4503201c0c2cca26d285c93ae883f9b1d30c9eb240b820756f2d5a7905fc"},
  };
}

std::shared_ptr<Memory> memory_of(chain::ByteView key, const Ways& ways = {},
                                  Mode mode = Mode::kLight) {
  MemoryOptions options;
  options.ways = ways;
  options.mode = mode;
  auto memory = Memory::make(key, std::move(options));
  REQUIRE_MESSAGE(memory.has_value(), memory.error().message);
  return *memory;
}

// One for all tests: making one takes half a second.
const std::shared_ptr<Memory>& usual_memory() {
  static const std::shared_ptr<Memory> memory = memory_of("test key 000");
  return memory;
}

void check_vectors(const char* key, const std::shared_ptr<Memory>& memory) {
  Machine machine(memory);
  for (const Vector& vector : official_vectors())
    if (std::string(vector.key) == key) {
      INFO(vector.input);
      CHECK(chain::to_hex(machine.digest(vector.input)) == vector.hash);
    }
}

chain::SharePreimage preimage_of(std::uint8_t number) {
  chain::SharePreimage preimage;
  preimage.octets.fill(number);
  return preimage;
}

}  // namespace

TEST_CASE("RandomX gives the hashes of its own test vectors, with each key") {
  check_vectors("test key 000", usual_memory());
  check_vectors("test key 001", memory_of("test key 001"));
}

TEST_CASE("without machine code, AES instructions and huge pages RandomX gives the same hashes") {
  const auto memory =
      memory_of("test key 000", {.jit = false, .hard_aes = false, .huge_pages = false});
  CHECK_FALSE(Machine(memory).has_jit());
  check_vectors("test key 000", memory);
}

TEST_CASE("where machine code is refused in the midst of it, a machine goes on as an interpreter") {
  const auto memory = memory_of("test key 000");
  Machine before(memory);
  memory->lose_jit();
  Machine after(memory);
  CHECK_FALSE(after.has_jit());
  CHECK(before.digest("This is a test") == after.digest("This is a test"));
}

// As MemoryDenyWriteExecute=yes in a unit does it; in a process of its own, for it cannot be
// undone.
TEST_CASE("under a system that forbids executable memory hashes are the same") {
#ifndef PR_SET_MDWE
#define PR_SET_MDWE 65
#endif
  const pid_t child = fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    if (prctl(PR_SET_MDWE, 1UL, 0UL, 0UL, 0UL) != 0) _exit(3);
    int told = 0;
    MemoryOptions options;
    options.tell = [&told](const std::string&) { ++told; };
    auto memory = Memory::make("test key 000", std::move(options));
    if (!memory) _exit(4);
    Machine machine(*memory);
    if (machine.has_jit() || told == 0) _exit(5);
    _exit(chain::to_hex(machine.digest("This is a test")) == official_vectors()[0].hash ? 0 : 6);
  }
  int status = 0;
  REQUIRE(waitpid(child, &status, 0) == child);
  REQUIRE(WIFEXITED(status));
  if (WEXITSTATUS(status) == 3) {
    MESSAGE("this kernel cannot forbid it (before Linux 6.3)");
    return;
  }
  CHECK(WEXITSTATUS(status) == 0);
}

TEST_CASE("hash after hash is the same as each by itself") {
  Machine machine(usual_memory());
  std::vector<chain::Hash> each;
  for (std::uint8_t i = 0; i < 4; ++i) each.push_back(machine.digest(preimage_of(i).view()));
  std::vector<chain::Hash> chained;
  // It leaves a thread with another floating-point rounding, so it gets one of its own.
  std::thread([&] {
    machine.begin(preimage_of(9).view());  // and is left
    machine.begin(preimage_of(0).view());
    for (std::uint8_t i = 1; i <= 4; ++i) chained.push_back(machine.next(preimage_of(i).view()));
  }).join();
  CHECK(chained == each);
}

TEST_CASE("a digest leaves the rounding of its thread alone") {
  REQUIRE(std::fesetround(FE_UPWARD) == 0);
  Machine machine(usual_memory());
  for (std::uint8_t i = 0; i < 3; ++i) {
    machine.digest(preimage_of(i).view());
    CHECK(std::fegetround() == FE_UPWARD);
  }
  std::fesetround(FE_TONEAREST);
}

TEST_CASE("digests that are computed side by side keep their order") {
  const RandomXDigest digest(usual_memory(), 3);
  std::vector<chain::SharePreimage> preimages;
  for (std::uint8_t i = 0; i < 7; ++i) preimages.push_back(preimage_of(i));
  const std::vector<chain::Hash> together = digest.digests(preimages);
  REQUIRE(together.size() == preimages.size());
  for (std::size_t i = 0; i < preimages.size(); ++i)
    CHECK(together[i] == digest.digest(preimages[i]));
  CHECK(digest.digests({}).empty());
  CHECK_FALSE(digest.again(preimages[0]).has_value());  // it has read no dataset
}

TEST_CASE("a search for RandomX finds what the rules call a share") {
  const RandomXDigest computing(usual_memory(), 1);
  chain::Rng rng(7);
  const WorkOrder order = mining::reference::random_order(rng, 2);
  const WorkOrder other = mining::reference::random_order(rng, 2);
  std::vector<chain::Nonce> shares;
  std::vector<chain::Nonce> again;
  std::uint64_t hashes = 0;
  std::thread([&] {
    RandomXSearch search(usual_memory(), 0xa5, {.counter = 5, .word12 = 0xfffffffc});
    search.switch_to(order);
    for (int i = 0; i < 24; ++i) hashes += search.advance(shares);
    std::vector<chain::Nonce> of_other;
    search.switch_to(other);
    for (int i = 0; i < 3; ++i) search.advance(of_other);
    // What it has seen it does not see again.
    search.switch_to(order);
    for (int i = 0; i < 12; ++i) search.advance(again);
  }).join();
  CHECK(hashes == 24);
  REQUIRE_FALSE(shares.empty());
  std::set<chain::Nonce> distinct;
  for (const auto* found : {&shares, &again})
    for (const chain::Nonce& nonce : *found) {
      CHECK(distinct.insert(nonce).second);
      CHECK(nonce.slot() == order.slot);
      CHECK(chain::share_meets(computing, order.header, nonce, order.target));
    }
  // And it leaves none out: the first 24 nonces from where it began.
  std::size_t expected = 0;
  for (std::uint32_t i = 0; i < 24; ++i) {
    const chain::Nonce nonce{chain::nonce_high(order.slot, 0xa5, i < 4 ? 5 : 6), 0xfffffffc + i};
    expected += chain::share_meets(computing, order.header, nonce, order.target);
  }
  CHECK(shares.size() == expected);
}

// Takes a minute of processor time and 2.3 GiB: run it by its name with --no-skip.
TEST_CASE("with the dataset RandomX gives the same hashes" * doctest::skip()) {
  const auto memory = memory_of("test key 000", {}, Mode::kFast);
  std::vector<std::jthread> builders;
  for (unsigned i = 0; i < std::max(1U, std::thread::hardware_concurrency()); ++i)
    builders.emplace_back([&memory] {
      while (memory->build_piece()) {
      }
    });
  builders.clear();
  REQUIRE(memory->is_fast());
  CHECK(Machine(memory).is_fast());
  check_vectors("test key 000", memory);
  CHECK_FALSE(Machine(memory, Machine::Reads::kCacheAlone).is_fast());
  const RandomXDigest digest(memory, 1);
  CHECK(digest.again(preimage_of(1)) == digest.digest(preimage_of(1)));
}
