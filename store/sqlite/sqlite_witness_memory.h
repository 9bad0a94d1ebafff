#pragma once

#include <memory>
#include <string>

#include "chain/result.h"
#include "store/sqlite/sqlite_store.h"
#include "store/witness_memory.h"

// Small databases of their own: neither the chain's file nor its turns know of witnesses.
namespace eventchain::store {

// In the witness' own directory.
inline constexpr const char* kWitnessDatabaseName = "witness.db";
// In a node's data directory.
inline constexpr const char* kCosignatureDatabaseName = "cosignatures.db";

class SqliteWitnessMemory final : public WitnessMemory {
 public:
  ~SqliteWitnessMemory() override;
  std::optional<Cosigned> last(const std::string& origin) override;
  void keep(const Cosigned& cosigned, chain::UnixSeconds time) override;
  // Whose memory it is: a verifier key.
  [[nodiscard]] const std::string& verifier() const;

 private:
  friend chain::Result<std::unique_ptr<SqliteWitnessMemory>> open_witness_memory(
      const std::string&, const StoreOptions&);
  struct State;
  explicit SqliteWitnessMemory(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

// The memory of a new witness, which has seen nothing. A file that is there already is an error: a
// witness that forgets what it has cosigned can be made to cosign another history.
chain::Result<void> make_witness_memory(const std::string& path, const std::string& verifier,
                                        const StoreOptions& options = {});
// Never makes one, for that reason. Errors: no such file, locked by another process, another kind
// of file, a newer schema, trouble with the disk.
chain::Result<std::unique_ptr<SqliteWitnessMemory>> open_witness_memory(
    const std::string& path, const StoreOptions& options = {});

class SqliteCosignatureMemory final : public CosignatureMemory {
 public:
  ~SqliteCosignatureMemory() override;
  std::vector<Cosigned> cosigned() override;
  std::optional<Witnessed> witnessed() override;
  void keep(const Cosigned& cosigned, const std::optional<Witnessed>& witnessed) override;

 private:
  friend chain::Result<std::unique_ptr<SqliteCosignatureMemory>> open_cosignature_memory(
      const std::string&, const std::string&, const StoreOptions&);
  struct State;
  explicit SqliteCosignatureMemory(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

// Made if it is not there: losing it costs nothing but what the witnesses can say again.
// `origin`: whose cosignatures; a file of another log is an error.
chain::Result<std::unique_ptr<SqliteCosignatureMemory>> open_cosignature_memory(
    const std::string& path, const std::string& origin, const StoreOptions& options = {});

}  // namespace eventchain::store
