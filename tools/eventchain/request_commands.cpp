#include <CLI/CLI.hpp>
#include <chrono>
#include <memory>

#include <fmt/format.h>

#include "chain/text.h"
#include "tools/eventchain/files.h"
#include "tools/eventchain/json_text.h"
#include "tools/eventchain/node_request.h"
#include "tools/eventchain/session.h"

// The verbs of the machine whose keys they are; what the authority does is in setup_commands.
namespace eventchain::tools {

namespace json = boost::json;

namespace {

constexpr std::size_t kFileBytesMax = 64 * 1024;

void add_request(CLI::App& pki) {
  struct Asking {
    Authority authority;
    std::string dir, name, site;
  };
  const auto asking = std::make_shared<Asking>();
  CLI::App* request = pki.add_subcommand(
      "request",
      "on a node's own machine: draw its ids and keys, ask for a certificate in csr.pem");
  request->add_option("DIR", asking->dir, "the node's directory")->required();
  request->add_option("--node", asking->name, "its name")->required();
  request->add_option("--trust-domain", asking->authority.trust_domain, "the authority's")
      ->required();
  request->add_option("--chain", asking->authority.chain, "the chain's name")->required();
  request->add_option("--site", asking->site, "its failure domain");
  request->callback([asking] {
    value_or_stop(prepare_request(asking->dir, asking->authority, asking->name, asking->site));
    fmt::print(
        "{0}/csr.pem: for the authority (eventchain pki sign), with {0}/member.json where "
        "genesis is made\n",
        asking->dir);
  });
}

void add_renew(CLI::App& pki, const Session& session) {
  struct Renewing {
    std::string dir;
    int days = 30;
  };
  const auto renewing = std::make_shared<Renewing>();
  CLI::App* renew = pki.add_subcommand(
      "renew",
      "draw a node's next key and ask for its certificate in next.csr.pem, where it is time");
  renew->add_option("DIR", renewing->dir, "the node's directory")->required();
  renew->add_option("--within", renewing->days, "days that are left to the present certificate")
      ->check(CLI::Range(0, 3650))
      ->capture_default_str();
  renew->callback([&session, renewing] {
    const chain::UnixMillis now{std::chrono::duration_cast<std::chrono::milliseconds>(
                                    std::chrono::system_clock::now().time_since_epoch())
                                    .count()};
    const Renewal renewal = value_or_stop(prepare_renewal(renewing->dir, renewing->days, now));
    const std::string until = chain::rfc3339(renewal.valid_until);
    if (session.as_json)
      return fmt::print("{}", pretty(json::object{{"needed", renewal.is_needed},
                                                  {"valid_until", until},
                                                  {"request", renewal.request}}));
    if (renewal.is_needed)
      fmt::print(
          "{}/next.csr.pem: for the authority (eventchain pki sign); the present certificate "
          "ends {}\n",
          renewing->dir, until);
    else
      fmt::print("{}/cert.pem is good until {}\n", renewing->dir, until);
  });
}

void add_accept(CLI::App& pki) {
  struct Accepting {
    std::string dir, certificate, authority;
  };
  const auto accepting = std::make_shared<Accepting>();
  CLI::App* accept = pki.add_subcommand(
      "accept", "take over the certificate that answers csr.pem or next.csr.pem, with its key");
  accept->add_option("DIR", accepting->dir, "the node's directory")->required();
  accept->add_option("--certificate", accepting->certificate, "PEM; standard input if absent");
  accept->add_option("--authority", accepting->authority,
                     "the authority's certificate (PEM); DIR/ca.cert.pem if absent");
  accept->callback([accepting] {
    const std::string certificate = value_or_stop(read_file(
        accepting->certificate.empty() ? "/dev/stdin" : accepting->certificate, kFileBytesMax));
    std::string authority;
    if (!accepting->authority.empty())
      authority = value_or_stop(read_file(accepting->authority, kFileBytesMax));
    value_or_stop(accept_certificate(accepting->dir, certificate, authority));
    fmt::print("{0}/cert.pem and {0}/key.pem are what the node uses from its next start on\n",
               accepting->dir);
  });
}

}  // namespace

void add_request_commands(CLI::App& pki, Session& session) {
  add_request(pki);
  add_renew(pki, session);
  add_accept(pki);
}

}  // namespace eventchain::tools
