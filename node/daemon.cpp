#include "node/daemon.h"

#include <fmt/format.h>
#include <pthread.h>

#include <csignal>
#include <string>
#include <utility>

#include "chain/features.h"
#include "node/daemon_options.h"
#include "node/daemon_parts.h"
#include "node/deployment.h"
#include "node/evidence_file.h"
#include "node/genesis_json.h"
#include "node/signals.h"

namespace eventchain::node {

using chain::Result;

Result<void> Daemon::Parts::start() {
  static_cast<void>(manager.tell("STATUS=opens its files\n"));
  auto loaded = load_genesis(config.genesis_file);
  if (!loaded) return tl::unexpected(loaded.error());
  genesis = std::move(*loaded);
  auto checked = check_membership(config, genesis);
  if (checked) checked = check_kind(config, genesis);
  if (!checked) return checked;

  auto key = load_signing_key(config, genesis);
  if (!key) return tl::unexpected(key.error());
  signing = std::move(*key);

  const auto disk = find_store(config, genesis);
  if (!disk) return tl::unexpected(disk.error());
  auto opened = open_stores(*disk);
  if (!opened) return opened;
  // The core would refuse it too, but only after clients and peers had been let in.
  const auto in_force = reader->members(reader->tip().height.next());
  if (!in_force) return tl::unexpected(in_force.error());
  if (auto can = chain::check_program(**in_force, feature_level); !can) {
    end = RunEnd::kOutdated;
    return can;
  }

  auto set_up = mining::set_up_work(genesis, {config.randomx, [this](const std::string& text) {
                                                log.write(Notice::Level::kInfo, text);
                                              }});
  if (!set_up) return tl::unexpected(set_up.error());
  work = std::move(*set_up);

  RuntimeOptions options;
  options.disk = config.data_directory;
  options.disk_reserve_bytes = config.disk_reserve_bytes;
  options.log = [this](const Notice& notice) { log.write(notice.level, notice.text); };
  options.keep_evidence = [this](const Evidence& evidence) { keep(evidence); };
  options.make_machine = [this, seed = draw_salt()] { return make_machine(seed); };
  options.members_changed = [this](const MembersChanged& changed) {
    if (mesh) mesh->set_peers(neighbours.table(*changed.members, changed.as_of, changed.leaving));
  };
  if (work.slow)
    options.share_checks =
        ShareChecksOptions{genesis,      config.node,          work.slow, config.light ? 1U : 2U,
                           config.light, reader->tip().height, *in_force};
  runtime = std::make_unique<Runtime>(std::move(options),
                                      config.light ? light_store->turns() : store->turns());
  if (auto mining = start_miner(); !mining) return mining;
  // Also where there are no peers yet: others may join.
  if (!config.peers_listen.host.empty()) {
    auto linking = mesh_options(config, genesis, *disk, feature_level, log);
    linking.table = neighbours.table(**in_force, reader->tip().height);
    links = std::make_unique<LinkWatch>(*runtime);
    mesh = std::make_unique<net::Mesh>(std::move(linking), *links);
  }
  runtime->attach(mesh.get(), pacer ? static_cast<mining::Miner*>(pacer.get()) : miner.get());
  runtime->start([this](RunEnd why, std::string reason) {
    {
      const std::lock_guard lock(mutex);
      end = why;
      failure = std::move(reason);
    }
    pthread_kill(waiter, SIGTERM);
  });
  if (mesh) {
    auto linked = mesh->start();
    if (!linked) return linked;
    read_certificate("peers");
  }
  auto witnessed =
      Witnessing::make({config, genesis, signing->public_key(), *runtime, *reader, log, metrics});
  if (!witnessed) return tl::unexpected(witnessed.error());
  witnessing = std::move(*witnessed);
  if (auto serving = start_api(); !serving) return serving;
  return witnessing->start();
}

// `use` as CertificateState has it; those files have just been loaded.
void Daemon::Parts::read_certificate(const char* use) {
  const bool is_api = std::string_view(use) == "api";
  host.read_certificate(use, (is_api ? config.api_tls_files : config.peers_tls).certificate);
}

HostState Daemon::Parts::host_state() const {
  HostState state = host.state();
  if (links) state.unlinked_for = links->unlinked_for();
  return state;
}

// Certificates run out while a node runs. Of the settings none is read again.
void Daemon::Parts::reload() {
  const auto tell = [this](const char* whose, const Result<void>& loaded) {
    if (loaded)
      return log.write(Notice::Level::kInfo,
                       fmt::format("certificates were read again for={}", whose));
    log.write(Notice::Level::kError,
              fmt::format("certificates could not be read again, those from before stay in use "
                          "for={} why=\"{}\"",
                          whose, loaded.error().message));
  };
  if (mesh) {
    auto loaded = mesh->reload();
    if (loaded) read_certificate("peers");
    if (loaded) loaded = read_authority();
    tell("peers", loaded);
  }
  if (config.api_tls) {
    const auto loaded = server->reload_tls();
    if (loaded) read_certificate("api");
    tell("clients", loaded);
  }
  if (witnessing->cosigner() != nullptr) tell("logs", witnessing->reload_tls());
}

void Daemon::Parts::keep(const Evidence& evidence) {
  const auto file =
      keep_evidence(std::filesystem::path(config.data_directory) / kEvidenceFolder, evidence);
  log.write(
      Notice::Level::kError,
      file ? fmt::format("evidence of two histories is kept file={}", file->string())
           : fmt::format("evidence of two histories is lost why=\"{}\"", file.error().message));
}

void Daemon::Parts::stop() {
  // Clients first, so that nobody is promised anything while the rest goes down.
  if (server) server->stop();
  if (witnessing) witnessing->stop();
  if (certificates) certificates->stop();
  if (mesh) mesh->stop();
  if (runtime) runtime->stop();
  if (miner) miner->stop();
}

Daemon::Daemon(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}

Daemon::~Daemon() {
  parts_->stop();
}

tl::expected<std::unique_ptr<Daemon>, Daemon::StartFailure> Daemon::start(
    const Config& config, std::uint16_t feature_level) {
  // From here on a failed start stops whatever had started.
  std::unique_ptr<Daemon> daemon(new Daemon(std::make_unique<Parts>(config, feature_level)));
  auto started = daemon->parts_->start();
  if (!started) {
    const bool is_outdated = daemon->parts_->end == RunEnd::kOutdated;
    return tl::unexpected(StartFailure{started.error(), is_outdated ? kExitOutdated : kExitFailed});
  }
  daemon->parts_->log.write(Notice::Level::kInfo,
                            fmt::format("started version={} node={} chain={} peers={}:{} api={}:{}",
                                        kVersion, to_hex(config.node), daemon->parts_->genesis.name,
                                        config.peers_listen.host, config.peers_listen.port,
                                        config.api_listen.host, daemon->parts_->server->port()));
  return daemon;
}

bool Daemon::Parts::is_removed() {
  const std::lock_guard lock(mutex);
  return !failure.empty() && end == RunEnd::kRemoved;
}

int Daemon::run() {
  ServiceTalk talk(parts_->manager, *parts_->runtime);
  while (true) {
    talk.step();
    const auto told = wait_for_signal(talk.every());
    if (told == Told::kEnd) break;
    if (told == Told::kReload) parts_->reload();
  }
  // systemd takes the end of a service that was never ready for a failure, whatever its exit code.
  // Who was removed while it was away has nothing to become ready for.
  if (parts_->is_removed()) static_cast<void>(parts_->manager.tell("READY=1\n"));
  static_cast<void>(parts_->manager.tell("STOPPING=1\nSTATUS=stops\n"));
  parts_->stop();
  const std::lock_guard lock(parts_->mutex);
  if (parts_->failure.empty()) {
    parts_->log.write(Notice::Level::kInfo, "stopped");
    return kExitOk;
  }
  const bool is_disk = parts_->end == RunEnd::kDiskFailed;
  // What somebody ordered is no error.
  const auto level =
      parts_->end == RunEnd::kRemoved ? Notice::Level::kWarning : Notice::Level::kError;
  parts_->log.write(level, (is_disk ? "the store failed: " : "") + parts_->failure);
  switch (parts_->end) {
    case RunEnd::kDiskFailed:
      return kExitDisk;
    case RunEnd::kRemoved:
      return kExitRemoved;
    case RunEnd::kRolledBack:
      return kExitRolledBack;
    case RunEnd::kOutdated:
      return kExitOutdated;
    case RunEnd::kWrongKind:
      return kExitWrongKind;
  }
  return kExitFailed;
}

}  // namespace eventchain::node
