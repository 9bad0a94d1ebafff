#include "node/witnessing/setup.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <fstream>
#include <iterator>
#include <string>
#include <utility>

#include "chain/certificate.h"
#include "net/http/server.h"
#include "node/evidence_file.h"
#include "node/witnessing/log_witnesses.h"
#include "store/chain_store.h"
#include "store/sqlite/sqlite_witness_memory.h"

namespace eventchain::node {

using chain::ErrorCode;
using chain::fail;
using chain::Result;

Result<std::unique_ptr<chain::Ed25519>> load_witness_key(const Config& config,
                                                         const chain::PublicKey& signing_key) {
  if (config.witness.directory.empty()) return std::unique_ptr<chain::Ed25519>();
  const std::filesystem::path file = config.witness.directory / kWitnessKeyName;
  const auto refuse = [&](const std::string& why) {
    return fail(ErrorCode::kInvalid,
                fmt::format("configuration: witness.directory: {}: {}", file.string(), why));
  };
  std::ifstream stream(file, std::ios::binary);
  const std::string pem((std::istreambuf_iterator<char>(stream)), std::istreambuf_iterator<char>());
  if (!stream && pem.empty())
    return refuse("cannot be read; \"eventchain witness key DIR\" makes the directory");
  struct stat attributes {};
  if (::stat(file.c_str(), &attributes) != 0 || (attributes.st_mode & 077U) != 0)
    return refuse("others than its user can read or change it; chmod 600");
  auto key = chain::Ed25519::from_pem(pem);
  if (!key) return refuse(key.error().message);
  if ((*key)->public_key() == signing_key)
    return refuse(
        "is this member's own signing key; a witness has a key of its own, which "
        "\"eventchain witness key DIR\" makes");
  return key;
}

// Members in order of dependency; destroyed in the reverse.
struct Witnessing::Parts {
  explicit Parts(const Place& given) : place(given) {}

  Result<void> make_witnesses();
  Result<void> make_cosigner();
  Result<void> listen();

