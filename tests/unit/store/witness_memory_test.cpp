#include <doctest/doctest.h>

#include <fmt/format.h>
#include <filesystem>
#include <fstream>

#include "chain/base64.h"
#include "crash_vfs.h"
#include "store/sqlite/sqlite_witness_memory.h"
#include "tests/unit/temporary_directory.h"

namespace eventchain::store::testing {

namespace {

constexpr const char* kVerifier = "w.example+00000000+key";

chain::LogHead head_of(const std::string& origin, std::uint64_t size) {
  chain::LogHead head{origin, size, {}};
  head.root.octets[0] = static_cast<std::uint8_t>(size);
  return head;
}

WitnessMemory::Cosigned cosigned_of(const std::string& origin, std::uint64_t size) {
  chain::LogHead head = head_of(origin, size);
  // Now and then more than a page.
  return {head, fmt::format("{}\n{}\n{}\n{}\n\n\xe2\x80\x94 {} AAAAAAA=\n", origin, size,
                            chain::to_base64(head.root.view()),
                            std::string(size % 3 == 0 ? 9'000 : 300, 'n'), origin)};
}

StoreOptions options_on(const CrashDisk& disk) {
  StoreOptions options;
  options.vfs = disk.name();
  return options;
}

std::uint64_t size_of(WitnessMemory& memory, const std::string& origin) {
  const auto last = memory.last(origin);
  if (!last) return 0;
  CHECK(last->head == head_of(origin, last->head.size));
  CHECK(last->note == cosigned_of(origin, last->head.size).note);
  return last->head.size;
}

constexpr std::uint64_t kSizes = 6;

// Two logs grow in turn; what was acknowledged of each before the fault.
std::pair<std::uint64_t, std::uint64_t> grow_until_fault(CrashDisk& disk) {
  std::pair<std::uint64_t, std::uint64_t> kept;
  auto memory = open_witness_memory("w.db", options_on(disk));
  if (memory) try {
      for (std::uint64_t size = 1; size <= kSizes; ++size) {
        (*memory)->keep(cosigned_of("a", size), chain::UnixSeconds{1});
        kept.first = size;
        (*memory)->keep(cosigned_of("b", size), chain::UnixSeconds{1});
        kept.second = size;
      }
    } catch (const StoreFailure&) {
    }
  disk.kill();
  return kept;
}

std::size_t crash_everywhere(Fault fault) {
  std::size_t runs = 0;
  for (std::uint64_t operation = 1;; ++operation) {
    INFO("fault " << static_cast<int>(fault) << " at operation " << operation);
    CrashDisk disk;
    REQUIRE(make_witness_memory("w.db", kVerifier, options_on(disk)).has_value());
    disk.arm(operation, fault);
    const auto kept = grow_until_fault(disk);
    if (!disk.has_struck()) return runs;
    chain::Rng rng(operation);
    disk.crash(rng);
    ++runs;
    const auto memory = open_witness_memory("w.db", options_on(disk));
    REQUIRE_MESSAGE(memory.has_value(), memory.error().message);
    CHECK((*memory)->verifier() == kVerifier);
    const std::uint64_t a = size_of(**memory, "a");
    const std::uint64_t b = size_of(**memory, "b");
    // Nothing that was acknowledged is gone; what was being written is there or not.
    CHECK((a == kept.first || a == kept.first + 1));
    CHECK((b == kept.second || (b == kept.second + 1 && a == kept.first)));
    (*memory)->keep(cosigned_of("a", kSizes + 1), chain::UnixSeconds{2});
    CHECK(size_of(**memory, "a") == kSizes + 1);
    CHECK(size_of(**memory, "b") == b);
  }
}

}  // namespace

TEST_CASE("a witness forgets nothing that it was told is kept, wherever the disk fails") {
  for (const Fault fault : {Fault::kPowerCut, Fault::kIoError, Fault::kFull}) {
    const std::size_t runs = crash_everywhere(fault);
    MESSAGE(runs << " crashes");
    CHECK(runs > 20);
  }
}

TEST_CASE("a witness' memory is made once, and never by opening it") {
  const ::TemporaryDirectory directory;
  const std::string path = directory.path() / kWitnessDatabaseName;
  const auto missing = open_witness_memory(path);
  REQUIRE_FALSE(missing.has_value());
  CHECK(missing.error().message.find(path) != std::string::npos);
  REQUIRE(make_witness_memory(path, kVerifier).has_value());
  CHECK_FALSE(make_witness_memory(path, kVerifier).has_value());
  auto memory = open_witness_memory(path);
  REQUIRE(memory.has_value());
  CHECK((*memory)->verifier() == kVerifier);
  CHECK_FALSE((*memory)->last("a").has_value());
  (*memory)->keep(cosigned_of("a", 7), chain::UnixSeconds{1});
  // A second process would have a memory of its own.
  CHECK_FALSE(open_witness_memory(path).has_value());
  memory->reset();
  memory = open_witness_memory(path);
  REQUIRE(memory.has_value());
  CHECK(size_of(**memory, "a") == 7);
}

TEST_CASE("a memory that says two things of one log is damaged, and nothing is cosigned by it") {
  const ::TemporaryDirectory directory;
  const std::string path = directory.path() / kWitnessDatabaseName;
  REQUIRE(make_witness_memory(path, kVerifier).has_value());
  const auto keep = [&](const WitnessMemory::Cosigned& cosigned) {
    const auto memory = open_witness_memory(path);
    REQUIRE(memory.has_value());
    (*memory)->keep(cosigned, chain::UnixSeconds{1});
    return (*memory)->last("a");
  };
  const auto sound = cosigned_of("a", 7);
  CHECK(keep(sound)->head == sound.head);
  for (const std::string& note : {cosigned_of("a", 8).note, cosigned_of("b", 7).note,
                                  sound.note.substr(1), sound.note.substr(0, 40), std::string()})
    CHECK_THROWS_WITH_AS(keep({sound.head, note}), doctest::Contains("log a is damaged"),
                         StoreFailure);
  auto smaller = sound;
  smaller.head.size = 6;
  CHECK_THROWS_AS(keep(smaller), StoreFailure);
  auto other_root = sound;
  other_root.head.root.octets[9] ^= 1;
  CHECK_THROWS_AS(keep(other_root), StoreFailure);
}

TEST_CASE("other files are refused by name") {
  const ::TemporaryDirectory directory;
  const std::string text = directory.path() / "text";
  std::ofstream(text) << std::string(5'000, 'x');
  const std::string empty = directory.path() / "empty";
  { std::ofstream made(empty); }
  const std::string cosignatures = directory.path() / kCosignatureDatabaseName;
  REQUIRE(open_cosignature_memory(cosignatures, "log").has_value());
  for (const std::string& path : {text, empty, cosignatures}) {
    const auto refused = open_witness_memory(path);
    REQUIRE_FALSE(refused.has_value());
    INFO(refused.error().message);
    CHECK(refused.error().message.find(path) != std::string::npos);
  }
  const auto other = open_cosignature_memory(cosignatures, "another log");
  REQUIRE_FALSE(other.has_value());
  CHECK(other.error().message.find("another chain") != std::string::npos);
}

TEST_CASE("cosignatures and the witnessed checkpoint stay, the last of each witness") {
  const ::TemporaryDirectory directory;
  const std::string path = directory.path() / kCosignatureDatabaseName;
  const CosignatureMemory::Cosigned first{"w1", 5, chain::UnixSeconds{10}, "note of five", 0};
  const CosignatureMemory::Cosigned second{"w2", 5, chain::UnixSeconds{11}, "note of five too", 0};
  const CosignatureMemory::Cosigned later{"w1", 9, chain::UnixSeconds{12}, "note of nine", 0};
  const CosignatureMemory::Witnessed witnessed{5, chain::UnixMillis{11'000}, "both"};
  {
    auto memory = open_cosignature_memory(path, "log");
    REQUIRE(memory.has_value());
    CHECK((*memory)->cosigned().empty());
    CHECK_FALSE((*memory)->witnessed().has_value());
    (*memory)->keep(first, std::nullopt);
    CHECK_FALSE((*memory)->witnessed().has_value());
    (*memory)->keep(second, witnessed);
    (*memory)->keep(later, std::nullopt);
  }
  const auto memory = open_cosignature_memory(path, "log");
  REQUIRE(memory.has_value());
  CHECK((*memory)->cosigned() == std::vector{later, second});
  CHECK((*memory)->witnessed() == witnessed);
}

TEST_CASE("that a witness once forgot stays kept, whatever it cosigns later") {
  const ::TemporaryDirectory directory;
  const std::string path = directory.path() / kCosignatureDatabaseName;
  const CosignatureMemory::Cosigned honest{"w1", 5, chain::UnixSeconds{10}, "note", 0};
  const CosignatureMemory::Cosigned forgot{"w2", 5, chain::UnixSeconds{11}, "note", 9};
  const CosignatureMemory::Cosigned later{"w2", 12, chain::UnixSeconds{12}, "note", 0};
  {
    auto memory = open_cosignature_memory(path, "log");
    REQUIRE(memory.has_value());
    (*memory)->keep(honest, std::nullopt);
    (*memory)->keep(forgot, std::nullopt);
    CHECK((*memory)->cosigned() == std::vector{honest, forgot});
    (*memory)->keep(later, std::nullopt);
  }
  const auto memory = open_cosignature_memory(path, "log");
  REQUIRE(memory.has_value());
  REQUIRE((*memory)->cosigned().size() == 2);
  CHECK((*memory)->cosigned()[0] == honest);
  CHECK((*memory)->cosigned()[1].size == 12);
  CHECK((*memory)->cosigned()[1].forgot == 9);
}

}  // namespace eventchain::store::testing
