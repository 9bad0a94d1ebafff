#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdlib>
#include <memory>

#include <fmt/format.h>

#include "chain/certificate.h"
#include "chain/note.h"
#include "node/genesis_json.h"
#include "tools/eventchain/files.h"
#include "tools/eventchain/node_setup.h"
#include "tools/eventchain/pki.h"
#include "tools/eventchain/session.h"

namespace eventchain::tools {

namespace {

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string() : std::string(value);
}

void add_pki_sign(CLI::App& pki) {
  struct Chosen {
    std::string dir, request, out;
    Signing signing;
  };
  const auto chosen = std::make_shared<Chosen>();
  CLI::App* sign = pki.add_subcommand(
      "sign",
      "sign the certificate request of a node that joined; as a node's cluster.ca_command it reads "
      "standard input, writes standard output and minds EVENTCHAIN_NODE_ID and _NAME");
  sign->add_option("DIR", chosen->dir, "the authority's directory")->required();
  sign->add_option("--csr", chosen->request, "the request (PEM); standard input if absent");
  sign->add_option("--out", chosen->out, "file to write; standard output if absent");
  sign->add_option("--address", chosen->signing.addresses,
                   "DNS name or IP address for clients that check it; repeatable");
  sign->add_option("--days", chosen->signing.days, "validity")->capture_default_str();
  sign->callback([chosen] {
    constexpr std::size_t kRequestBytesMax = 64 * 1024;
    Signing& signing = chosen->signing;
    signing.request = value_or_stop(
        read_file(chosen->request.empty() ? "/dev/stdin" : chosen->request, kRequestBytesMax));
    signing.node = environment("EVENTCHAIN_NODE_ID");
    signing.name = environment("EVENTCHAIN_NODE_NAME");
    const std::string certificate = value_or_stop(sign_request(chosen->dir, signing));
    if (chosen->out.empty())
      fmt::print("{}", certificate);
    else
      value_or_stop(replace_file(chosen->out, certificate, Secrecy::kPublic));
  });
}

void add_pki(CLI::App& app, Session& session) {
  CLI::App* pki = app.add_subcommand("pki", "a small certificate authority in a directory");
  pki->require_subcommand(1);

  struct Init {
    std::string dir;
    Authority authority;
  };
  const auto init = std::make_shared<Init>();
  CLI::App* make = pki->add_subcommand("init", "make the authority's key and certificate");
  make->add_option("DIR", init->dir, "directory to make them in")->required();
  make->add_option("--trust-domain", init->authority.trust_domain, "e.g. example.org")->required();
  make->add_option("--chain", init->authority.chain, "the chain's name")->required();
  make->callback([init] {
    value_or_stop(create_authority(init->dir, init->authority));
    fmt::print("{}: authority for spiffe://{}/eventchain/{}\n", init->dir,
               init->authority.trust_domain, init->authority.chain);
  });

  struct Issuing {
    std::string dir, node, client;
    Issue issue;
  };
  const auto issuing = std::make_shared<Issuing>();
  CLI::App* issue = pki->add_subcommand(
      "issue", "issue (or rotate) the certificate of a node or a client, into DIR/NAME");
  issue->add_option("DIR", issuing->dir, "the authority's directory")->required();
  CLI::Option_group* who = issue->add_option_group("subject", "who it is for");
  who->add_option("--node", issuing->node, "name of a node; makes its id and signing key too");
  who->add_option("--client", issuing->client, "name of a client");
  who->require_option(1);
  issue->add_option("--address", issuing->issue.addresses,
                    "DNS name or IP address for clients that check it; repeatable");
  issue->add_option("--site", issuing->issue.site, "a node's failure domain");
  issue->add_option("--days", issuing->issue.days, "validity")->capture_default_str();
  issue->callback([issuing] {
    const bool is_node = !issuing->node.empty();
    issuing->issue.subject = is_node ? Subject::kNode : Subject::kClient;
    issuing->issue.name = is_node ? issuing->node : issuing->client;
    value_or_stop(issue_certificate(issuing->dir, issuing->issue));
    fmt::print("{}/{}: certificate of {} \"{}\"\n", issuing->dir, issuing->issue.name,
               is_node ? "node" : "client", issuing->issue.name);
  });
  add_pki_sign(*pki);
  add_request_commands(*pki, session);
}

void add_genesis(CLI::App& app) {
  CLI::App* genesis = app.add_subcommand("genesis", "the chain's constitution");
  genesis->require_subcommand(1);
  struct Creating {
    GenesisPlan plan;
    std::string authority, out = "genesis.json";
  };
  const auto creating = std::make_shared<Creating>();
  GenesisPlan& plan = creating->plan;
  CLI::App* create = genesis->add_subcommand("create", "write genesis.json for issued nodes");
  create->add_option("DIR", creating->authority, "the authority's directory")->required();
  create->add_option("--voter", plan.voters, "name of an issued node; repeatable, order counts")
      ->required();
  create->add_option("--peers-address", plan.peers_addresses,
                     "NAME=HOST:PORT where other nodes reach that voter; repeatable");
  create->add_option("--api-address", plan.api_addresses,
                     "NAME=HOST:PORT where clients reach that voter; repeatable");
  create->add_option("--interval-ms", plan.interval_ms, "time between blocks")
      ->capture_default_str();
  create->add_option("--heartbeat-ms", plan.heartbeat_ms, "a block even without events; 0: none")
      ->capture_default_str();
  create
      ->add_option("--work", plan.work,
                   "work function: sha256, randomx-v1 or none (mining/README.md)")
      ->capture_default_str();
  create->add_option("--shares", plan.share_count, "shares in a seal; 16, without work 1");
  create->add_option("--first-hashes", plan.first_hashes,
                     "expected hashes for a first share; sha256: 1048576, randomx-v1: 32");
  create->add_option("--easiest-hashes", plan.easiest_hashes,
                     "the least a share ever costs; sha256: 1024, randomx-v1: 2");
  create->add_option("--out", creating->out, "file to write")->capture_default_str();
  create->callback([creating] {
    creating->plan.authority = creating->authority;
    creating->plan.created = {std::chrono::duration_cast<std::chrono::milliseconds>(
                                  std::chrono::system_clock::now().time_since_epoch())
                                  .count()};
    const chain::Genesis made = value_or_stop(plan_genesis(creating->plan));
    value_or_stop(write_new_file(creating->out, node::format_genesis(made), Secrecy::kPublic));
    fmt::print("{}: chain {} with {} voters\n", creating->out, to_hex(chain::chain_id(made)),
               made.voters.size());
  });
  const auto file = std::make_shared<std::string>();
  CLI::App* keys = genesis->add_subcommand(
      "keys", "the first voters' keys, a line each, for programs that check signed notes (C2SP)");
  keys->add_option("FILE", *file, "the genesis file")->required();
  keys->callback([file] {
    const chain::Genesis read = value_or_stop(node::load_genesis(*file));
    const std::string origin = chain::log_origin(chain::chain_id(read));
    for (const chain::Member& voter : read.voters)
      fmt::print("{}\n", chain::note_verifier_key(origin, voter.signing_key));
  });
}

void add_config(CLI::App& app) {
  CLI::App* config = app.add_subcommand("config", "a node's configuration");
  config->require_subcommand(1);
  struct Init {
    NodePlan plan;
    std::string home, genesis = "genesis.json", data, file;
  };
  const auto init = std::make_shared<Init>();
  NodePlan& plan = init->plan;
  CLI::App* make = config->add_subcommand("init", "write the TOML file of an issued node");
  make->add_option("DIR", init->home, "the node's directory, made by pki issue")->required();
  make->add_option("--genesis", init->genesis, "the genesis file")->capture_default_str();
  make->add_option("--data", init->data, "where it keeps its database (DIR/data)");
  add_node_options(*make, plan);
  make->add_option("--out", init->file, "file to write (DIR/node.toml)");
  make->callback([init] {
    NodePlan& chosen = init->plan;
    chosen.home = init->home;
    chosen.genesis = init->genesis;
    chosen.data = init->data.empty() ? chosen.home / "data" : std::filesystem::path(init->data);
    chosen.file =
        init->file.empty() ? chosen.home / "node.toml" : std::filesystem::path(init->file);
    const std::string text = value_or_stop(plan_node(chosen));
    value_or_stop(prepare_data(chosen));
    value_or_stop(write_new_file(chosen.file, text, Secrecy::kPublic));
    fmt::print("{}\n", chosen.file.string());
  });
}

}  // namespace

void add_node_options(CLI::App& command, NodePlan& plan) {
  command.add_option("--peers-listen", plan.peers_listen, "HOST:PORT for the other nodes")
      ->required();
  command.add_option("--api-listen", plan.api_listen, "HOST:PORT for clients")->required();
  command.add_option("--peer", plan.peers, "NODE-ID@HOST:PORT or DIRECTORY@HOST:PORT; repeatable");
  command.add_flag_callback(
      "--api-plain", [&plan] { plan.api_tls = false; }, "no TLS for clients; loopback only");
  command.add_flag("--api-open", plan.api_open, "clients need no certificate");
  command.add_option("--operator", plan.operators,
                     "name of a client that may order changes of the cluster; repeatable");
  command.add_option("--mining-threads", plan.mining_threads,
                     "at most; 0: lends nothing; one for each physical core if not given");
  command.add_option("--mining-duty", plan.mining_duty_percent,
                     "percent of a processor for each thread; 100 if not given");
  command.add_option("--mining-cap", plan.mining_cap_percent,
                     "percent of the host's processors; 50 if not given");
}

void add_setup_commands(CLI::App& app, Session& session) {
  add_pki(app, session);
  add_genesis(app);
  add_config(app);
}

}  // namespace eventchain::tools