  const Place place;
  std::unique_ptr<store::SqliteCosignatureMemory> cosignatures;
  std::unique_ptr<LogWitnesses> witnesses;
  std::unique_ptr<chain::Ed25519> key;
  std::unique_ptr<store::SqliteWitnessMemory> memory;
  std::unique_ptr<Cosigner> cosigner;
  std::unique_ptr<net::http::Server> server;
};

Result<void> Witnessing::Parts::make_witnesses() {
  const WitnessesConfig& config = place.config.witnesses;
  if (config.nodes.empty()) return {};
  auto opened =
      store::open_cosignature_memory(place.config.data_directory / store::kCosignatureDatabaseName,
                                     chain::log_origin(chain::chain_id(place.genesis)));
  if (!opened) return tl::unexpected(opened.error());
  cosignatures = std::move(*opened);
  LogWitnessesOptions options;
  for (const WitnessPlace& one : config.nodes)
    options.witnesses.push_back({one.verifier, one.url, one.ca.string()});
  options.quorum = config.needed();
  options.interval = config.interval;
  options.timeout = config.timeout;
  options.log = [&log = place.log](Notice::Level level, const std::string& text) {
    log.write(level, text);
  };
  auto made = LogWitnesses::make(std::move(options), place.port, place.reader, *cosignatures);
  if (!made) return tl::unexpected(made.error());
  witnesses = std::move(*made);
  return {};
}

Result<void> Witnessing::Parts::make_cosigner() {
  const WitnessConfig& config = place.config.witness;
  auto loaded = load_witness_key(place.config, place.signing_key);
  if (!loaded) return tl::unexpected(loaded.error());
  if (*loaded == nullptr) return {};
  key = std::move(*loaded);
  auto opened = store::open_witness_memory(config.directory / store::kWitnessDatabaseName);
  if (!opened)
    return fail(opened.error().code,
                fmt::format("configuration: witness.directory: {}. A witness without its memory "
                            "could vouch for two histories: make a new one with a new key in a new "
                            "directory, and give its verifier key to the logs",
                            opened.error().message));
  memory = std::move(*opened);
  const auto self =
      chain::parse_note_verifier_key(memory->verifier(), chain::NoteKeyKind::kCosignature);
  if (!self || self->key != key->public_key())
    return fail(ErrorCode::kInvalid,
                fmt::format("configuration: witness.directory: the key and the memory in {} are of "
                            "two witnesses; use a directory as it was made",
                            config.directory.string()));
  CosignerOptions options;
  options.self = *self;
  options.logs = config.logs;
  options.log = [&log = place.log](Notice::Level level, const std::string& text) {
    log.write(level, text);
  };
  options.keep_evidence = [this](const std::string& name,
                                 const std::string& text) -> Result<std::string> {
    const auto file = keep_text(place.config.witness.directory / kEvidenceFolder, name, text);
    if (!file) return tl::unexpected<chain::Error>(file.error());
    return file->string();
  };
  try {
    cosigner = std::make_unique<Cosigner>(std::move(options), *key, *memory);
  } catch (const store::StoreFailure& failure) {
    return fail(ErrorCode::kIo, fmt::format("witness: {}", failure.what()));
  }
  place.log.write(Notice::Level::kInfo,
                  fmt::format("witness: cosigns for {} logs key={}",
                              place.config.witness.logs.size(), memory->verifier()));
  return {};
}

Result<void> Witnessing::Parts::listen() {
  const WitnessConfig& config = place.config.witness;
  if (cosigner == nullptr || config.listen.host.empty()) return {};
  net::http::ServerOptions options;
  options.address = config.listen.host;
  options.port = config.listen.port;
  options.limits.body_bytes_max = chain::kAddCheckpointBytesMax;
  options.limits.bodies_in_flight_max = 64 * chain::kAddCheckpointBytesMax;
  options.limits.connections_max = 128;
  options.limits.connections_per_address_max = 32;
  if (config.tls) {
    const bool has_own = !config.certificate.empty();
    const TlsFiles& api = place.config.api_tls_files;
    // Nobody is asked for a certificate: the checkpoint's signatures say who asks.
    options.tls = net::http::TlsOptions{
        has_own ? config.certificate : api.certificate, has_own ? config.key : api.key, {}};
  }
  options.observer = [&metrics = place.metrics](const net::http::Exchange& exchange) {
    metrics.observe_http(exchange.label, exchange.status, exchange.duration);
  };
  auto started = net::http::Server::start(
      std::move(options),
      [this](net::http::Request request, std::shared_ptr<net::http::Responder> responder) {
        if (request.method != "POST" || request.target != "/add-checkpoint")
          return responder->respond(net::http::problem(
              404, "not-found", "here is a witness, which takes POST /add-checkpoint alone"));
        cosigner->add_checkpoint(
            std::move(request.body),
            [responder](net::http::Response response) { responder->respond(std::move(response)); });
      });
  if (!started) return tl::unexpected(started.error());
  server = std::move(*started);
  place.log.write(Notice::Level::kInfo,
                  fmt::format("witness: listens at {}:{}", config.listen.host, server->port()));
  return {};
}

Witnessing::Witnessing(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}

Witnessing::~Witnessing() {
  stop();
}

Result<std::unique_ptr<Witnessing>> Witnessing::make(const Place& place) {
  auto parts = std::make_unique<Parts>(place);
  auto made = parts->make_witnesses();
  if (made) made = parts->make_cosigner();
  if (!made) return tl::unexpected(made.error());
  return std::unique_ptr<Witnessing>(new Witnessing(std::move(parts)));
}

Result<void> Witnessing::start() {
  if (parts_->witnesses) parts_->witnesses->start();
  return parts_->listen();
}

void Witnessing::stop() {
  if (parts_->server) parts_->server->stop();
  if (parts_->cosigner) parts_->cosigner->stop();
  if (parts_->witnesses) parts_->witnesses->stop();
}

Result<void> Witnessing::reload_tls() {
  if (parts_->server == nullptr || !parts_->place.config.witness.tls) return {};
  return parts_->server->reload_tls();
}

const Witnesses* Witnessing::witnesses() const {
  return parts_->witnesses.get();
}

Cosigner* Witnessing::cosigner() const {
  return parts_->cosigner.get();
}

}  // namespace eventchain::node
