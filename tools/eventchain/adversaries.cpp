#include "tools/eventchain/adversaries.h"

#include <fmt/format.h>

// Figures with where they come from. Whoever changes one changes its sentence too.
namespace eventchain::tools {

namespace {

constexpr double kKilo = 1e3;
constexpr double kMega = 1e6;
constexpr double kTera = 1e12;

constexpr const char* kSha256 = "sha256";
constexpr const char* kRandomX = "randomx-v1";
constexpr const char* kNone = "none";

// A server's power by its cores; what a core more costs that would idle otherwise is less.
constexpr double kWattsPerCore = 10;
constexpr const char* kCorePower = "10 W a core is an assumption";

constexpr double kGpuWatts = 450;
constexpr const char* kGpuPower = "450 W is the maker's figure for the card alone";
constexpr double kRackGpus = 8 * 4;
constexpr double kRackWatts = kRackGpus * kGpuWatts + 8 * 600;
constexpr const char* kRackPower =
    "450 W a card and 600 W for the rest of each server, the latter an assumption";

struct Core {
  double rate = 0;
  const char* rests_on = "";
};

Core known_core(const std::string& work_function) {
  if (work_function == kRandomX)
    return {63 * kKilo / 64,
            "63 kH/s on the 64 cores of an EPYC 7T83 with huge pages, as published (xmrig, issue "
            "3390); a core with less cache does a third of it"};
  return {125 * kMega,
          "the project's sha-ni kernel on one core of a Zen 3 at 3.2 GHz, as mining/README.md has "
          "it; --measure takes this machine's"};
}

Adversary one_core(const AdversaryTerms& terms) {
  const Core known = known_core(terms.work_function);
  Adversary core;
  core.name = terms.measured_core ? "one core of this machine" : "one core of a server";
  core.hashes_per_second = terms.measured_core.value_or(known.rate);
  core.watts = kWattsPerCore;
  core.pays = Adversary::Pays::kEnergy;
  core.rests_on =
      terms.measured_core
          ? fmt::format("measured now with the fastest kernel, in processor time; {}", kCorePower)
          : fmt::format("{}; {}", known.rests_on, kCorePower);
  return core;
}

std::vector<Adversary> own_hosts(const AdversaryTerms& terms, double core_rate) {
  if (terms.cluster_rate <= 0) return {};
  const auto hosts = [&](std::string name, double rate, std::string rests_on) {
    Adversary made;
    made.name = std::move(name);
    made.hashes_per_second = rate;
    made.watts = core_rate > 0 ? rate / core_rate * kWattsPerCore : 0;
    made.pays = Adversary::Pays::kOwner;
    made.is_insider = true;
    made.rests_on = std::move(rests_on);
    return made;
  };
  return {
      hosts("this cluster as it mines", terms.cluster_rate,
            fmt::format("its rate above; as many cores as make that rate, {}", kCorePower)),
      hosts("this cluster at 100 %", terms.cluster_rate / terms.lent_part,
            fmt::format("an insider with root on the hosts uses all of their processors, of which "
                        "{:.3g} % are lent: an assumption (--lent; mining.cap_percent is 50 unless "
                        "it is configured); {}",
                        terms.lent_part * 100, kCorePower)),
  };
}

Adversary gpus(std::string name, double count, double rate_each, double watts,
               std::string rests_on) {
  Adversary made;
  made.name = std::move(name);
  made.hashes_per_second = count * rate_each;
  made.watts = watts;
  made.gpus = count;
  made.pays = Adversary::Pays::kGpuHours;
  made.rests_on = std::move(rests_on);
  return made;
}

Adversary machine(std::string name, double rate, double watts, std::string rests_on) {
  Adversary made;
  made.name = std::move(name);
  made.hashes_per_second = rate;
  made.watts = watts;
  made.pays = Adversary::Pays::kEnergy;
  made.rests_on = std::move(rests_on);
  return made;
}

std::vector<Adversary> against_sha256() {
  constexpr double kPublished = 21'975 * kMega;
  // A third of the work of a hash is the message schedule, which one nonce_lo shares out.
  constexpr double kShared = kPublished * 1.5;
  return {
      gpus("one RTX 4090", 1, kPublished, kGpuWatts,
           fmt::format("21,975 MH/s in hashcat 6.2.6, mode 1400 (SHA2-256), S. Croley's published "
                       "benchmark: one compression a hash, as ours; {}",
                       kGpuPower)),
      gpus("one RTX 4090, shared schedule", 1, kShared, kGpuWatts,
           fmt::format("an estimate, 1.5 times the former: our kernels share the message schedule "
                       "between nonces, and no such program for a GPU is known here; {}",
                       kGpuPower)),
      gpus("a rack: 8 servers of 4 RTX 4090", kRackGpus, kShared, kRackWatts,
           fmt::format("32 times the former; {}", kRackPower)),
      machine("Antminer S21, if it fitted", 200 * kTera, 3'500,
              "200 TH/s at 17.5 J/TH (Bitmain's specification). It does NOT fit: its chips hash "
              "Bitcoin's 80-octet header twice with the nonce at octet 76, and a share here is one "
              "SHA-256 of 116 octets. The row shows what a chip made for this chain would do"),
  };
}

std::vector<Adversary> against_randomx() {
  constexpr double kGpuRate = 3 * kKilo;
  return {
      gpus(
          "one RTX 4090", 1, kGpuRate, kGpuWatts,
          fmt::format("an estimate, 2 to 4 kH/s: an RTX 4070 does 0.3 to 2 (xmrig, issue 3352); {}",
                      kGpuPower)),
      gpus("a rack: 8 servers of 4 RTX 4090", kRackGpus, kGpuRate, kRackWatts,
           fmt::format("32 times the former; {}", kRackPower)),
      machine("Antminer X5, a RandomX machine", 212 * kKilo, 1'350,
              "212 kH/s and 1,350 W (Bitmain's announcement, August 2023)"),
  };
}

}  // namespace

bool is_known_work(const std::string& work_function) {
  return work_function == kSha256 || work_function == kRandomX;
}

bool is_workless(const std::string& work_function) {
  return work_function == kNone;
}

std::vector<Adversary> named_adversaries(const AdversaryTerms& terms) {
  if (is_workless(terms.work_function)) return {};
  if (!is_known_work(terms.work_function)) return own_hosts(terms, 0);
  std::vector<Adversary> all = {one_core(terms)};
  const double core_rate = all.front().hashes_per_second;
  const auto take = [&all](std::vector<Adversary> more) {
    for (Adversary& one : more) all.push_back(std::move(one));
  };
  take(own_hosts(terms, core_rate));
  take(terms.work_function == kRandomX ? against_randomx() : against_sha256());
  return all;
}

}  // namespace eventchain::tools
