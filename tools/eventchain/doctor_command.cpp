#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>

#include <fmt/format.h>

#include "tools/eventchain/host_facts.h"
#include "tools/eventchain/json_text.h"
#include "tools/eventchain/session.h"

namespace eventchain::tools {

namespace json = boost::json;

namespace {

struct DoctorOptions {
  std::string config = "/etc/eventchain/node.toml";
  std::vector<std::string> settings;
  unsigned timeout_ms = 2000;
};

DoctorPlan plan_of(const Session& session, const DoctorOptions& options) {
  DoctorPlan plan;
  plan.config = options.config;
  plan.endpoints = session.endpoints;
  plan.tls = session.tls;
  plan.timeout = std::chrono::milliseconds(options.timeout_ms);
  for (const std::string& setting : options.settings) {
    const std::size_t equals = setting.find('=');
    if (equals == std::string::npos)
      throw CommandFailed{Exit::kUsage, "--set " + setting + ": write KEY=VALUE"};
    plan.settings[setting.substr(0, equals)] = setting.substr(equals + 1);
  }
  return plan;
}

void print_report(const std::vector<HostCheck>& checks) {
  for (const HostCheck& check : checks) {
    fmt::print("{:4}  {:13}  {}\n", to_string(check.outcome), check.topic, check.text);
    if (!check.remedy.empty()) fmt::print("{:21}-> {}\n", "", check.remedy);
  }
}

void examine(Session& session, const DoctorOptions& options) {
  const std::vector<HostCheck> checks = judge(gather_facts(plan_of(session, options)));
  if (session.as_json) {
    json::array out;
    for (const HostCheck& check : checks) {
      json::object one = {
          {"topic", check.topic},
          {"finding", check.outcome == CheckOutcome::kFailure ? "fail" : to_string(check.outcome)},
          {"text", check.text}};
      if (!check.remedy.empty()) one["remedy"] = check.remedy;
      out.push_back(std::move(one));
    }
    fmt::print("{}", pretty(out));
  } else {
    print_report(checks);
  }
  if (std::ranges::any_of(
          checks, [](const HostCheck& one) { return one.outcome == CheckOutcome::kFailure; }))
    session.exit = Exit::kError;
}

}  // namespace

void add_doctor_command(CLI::App& app, Session& session) {
  const auto options = std::make_shared<DoctorOptions>();
  CLI::App* doctor = app.add_subcommand(
      "doctor",
      "checks the host it runs on, whether its node runs or not, and says what to do; exit code 1 "
      "if something is broken");
  doctor->add_option("--config", options->config, "the node's configuration")
      ->type_name("FILE")
      ->capture_default_str();
  doctor->add_option("--set", options->settings, "a setting that eventchaind is started with")
      ->type_name("KEY=VALUE");
  doctor->add_option("--timeout-ms", options->timeout_ms, "how long each peer may take to answer")
      ->check(CLI::Range(100, 60'000))
      ->capture_default_str();
  doctor->callback([&session, options] { examine(session, *options); });
}

}  // namespace eventchain::tools
