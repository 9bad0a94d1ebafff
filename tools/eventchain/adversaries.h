#pragma once

#include <optional>
#include <string>
#include <vector>

namespace eventchain::tools {

// Somebody who would redo the chain's work, as a rate, and what that rests on.
struct Adversary {
  // What it costs him.
  enum class Pays {
    kNotKnown,  // nothing is said of it
    kOwner,     // the owner of the hosts pays for the energy
    kEnergy,    // he has the machines
    kGpuHours,  // he rents them
  };
  std::string name;
  double hashes_per_second = 0;
  double watts = 0;  // 0: not known
  double gpus = 0;
  Pays pays = Pays::kNotKnown;
  // The cluster's own hosts: nobody mines on meanwhile.
  bool is_insider = false;
  std::string rests_on;  // sources and assumptions
};

struct AdversaryTerms {
  std::string work_function;
  double cluster_rate = 0;              // hashes a second while it mines; 0: not known
  double lent_part = 0.5;               // of the hosts' processors, 0..1
  std::optional<double> measured_core;  // hashes a second of one core of this machine
};

// Whether anything is known of machines for this work function.
bool is_known_work(const std::string& work_function);
// Whether blocks of such a chain take no work at all.
bool is_workless(const std::string& work_function);

// The table: all that is known of who could redo work of this function. Only the cluster's own
// hosts where nothing is known, and nobody where there is no work.
std::vector<Adversary> named_adversaries(const AdversaryTerms& terms);

}  // namespace eventchain::tools
