#include "tools/eventchain/cost_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>
#include <vector>

#include "node/api/json_text.h"
#include "tools/eventchain/table.h"

namespace eventchain::tools {

namespace json = boost::json;

namespace {

constexpr std::size_t kLineWidth = 96;

// Three digits that count, whole numbers whole.
std::string short_number(double value) {
  if (value >= 1e7) return fmt::format("{:.2e}", value);
  if (value >= 100) return fmt::format("{:.0f}", value);
  if (value != 0 && std::abs(value) < 0.001) return fmt::format("{:.1e}", value);
  return fmt::format("{:.3g}", value);
}

// "[n] " before the first line and as much room before the others.
std::string wrapped(const std::string& mark, const std::string& text) {
  std::string out = mark;
  std::size_t column = mark.size();
  bool is_first = true;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find(' ', at), text.size());
    const std::size_t length = end - at;
    if (!is_first && column + 1 + length > kLineWidth) {
      out += '\n' + std::string(mark.size(), ' ');
      column = mark.size();
    } else if (!is_first) {
      out += ' ';
      ++column;
    }
    out.append(text, at, length);
    column += length;
    is_first = false;
    at = end + 1;
  }
  return out + '\n';
}

std::string optional_text(const std::optional<double>& value) {
  return value ? short_number(*value) : "-";
}

std::string overtake_text(const Race& race, const Growth& growth) {
  if (race.who.is_insider) return "as alone";
  if (!growth.mining) return "unknown";
  if (race.overtake_seconds) return duration_text(*race.overtake_seconds);
  if (race.overtake_seconds_low)
    return "never (or " + duration_text(*race.overtake_seconds_low) + ")";
  return "never";
}

std::string rate_line(const RewriteCost& cost) {
  const Growth& growth = cost.growth;
  if (!growth.mining)
    return "unknown: its newest blocks took no time that the stamps show; --rate says it";
  if (cost.asked.given_rate) return rate_text(growth.mining->per_second) + ", as given (--rate)";
  const chain::ShareSum& recent = cost.asked.chain.recent;
  return fmt::format("{} ({} to {}, 95 %), by {} shares in the newest {} blocks",
                     rate_text(growth.mining->per_second), rate_text(growth.mining->low),
                     rate_text(growth.mining->high), recent.shares, recent.blocks);
}

std::string growth_line(const Growth& growth) {
  if (!growth.mining) return "unknown";
  return fmt::format("{}: it mines {:.3g} % of the time, and others catch up while it rests",
                     rate_text(growth.mining->per_second * growth.busy), growth.busy * 100);
}

std::string heading(const RewriteCost& cost) {
  const ChainWork& chain = cost.asked.chain;
  const std::string part = fmt::format(
      "chain        {}, work function {}\n"
      "to redo      blocks {} to {}, mined from {} to {}\n",
      chain.terms.chain, chain.terms.work_function, chain.since, chain.tip,
      node::api::rfc3339(chain.begun), node::api::rfc3339(chain.sealed));
  if (is_workless(chain.terms.work_function)) return part;
  return part + fmt::format(
                    "work         {} hashes ({} expected)\n"
                    "the cluster  {}\n"
                    "it grows by  {}\n",
                    short_number(chain.hashes.to_double()), chain.hashes.to_decimal(),
                    rate_line(cost), growth_line(cost.growth));
}

std::string races_table(const RewriteCost& cost) {
  std::vector<std::vector<std::string>> rows;
  for (std::size_t i = 0; i < cost.races.size(); ++i) {
    const Race& race = cost.races[i];
    rows.push_back({race.who.name, rate_text(race.who.hashes_per_second),
                    duration_text(race.alone_seconds), optional_text(race.kwh),
                    optional_text(race.money), overtake_text(race, cost.growth),
                    optional_text(race.overtake_money), fmt::format("[{}]", i + 1)});
  }
  return table({"WHO", "RATE", "REDO ALONE", "KWH", "MONEY", "OVERTAKE", "MONEY", "RESTS ON"},
               rows);
}

std::string notes(const RewriteCost& cost) {
  const CostQuestion& asked = cost.asked;
  std::string out;
  for (std::size_t i = 0; i < cost.races.size(); ++i)
    out += wrapped(fmt::format("[{}] ", i + 1), cost.races[i].who.rests_on);
  const auto line = [&out](const std::string& text) { out += wrapped("-   ", text); };
  line(
      "REDO ALONE is the work divided by the rate, KWH and MONEY are for that. The work is the "
      "mean "
      "of what it takes; with many shares luck hardly changes it.");
  line(
      "OVERTAKE is until his chain has more work than the true one, which grows on as it did over "
      "its newest blocks; in brackets, if that rate were at its low end.");
  line(fmt::format(
      "A kWh costs {:.2f} and an hour of a rented GPU {:.2f}: assumptions, in US dollars "
      "(--price-kwh, --price-gpu-hour). Rent has the energy in it; machines that are "
      "owned are charged for energy alone, not for buying them.",
      asked.prices.kwh, asked.prices.gpu_hour));
  if (!is_known_work(asked.chain.terms.work_function))
    line(
        fmt::format("Nothing is known here of machines for the work function {}; --adversary "
                    "NAME=HASHES adds some.",
                    asked.chain.terms.work_function));
  return out;
}

