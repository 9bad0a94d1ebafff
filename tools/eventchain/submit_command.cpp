#include <CLI/CLI.hpp>
#include <map>
#include <memory>

#include <fmt/format.h>

#include "tools/eventchain/json_text.h"
#include "tools/eventchain/session.h"
#include "tools/eventchain/submit.h"

namespace eventchain::tools {

namespace {

void print(const Session& session, const SubmitSummary& summary) {
  const double rate =
      summary.seconds > 0 ? static_cast<double>(summary.events) / summary.seconds : 0;
  if (session.as_json) {
    boost::json::object outcomes;
    for (const auto& [outcome, events] : summary.outcomes) outcomes[outcome] = events;
    boost::json::array complaints;
    for (const std::string& text : summary.complaints) complaints.emplace_back(text);
    fmt::print("{}", pretty(boost::json::object{{"events", summary.events},
                                                {"seconds", summary.seconds},
                                                {"outcomes", std::move(outcomes)},
                                                {"complaints", std::move(complaints)}}));
    return;
  }
  for (const std::string& text : summary.complaints) fmt::print(stderr, "{}\n", text);
  fmt::print("{} events in {:.1f} s ({:.0f}/s)\n", summary.events, summary.seconds, rate);
  for (const auto& [outcome, events] : summary.outcomes)
    fmt::print("  {:<24} {}\n", outcome, events);
}

}  // namespace

void add_submit_command(CLI::App& event, Session& session) {
  const auto options = std::make_shared<SubmitOptions>();
  CLI::App* submit = event.add_subcommand(
      "submit", "submit CloudEvents, one in JSON on each line; the same ones again do no harm");
  static const std::map<std::string, WaitLevel> kLevels = {{"received", WaitLevel::kReceived},
                                                           {"durable", WaitLevel::kDurable},
                                                           {"completed", WaitLevel::kCompleted}};
  submit->add_option("FILE", options->files, "files to read; - or none: standard input");
  submit->add_option("--batch", options->batch.events, "events in a request")
      ->check(CLI::Range(1, 10'000))
      ->capture_default_str();
  submit->add_option("--connections", options->connections, "requests at the same time")
      ->check(CLI::Range(1, 64))
      ->capture_default_str();
  submit->add_option("--wait", options->wait, "received, durable (default) or completed")
      ->transform(CLI::CheckedTransformer(kLevels));
  submit
      ->add_option_function<unsigned>(
          "--patience",
          [options](unsigned seconds) { options->patience = std::chrono::seconds(seconds); },
          "seconds without any progress before it gives up (120)")
      ->check(CLI::Range(1, 86'400));
  submit->callback([options, &session] {
    const SubmitSummary summary = Submission(session, *options).run();
    print(session, summary);
    session.exit = summary.exit;
  });
}

}  // namespace eventchain::tools
