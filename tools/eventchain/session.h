#pragma once

#include <string>
#include <vector>

#include "chain/result.h"
#include "tools/eventchain/http_client.h"

namespace CLI {
class App;
}
namespace boost::json {
class value;
}

namespace eventchain::tools {

// What a shell script may rely on.
enum class Exit : int {
  kOk = 0,
  kError = 1,
  kUsage = 2,
  kTampered = 3,     // or a failed verification
  kNotYet = 4,       // true so far, but not what was asked for
  kUnreachable = 5,  // no endpoint answered, or no quorum
  kUncertified = 6,  // a chain obeys the rules, and voters have certified nothing of it
};

// Ends a command with a message for people; caught in main().
struct CommandFailed {
  Exit exit = Exit::kError;
  std::string message;
};

[[noreturn]] void stop(const chain::Error& error);
template <class T>
T value_or_stop(chain::Result<T> result) {
  if (!result) stop(result.error());
  if constexpr (!std::is_void_v<T>) return std::move(*result);
}

// The options that every command shares, and how the command ended.
struct Session {
  std::vector<std::string> endpoints;
  TlsFiles tls;
  bool as_json = false;
  Exit exit = Exit::kOk;
};

// Each adds its nouns and verbs; the verb's callback runs it and sets session.exit.
void add_event_commands(CLI::App& app, Session& session);
void add_event_receipt_command(CLI::App& event, Session& session);
void add_receipt_commands(CLI::App& app, Session& session);
void add_evidence_commands(CLI::App& app, Session& session);
void add_submit_command(CLI::App& event, Session& session);
void add_cluster_commands(CLI::App& app, Session& session);
void add_chain_commands(CLI::App& app, Session& session);
void add_work_proof_commands(CLI::App& chain, Session& session);
void add_cost_command(CLI::App& chain, Session& session);
void add_block_receipt_command(CLI::App& chain, Session& session);
void add_consistency_command(CLI::App& chain, Session& session);
void add_verify_command(CLI::App& chain, Session& session);
void add_mining_commands(CLI::App& app, Session& session);
void add_setup_commands(CLI::App& app, Session& session);
void add_witness_commands(CLI::App& app, Session& session);
void add_request_commands(CLI::App& pki, Session& session);
void add_bench_command(CLI::App& app, Session& session);
void add_doctor_command(CLI::App& app, Session& session);
void add_order_commands(CLI::App& cluster, Session& session);
void add_status_command(CLI::App& cluster, Session& session);
void add_top_command(CLI::App& cluster, Session& session);
void add_join_command(CLI::App& cluster, Session& session);
void add_drain_command(CLI::App& node, Session& session);

// What a node's configuration leaves to choose; `plan` outlives the parsing.
struct NodePlan;
void add_node_options(CLI::App& command, NodePlan& plan);

}  // namespace eventchain::tools
