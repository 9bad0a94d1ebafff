#include <CLI/CLI.hpp>
#include <memory>

#include <fmt/format.h>

#include "tools/eventchain/json_text.h"
#include "tools/eventchain/kernel_bench.h"
#include "tools/eventchain/session.h"
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

}  // namespace

void add_bench_command(CLI::App& app, Session& session) {
  struct Chosen {
    double seconds = 6;
    bool as_json = false;
  };
  const auto chosen = std::make_shared<Chosen>();
  CLI::App* bench = app.add_subcommand("bench", "what this machine can do");
  bench->require_subcommand(1);
  CLI::App* mine = bench->add_subcommand(
      "mine", "measures the search kernels of this processor, beside OpenSSL's SHA-256");
  mine->add_option("--seconds", chosen->seconds, "how long to measure")
      ->check(CLI::Range(0.05, 3600.0))
      ->capture_default_str();
  mine->add_flag("--json", chosen->as_json, "the same as --output json");
  mine->callback([chosen, &session] {
    const KernelBench found =
        bench_kernels(std::chrono::milliseconds(static_cast<std::int64_t>(chosen->seconds * 1000)));
    if (session.as_json || chosen->as_json)
      fmt::print("{}", pretty(to_json(found)));
    else
      show(found);
  });
}

}  // namespace eventchain::tools
