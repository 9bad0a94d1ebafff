#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>
#include <optional>

#include <fmt/format.h>

#include "tools/eventchain/chain_bench.h"
#include "tools/eventchain/json_text.h"
#include "tools/eventchain/kernel_bench.h"
#include "tools/eventchain/progress.h"
#include "tools/eventchain/randomx_bench.h"
#include "tools/eventchain/session.h"
#include "tools/eventchain/switch_bench.h"
#include "tools/eventchain/table.h"

namespace eventchain::tools {

namespace json = boost::json;

namespace {

constexpr double kMillion = 1e6;

json::object to_json(const mining::Rate& rate, const char* unit) {
  json::object result;
  result[unit] = rate.per_second;
  // Where the clock rate of the core is unknown, so are the cycles.
  result["cycles_each"] = rate.cycles_each > 0 ? json::value(rate.cycles_each) : json::value();
  result["chunks"] = rate.chunks;
  result["clean_chunks"] = rate.clean_chunks;
  return result;
}

json::value to_json(const KernelBench& bench) {
  json::array kernels;
  for (const KernelBench::Line& line : bench.kernels) {
    json::object entry = {{"name", line.rate.name}, {"threads", line.threads}};
    for (auto& member : to_json(line.rate, "hashes_per_second")) entry.insert(member);
    kernels.push_back(std::move(entry));
  }
  return json::object{
      {"chosen", bench.chosen},
      {"kernels", std::move(kernels)},
      {"openssl",
       json::object{{"version", bench.openssl_version},
                    {"blocks", to_json(bench.openssl_blocks, "blocks_per_second")},
                    {"messages", to_json(bench.openssl_messages, "hashes_per_second")}}}};
}

std::vector<std::string> row_of(std::string name, unsigned threads, const mining::Rate& rate) {
  return {std::move(name), std::to_string(threads),
          fmt::format("{:.2f}", rate.per_second / kMillion),
          rate.cycles_each > 0 ? fmt::format("{:.1f}", rate.cycles_each) : "unknown",
          fmt::format("{} of {}", rate.clean_chunks, rate.chunks)};
}

void show(const KernelBench& bench) {
  std::vector<std::vector<std::string>> rows;
  for (const KernelBench::Line& line : bench.kernels)
    rows.push_back(row_of(line.rate.name, line.threads, line.rate));
  rows.push_back(row_of("OpenSSL, 64-octet blocks, 8 KiB a call", 1, bench.openssl_blocks));
  rows.push_back(row_of("OpenSSL, preimages, one a call", 1, bench.openssl_messages));
  fmt::print("{}", table({"KERNEL", "THREADS", "M/S", "CYCLES EACH", "CLEAN CHUNKS"}, rows));
  fmt::print(
      "\nA node mines with {} here. Rates are per second of processor time. A chunk is clean "
      "where\n"
      "the core gave all it has before and after; figures with none are those of a shared core.\n"
      "OpenSSL is {}; its first line is the figure of `openssl speed -evp sha256`.\n",
      bench.chosen, bench.openssl_version);
}

void show(const SwitchBench& bench, bool as_json) {
  const auto in_ms = [](std::chrono::nanoseconds span) {
    return std::chrono::duration<double, std::milli>(span).count();
  };
  if (as_json) {
    fmt::print("{}", pretty(json::object{{"threads", bench.threads},
                                         {"kernel", bench.kernel},
                                         {"switches", bench.switches},
                                         {"p50_ms", in_ms(bench.p50)},
                                         {"p99_ms", in_ms(bench.p99)},
                                         {"max_ms", in_ms(bench.max)}}));
    return;
  }
  fmt::print(
      "{} switches, {} threads with {}: p50 {:.3f} ms, p99 {:.3f} ms, at most {:.3f} ms\n"
      "from the order to a delivered share of the new template, whose hashes are all shares.\n",
      bench.switches, bench.threads, bench.kernel, in_ms(bench.p50), in_ms(bench.p99),
      in_ms(bench.max));
}

struct Chosen {
  double seconds = 6;
  bool as_json = false;
  std::string work = "sha256";
  bool with_fast = false;
  [[nodiscard]] std::chrono::milliseconds duration() const {
    return std::chrono::milliseconds(static_cast<std::int64_t>(seconds * 1000));
  }
};

json::value to_json(const RandomXBench& bench) {
  json::array lines;
  for (const RandomXBench::Line& line : bench.lines)
    lines.push_back(json::object{{"mode", line.mode},
                                 {"threads", line.threads},
                                 {"hashes_per_second_each", line.per_second_each}});
  return json::object{
      {"work", "randomx-v1"},
      {"machine_code", bench.has_machine_code},
      {"cache_seconds", bench.cache_seconds},
      {"dataset_seconds",
       bench.dataset_seconds > 0 ? json::value(bench.dataset_seconds) : json::value()},
      {"lines", std::move(lines)}};
}

void show(const RandomXBench& bench) {
  std::vector<std::vector<std::string>> rows;
  for (const RandomXBench::Line& line : bench.lines)
    rows.push_back({line.mode, std::to_string(line.threads),
                    fmt::format("{:.1f}", line.per_second_each),
                    fmt::format("{:.1f}", 1000 / line.per_second_each)});
  fmt::print("{}", table({"RANDOMX", "THREADS", "H/S EACH", "MS EACH"}, rows));
  fmt::print("\nPer second of processor time. The cache took {:.1f} s", bench.cache_seconds);
  if (bench.dataset_seconds > 0) fmt::print(", the dataset {:.1f} s", bench.dataset_seconds);
  fmt::print(".\n{}", bench.has_machine_code
                          ? ""
                          : "This system refuses machine code made at run time: hashes are "
                            "interpreted, five times as slowly.\n");
}

void run_randomx(const Chosen& chosen, const Session& session) {
  RandomXBenchOptions options;
  options.duration = chosen.duration();
  options.with_fast = chosen.with_fast;
  options.tell = [](const std::string& text) { fmt::print(stderr, "{}\n", text); };
  const RandomXBench found = value_or_stop(bench_randomx(options));
  if (session.as_json || chosen.as_json)
    fmt::print("{}", pretty(to_json(found)));
  else
    show(found);
}

struct ChainChoice {
  std::string directory;
  std::uint64_t events = 100'000;
  std::uint64_t receipts = 1000;
};

void make_chain(const ChainChoice& chosen) {
  std::optional<Progress> progress;  // where there is one already, nothing is made
  value_or_stop(make_bench_chain(chosen.directory, chosen.events, [&](std::uint64_t done) {
    if (!progress) progress.emplace("making a chain", "events", chosen.events);
    progress->update(done);
  }));
}

void show_verify(const ChainChoice& chosen, const Session& session) {
  make_chain(chosen);
  const VerifyBench found = value_or_stop(bench_verify(chosen.directory));
  const double events = static_cast<double>(found.events);
  const double rate = events / found.seconds;
  const double hashing = events * found.hashed_octets_each / found.raw_octets_each / found.seconds;
  if (session.as_json)
    return fmt::print("{}", pretty(json::object{{"events", found.events},
                                                {"blocks", found.blocks},
                                                {"octets", found.octets},
                                                {"seconds", found.seconds},
                                                {"events_per_second", rate},
                                                {"raw_octets_per_second", found.raw_octets_each},
                                                {"hashed_octets_each", found.hashed_octets_each},
                                                {"hashing_share", hashing},
                                                {"findings", found.findings}}));
  fmt::print(
      "{} events in {} blocks, {:.0f} octets of salt and body each\n"
      "verified      {:.0f} events/s of one core ({:.2f} s), {} findings\n"
      "SHA-256 raw   {:.0f} MB/s, enough for {:.0f} events/s of {:.0f} octets each\n"
      "of its speed  {:.1f} %\n",
      found.events, found.blocks, static_cast<double>(found.octets) / std::max(events, 1.0), rate,
      found.seconds, found.findings, found.raw_octets_each / 1e6,
      found.raw_octets_each / std::max(found.hashed_octets_each, 1.0), found.hashed_octets_each,
      100 * hashing);
}

void show_receipts(const ChainChoice& chosen, const Session& session) {
  make_chain(chosen);
  std::vector<std::vector<std::string>> rows;
  json::array lines;
  for (const bool newest : {false, true}) {
    const ReceiptBench found =
        value_or_stop(bench_receipts(chosen.directory, chosen.receipts, newest));
    rows.push_back({newest ? "newest" : "first", std::to_string(found.events),
                    fmt::format("{:.0f}", found.octets_each),
                    fmt::format("{:.3f}", found.make_seconds_each * 1e3),
                    fmt::format("{:.3f}", found.verify_seconds_each * 1e3)});
    lines.push_back(json::object{{"certificate", newest ? "newest" : "first"},
                                 {"events", found.events},
                                 {"receipts", found.receipts},
                                 {"octets_each", found.octets_each},
                                 {"make_seconds_each", found.make_seconds_each},
                                 {"verify_seconds_each", found.verify_seconds_each}});
  }
  if (session.as_json) return fmt::print("{}", pretty(lines));
  fmt::print("{}", table({"CERTIFICATE", "EVENTS", "OCTETS", "MAKE MS", "VERIFY MS"}, rows));
}

void add_chain_benches(CLI::App& bench, Session& session) {
  const auto chosen = std::make_shared<ChainChoice>();
  const auto add = [&](const char* verb, const char* what) {
    CLI::App* command = bench.add_subcommand(verb, what);
    command
        ->add_option("--data", chosen->directory,
                     "directory of the made-up chain; made where there is none, and kept")
        ->required();
    command->add_option("--events", chosen->events, "of a chain that is made")
        ->check(CLI::Range(std::uint64_t{1}, std::uint64_t{1'000'000'000}))
        ->capture_default_str();
    return command;
  };
  add("verify", "how fast one core verifies a made-up chain, beside its raw SHA-256 speed")
      ->callback([chosen, &session] { show_verify(*chosen, session); });
  CLI::App* receipts =
      add("receipts", "size of receipts of a made-up chain, and the time to make and verify one");
  receipts->add_option("--receipts", chosen->receipts, "how many")
      ->check(CLI::Range(1, 1'000'000))
      ->capture_default_str();
  receipts->callback([chosen, &session] { show_receipts(*chosen, session); });
}

}  // namespace

void add_bench_command(CLI::App& app, Session& session) {
  const auto chosen = std::make_shared<Chosen>();
  CLI::App* bench = app.add_subcommand("bench", "what this machine can do");
  bench->require_subcommand(1);
  CLI::App* mine = bench->add_subcommand(
      "mine",
      "measures what this processor can mine: the kernels for SHA-256 beside OpenSSL, or RandomX");
  mine->add_option("--seconds", chosen->seconds, "how long to measure")
      ->check(CLI::Range(0.05, 3600.0))
      ->capture_default_str();
  mine->add_flag("--json", chosen->as_json, "the same as --output json");
  mine->add_option("--work", chosen->work, "sha256 or randomx")
      ->check(CLI::IsMember({"sha256", "randomx"}))
      ->capture_default_str();
  mine->add_flag("--fast", chosen->with_fast,
                 "RandomX in fast mode too: 2.3 GiB, and a minute of processor time before");
  mine->callback([chosen, &session] {
    if (chosen->work == "randomx") return run_randomx(*chosen, session);
    const KernelBench found = bench_kernels(chosen->duration());
    if (session.as_json || chosen->as_json)
      fmt::print("{}", pretty(to_json(found)));
    else
      show(found);
  });
  CLI::App* swap = bench->add_subcommand(
      "switch", "how soon the miner's threads are at work on another template (sha256)");
  const auto times = std::make_shared<std::size_t>(500);
  swap->add_option("--times", *times, "switches to measure")
      ->check(CLI::Range(1, 1'000'000))
      ->capture_default_str();
  swap->callback([times, &session] { show(bench_switches(*times), session.as_json); });
  add_chain_benches(*bench, session);
}

}  // namespace eventchain::tools
