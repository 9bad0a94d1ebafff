#include <unistd.h>
#include <CLI/CLI.hpp>
#include <array>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <memory>
#include <thread>

#include <fmt/format.h>

#include "chain/event.h"
#include "tools/eventchain/cluster_client.h"
#include "tools/eventchain/dpkg_log.h"
#include "tools/eventchain/json_text.h"
#include "tools/eventchain/session.h"
#include "tools/eventchain/table.h"

namespace eventchain::tools {

namespace json = boost::json;
using namespace std::chrono_literals;

namespace {

constexpr std::chrono::milliseconds kPollPause = 200ms;

// KEY, or SOURCE and ID.
std::string key_of(const std::vector<std::string>& name) {
  if (name.size() == 2) return chain::to_hex(chain::event_key(name[0], name[1]));
  const auto octets = chain::from_hex(name[0]);
  if (!octets || octets->size() != chain::EventKey::kSize)
    throw CommandFailed{Exit::kUsage, "give the event's key (32 hex digits), or its source and id"};
  return name[0];
}

void show(const Session& session, const json::value& value) {
  fmt::print("{}", session.as_json ? pretty(value) : listing(value));
}

Exit exit_of(const json::value& standing) {
  const std::string status = text_of(standing, "status");
  if (status == "completed") return Exit::kOk;
  return status == "in-progress" ? Exit::kNotYet : Exit::kError;
}

void wait_for(Session& session, const std::string& key, bool until_final,
              std::chrono::seconds timeout) {
  ClusterClient client(session);
  const auto deadline = std::chrono::steady_clock::now() + timeout;
  for (;;) {
    const json::value standing = fetch_json(client, "/v1/events/" + key + "/status");
    session.exit = exit_of(standing);
    // What is witnessed is final, too.
    if (session.exit == Exit::kOk && until_final && text_of(standing, "detail") == "committed")
      session.exit = Exit::kNotYet;
    if (session.exit != Exit::kNotYet || std::chrono::steady_clock::now() >= deadline)
      return show(session, standing);
    std::this_thread::sleep_for(kPollPause);
  }
}

CLI::App* add_reading(CLI::App& event, const char* verb, const char* what,
                      std::shared_ptr<std::vector<std::string>> name) {
  CLI::App* command = event.add_subcommand(verb, what);
  command->add_option("KEY", *name, "the event's key, or its source and id")
      ->required()
      ->expected(1, 2);
  return command;
}

// Converts one file (or standard input); returns the number of lines left out.
std::uint64_t convert_dpkg(std::istream& in, const std::string& source) {
  std::uint64_t left_out = 0;
  std::string text;
  for (std::uint64_t number = 1; std::getline(in, text); ++number) {
    if (const auto converted = dpkg_event({text, number, source}))
      std::cout << *converted << '\n';
    else
      ++left_out;
  }
  return left_out;
}

std::string host_name() {
  std::array<char, 256> name{};
  return ::gethostname(name.data(), name.size() - 1) == 0 ? std::string(name.data()) : "localhost";
}

void add_convert(CLI::App& event) {
  CLI::App* convert = event.add_subcommand("convert", "turn a log into CloudEvents, one a line");
  convert->require_subcommand(1);
  struct Conversion {
    std::vector<std::string> files;
    std::string source;
  };
  const auto chosen = std::make_shared<Conversion>();
  CLI::App* dpkg = convert->add_subcommand("dpkg", "dpkg's log: one event for each line of action");
  dpkg->add_option("FILE", chosen->files, "logs, oldest first; - is standard input")->required();
  dpkg->add_option("--source", chosen->source, "the events' source (file://HOST/PATH)");
  dpkg->callback([chosen] {
    std::ios::sync_with_stdio(false);
    std::uint64_t left_out = 0;
    for (const std::string& name : chosen->files) {
      if (name == "-" && chosen->source.empty())
        throw CommandFailed{Exit::kUsage, "standard input has no name; give --source"};
      const std::string path =
          name == "-" ? name : std::filesystem::absolute(name).lexically_normal().string();
      const std::string source =
          chosen->source.empty() ? dpkg_source(host_name(), path) : chosen->source;
      std::ifstream file;
      if (name != "-") file.open(name, std::ios::binary);
      if (name != "-" && !file) throw CommandFailed{Exit::kError, "cannot read " + name};
      left_out += convert_dpkg(name == "-" ? std::cin : file, source);
    }
    std::cout.flush();
    if (!std::cout) throw CommandFailed{Exit::kError, "cannot write the events"};
    fmt::print(stderr, "left out {} lines that are no actions\n", left_out);
  });
}

}  // namespace

void add_event_commands(CLI::App& app, Session& session) {
  CLI::App* event = app.add_subcommand("event", "submit events and follow what becomes of them");
  event->require_subcommand(1);
  add_submit_command(*event, session);
  const auto name = std::make_shared<std::vector<std::string>>();
  const auto linearizable = std::make_shared<bool>(false);
  const auto consistency = [linearizable] {
    return *linearizable ? "?consistency=linearizable" : "";
  };
  CLI::App* get = add_reading(*event, "get", "an event and where it stands", name);
  get->callback([name, consistency, &session] {
    ClusterClient client(session);
    show(session, fetch_json(client, "/v1/events/" + key_of(*name) + consistency()));
  });
  CLI::App* status =
      add_reading(*event, "status", "where an event stands; exit code 4 while in progress", name);
  status->callback([name, consistency, &session] {
    ClusterClient client(session);
    const json::value standing =
        fetch_json(client, "/v1/events/" + key_of(*name) + "/status" + consistency());
    show(session, standing);
    session.exit = exit_of(standing);
  });
  for (CLI::App* command : {get, status})
    command->add_flag("--linearizable", *linearizable,
                      "see all that was committed on any node before; asks a majority");
  CLI::App* wait = add_reading(*event, "wait", "wait until an event is completed", name);
  const auto seconds = std::make_shared<unsigned>(60);
  wait->add_option("--timeout", *seconds, "seconds; exit code 4 after that")->capture_default_str();
  const auto until_final = std::make_shared<bool>(false);
  wait->add_flag("--final", *until_final, "until a majority of voters has signed its block");
  wait->callback([name, seconds, until_final, &session] {
    wait_for(session, key_of(*name), *until_final, std::chrono::seconds(*seconds));
  });
  add_event_receipt_command(*event, session);
  add_convert(*event);
}

}  // namespace eventchain::tools
