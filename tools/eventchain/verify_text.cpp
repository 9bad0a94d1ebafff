#include "tools/eventchain/verify_text.h"

#include <fmt/format.h>

#include <algorithm>

namespace eventchain::tools {

namespace json = boost::json;

namespace {

double per_second(std::uint64_t count, double seconds) {
  return static_cast<double>(count) / std::max(seconds, 1e-9);
}

std::string bodies_text(const VerifyReport& report, double seconds) {
  return fmt::format(
      "events    {} ({} rejected)\nlog root  {}\nwork      {} hashes\n"
      "signed    {} sound signatures; final up to block {}\n"
      "speed     {:.0f} events/s, {:.1f} MB/s of bodies, {:.2f} s\n",
      report.events, report.rejected, to_hex(report.log_root), report.work.to_decimal(),
      report.signatures, report.certified.value, per_second(report.events, seconds),
      per_second(report.octets, seconds) / 1e6, seconds);
}

std::string headers_text(const VerifyReport& report, double seconds) {
  return fmt::format(
      "kept      headers, members and {} sound signatures on the tip; no events\n"
      "events    {} by the headers, not seen\nlog root  {} by the headers, not seen\n"
      "work      {} hashes\nspeed     {:.0f} headers/s, {:.2f} s\n",
      report.signatures, report.events, to_hex(report.log_root), report.work.to_decimal(),
      per_second(report.blocks, seconds), seconds);
}

std::string counted(std::uint64_t count, const char* what) {
  return fmt::format("{} {}{}", count, what, count == 1 ? "" : "s");
}

// What agreement with things kept elsewhere says, and how far.
std::string attested_text(const VerifyReport& report) {
  std::string text =
      fmt::format("{}, {} and {} kept elsewhere agree with this chain",
                  counted(report.named_blocks, "block id"), counted(report.receipts, "receipt"),
                  counted(report.checkpoints, "checkpoint"));
  const std::uint64_t height = report.attested.value;
  if (report.is_connected && height >= report.height.value)
    text += ", up to its tip";
  else if (height > 0)
    text += fmt::format(
        ": it is their history up to block {}, and what is above rests on the voters' word alone",
        height);
  else if (report.attested_events > 0)
    text += fmt::format(": its first {} events are theirs", report.attested_events);
  if (report.attested_apart > 0)
    text += fmt::format(
        "; {} above one that could not be followed, and say nothing of the blocks below that",
        report.attested_apart == 1
            ? "one of the blocks that they name stands"
            : fmt::format("{} of the blocks that they name stand", report.attested_apart));
  return text;
}

// Genesis needs no signatures: the genesis file says all of it.
bool is_uncertified(const VerifyReport& report) {
  return report.height.value > 0 && report.certified.value == 0;
}

// What came of it, in a line.
std::string outcome_of(const VerifyReport& report) {
  const std::uint64_t bad = report.findings.total();
  if (bad > 0)
    return fmt::format("NOT verified: {} not as {} committed",
                       bad == 1 ? "1 thing is" : fmt::format("{} things are", bad),
                       bad == 1 ? "it was" : "they were");
  if (is_uncertified(report))
    return "NOT certified: all that is stored obeys the rules, but no block has the signatures of "
           "a majority of voters here: that voters committed any of it is not shown, and whoever "
           "does the work can make such a chain";
  if (report.headers_only)
    return "verified: headers, members and the certificate of the tip are as they were committed. "
           "NOT verified: events and bodies, which a light member's database does not hold";
  return "verified: everything is as it was committed";
}

}  // namespace

Exit exit_of(const VerifyReport& report) {
  if (report.findings.total() > 0) return Exit::kTampered;
  if (is_uncertified(report)) return Exit::kUncertified;
  return report.not_compared.empty() ? Exit::kOk : Exit::kNotYet;
}

std::vector<std::string> verdict_of(const VerifyReport& report) {
  std::vector<std::string> lines;
  lines.push_back(outcome_of(report));
  // A live node's newest block may wait for its signatures; more than that is worth a thought.
  const bool is_said = is_uncertified(report) && report.findings.total() == 0;
  if (!report.headers_only && !is_said && report.certified < report.height)
    lines.push_back(fmt::format(
        "blocks {} to {} have no majority's signatures here: that voters committed them is not "
        "shown, and whoever does their work can make such blocks",
        report.certified.value + 1, report.height.value));
  if (report.named_blocks + report.receipts + report.checkpoints > 0) {
    lines.push_back(attested_text(report));
  } else if (report.not_compared.empty()) {
    lines.push_back(
        "not checked: whether this is the history that others were told. Whoever holds the "
        "voters' keys can make another that verifies as well; only what was kept outside tells "
        "them apart: give receipts or checkpoints with --against");
  }
  return lines;
}

std::string report_text(const VerifyReport& report, double seconds) {
  std::string text;
  for (const Finding& finding : report.findings.kept())
    text += fmt::format("BAD {} {}: {}\n", finding.thing, finding.place, finding.text);
  if (report.findings.total() > report.findings.kept().size())
    text +=
        fmt::format("... and {} more\n", report.findings.total() - report.findings.kept().size());
  for (const std::string& one : report.not_compared) text += "NOT COMPARED " + one + '\n';
  if (!report.versions_judged)
    text += "stream versions could not be judged from the first damaged event on\n";
  text += fmt::format("chain     {}\nblocks    {} (tip {} at height {})\n", to_hex(report.chain),
                      report.blocks, to_hex(report.tip), report.height.value);
  if (report.has_grown)
    text += "          a node went on meanwhile: blocks above this tip were left out\n";
  text += report.headers_only ? headers_text(report, seconds) : bodies_text(report, seconds);
  for (const std::string& line : verdict_of(report)) text += line + '\n';
  return text;
}

json::object report_json(const VerifyReport& report, double seconds) {
  json::array findings;
  for (const Finding& finding : report.findings.kept())
    findings.push_back(
        json::object{{"thing", finding.thing}, {"place", finding.place}, {"text", finding.text}});
  json::array verdict;
  for (const std::string& line : verdict_of(report)) verdict.emplace_back(line);
  json::array not_compared;
  for (const std::string& one : report.not_compared) not_compared.emplace_back(one);
  return {{"chain", to_hex(report.chain)},
          {"headers_only", report.headers_only},
          {"blocks", report.blocks},
          {"events", report.events},
          {"rejected", report.rejected},
          {"versions_judged", report.versions_judged},
          {"height", report.height.value},
          {"tip", to_hex(report.tip)},
          {"has_grown", report.has_grown},
          {"is_live", report.is_live},
          {"log_root", to_hex(report.log_root)},
          {"total_work", report.work.to_decimal()},
          {"signatures", report.signatures},
          {"certified", report.certified.value},
          {"against", json::object{{"blocks", report.named_blocks},
                                   {"receipts", report.receipts},
                                   {"checkpoints", report.checkpoints},
                                   {"height", report.attested.value},
                                   {"events", report.attested_events},
                                   {"blocks_apart", report.attested_apart},
                                   {"not_compared", std::move(not_compared)}}},
          {"octets", report.octets},
          {"seconds", seconds},
          {"findings_total", report.findings.total()},
          {"findings", std::move(findings)},
          {"verdict", std::move(verdict)}};
}

}  // namespace eventchain::tools