std::vector<std::string> limits(const RewriteCost& cost) {
  const ChainWork& chain = cost.asked.chain;
  const bool has_work = !is_workless(chain.terms.work_function);
  std::vector<std::string> out = {
      "Insiders with keys: whoever has the keys of a majority of voters can sign another history, "
      "and "
      "for nodes and light members signatures decide, not work.",
      "Nodes do not follow the heavier chain: what is committed stays. Work counts for people who "
      "hold "
      "two chains side by side.",
      "Cutting off: to drop the newest blocks takes no work at all.",
  };
  if (has_work)
    out.push_back(fmt::format(
        "The rules alone: whoever makes up the stamps lets the difficulty fall to its floor, and "
        "as "
        "many blocks that obey every rule take {} hashes. They have less work to show: compare "
        "total_work, and the certificates.",
        short_number(chain.at_floor.to_double())));
  out.emplace_back(
      "What tells the true chain: certificates of the voters of the time, receipts in the hands of "
      "those who wrote events, and block ids left with witnesses outside (chain verify "
      "--contains). "
      "Without these, work is only a delay.");
  return out;
}

constexpr const char* kWorkless =
    "nothing: blocks of this chain take no work (work function none). Redoing them costs "
    "signatures "
    "alone, for anybody who has the keys.\n";

template <class Value>
void put(json::object& object, const char* name, const std::optional<Value>& value) {
  if (value) object[name] = *value;
}

json::object to_json(const Race& race, const Growth& growth) {
  json::object out = {{"name", race.who.name},
                      {"hashes_per_second", race.who.hashes_per_second},
                      {"insider", race.who.is_insider},
                      {"redo_seconds", race.alone_seconds}};
  put(out, "redo_kwh", race.kwh);
  put(out, "redo_money", race.money);
  if (race.who.is_insider || growth.mining) {
    // Null is an answer: never.
    const auto or_never = [](const std::optional<double>& value) {
      return value ? json::value(*value) : json::value();
    };
    out["overtake_seconds"] = or_never(race.overtake_seconds);
    out["overtake_seconds_low"] = or_never(race.overtake_seconds_low);
  }
  put(out, "overtake_money", race.overtake_money);
  out["rests_on"] = race.who.rests_on;
  return out;
}

json::object growth_json(const RewriteCost& cost) {
  const chain::ShareSum& recent = cost.asked.chain.recent;
  json::object out = {{"busy_part", cost.growth.busy},
                      {"blocks", recent.blocks},
                      {"shares", recent.shares},
                      {"is_given", cost.asked.given_rate.has_value()}};
  if (!cost.growth.mining) return out;
  out["per_second"] = cost.growth.mining->per_second;
  out["low"] = cost.growth.mining->low;
  out["high"] = cost.growth.mining->high;
  return out;
}

}  // namespace

std::string rate_text(double hashes_per_second) {
  constexpr std::array<const char*, 6> kUnits = {"H/s", "kH/s", "MH/s", "GH/s", "TH/s", "PH/s"};
  std::size_t unit = 0;
  double value = hashes_per_second;
  for (; value >= 999.5 && unit + 1 < kUnits.size(); ++unit) value /= 1000;
  return fmt::format("{:.3g} {}", value, kUnits[unit]);
}

std::string duration_text(double seconds) {
  constexpr double kMinute = 60;
  constexpr double kHour = 60 * kMinute;
  constexpr double kDay = 24 * kHour;
  constexpr double kYear = 365.25 * kDay;
  const auto text = [](double value, const char* unit) { return short_number(value) + " " + unit; };
  if (seconds < 2 * kMinute) return text(seconds, "s");
  if (seconds < 2 * kHour) return text(seconds / kMinute, "min");
  if (seconds < 2 * kDay) return text(seconds / kHour, "h");
  if (seconds < 2 * kYear) return text(seconds / kDay, "days");
  return text(seconds / kYear, "years");
}

std::string cost_text(const RewriteCost& cost) {
  std::string out = heading(cost);
  if (is_workless(cost.asked.chain.terms.work_function)) {
    out += std::string("\nTo redo it costs ") + kWorkless;
  } else {
    out += "\n" + races_table(cost) + "\n" + notes(cost);
  }
  out += "\nWhat the work does not protect from\n";
  for (const std::string& limit : limits(cost)) out += wrapped("-   ", limit);
  return out;
}

json::value cost_json(const RewriteCost& cost) {
  const ChainWork& chain = cost.asked.chain;
  const bool has_work = !is_workless(chain.terms.work_function);
  json::array adversaries;
  for (const Race& race : cost.races) adversaries.push_back(to_json(race, cost.growth));
  json::array said;
  for (const std::string& limit : limits(cost)) said.emplace_back(limit);
  return json::object{{"chain", chain.terms.chain},
                      {"work_function", chain.terms.work_function},
                      {"since", std::to_string(chain.since)},
                      {"tip", std::to_string(chain.tip)},
                      {"blocks", std::to_string(chain.blocks)},
                      {"begun", node::api::rfc3339(chain.begun)},
                      {"sealed_at", node::api::rfc3339(chain.sealed)},
                      {"work", has_work ? chain.hashes.to_decimal() : "0"},
                      {"work_at_floor", has_work ? chain.at_floor.to_decimal() : "0"},
                      {"cluster", growth_json(cost)},
                      {"lent_part", cost.asked.lent_part},
                      {"prices", json::object{{"kwh", cost.asked.prices.kwh},
                                              {"gpu_hour", cost.asked.prices.gpu_hour}}},
                      {"adversaries", std::move(adversaries)},
                      {"does_not_protect_from", std::move(said)}};
}

}  // namespace eventchain::tools
