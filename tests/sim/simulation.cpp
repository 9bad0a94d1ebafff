#include "tests/sim/simulation.h"

#include "tests/sim/demands.h"
#include "tests/sim/heal_quorum.h"
#include "tests/sim/liar.h"
#include "tests/sim/seed_plan.h"

namespace eventchain::sim {

SimulationTotals simulate(const SimulationOptions& options) {
  const SeedPlan plan = draw_plan(options.seed, options.members_change);
  Cluster cluster(plan.cluster, options.prints);
  chain::Rng rng = chain::Rng(options.seed).fork("simulation");
  Nemesis nemesis(cluster, plan.nemesis, rng.fork("nemesis"));
  Workload workload(cluster, plan.workload, rng.fork("workload"));
  Operators operators(cluster, plan.operators, rng.fork("operators"));
  std::optional<Liar> liar;
  if (plan.cluster.has_liar) liar.emplace(cluster, plan.liar, rng.fork("liar"));
  cluster.start_genesis();
  nemesis.start();
  workload.start();
  if (plan.cluster.joiners > 0) operators.start();
  if (liar) liar->start();
  cluster.run_for(options.chaos * plan.chaos_times);
  nemesis.stop();
  workload.stop();
  operators.stop();
  if (liar) liar->stop_submitting();

  cluster.trace().print("the chaos is over: {}", cluster.describe());
  // An order that is carried out late could take a vote from those who are healed.
  if (cluster.voters().size() > 1 && rng.chance(1, 2) && operators.knows_all())
    heal_quorum(cluster, rng);
  cluster.trace().print("everybody is healed: {}", cluster.describe());
  cluster.upgrade_all();
  cluster.heal_members();
  const auto members = [&cluster] { return cluster.honest_members(); };
  demand_progress(cluster, members, "of all members");
  demand_newest_level(cluster);
  demand_progress(cluster, members, "of all members at the newest level");
  demand_reads(cluster, cluster.voters());
  demand_writes(cluster, members, "in the whole cluster");
  demand_progress(cluster, members, "of all members at the end");
  if (rng.chance(1, 4) && operators.knows_all())
    around_a_hub(cluster, cluster.honest_members(), rng.fork("hub"));
  demand_answers(cluster);
  cluster.verify();

  SimulationTotals totals;
  totals.trace_hash = cluster.trace().hash();
  totals.virtual_time = cluster.scheduler().now().since_start;
  totals.elections = cluster.raft().elections();
  totals.commits = cluster.commits();
  totals.blocks = cluster.chain().height().value;
  totals.eased = cluster.chain().eased_blocks();
  totals.events = cluster.chain().events();
  totals.rejections = cluster.chain().rejections();
  totals.requests = workload.requests();
  totals.promises = cluster.promises().promises();
  totals.reads = cluster.reads().reads();
  totals.revived = cluster.promises().revived();
  totals.asked = operators.orders();
  totals.relayed = operators.relayed();
  totals.orders = cluster.membership().orders();
  totals.strikes = nemesis.strikes();
  totals.levels = cluster.membership().newest()->feature_level - 1U;
  totals.lights = cluster.light().members();
  totals.light_headers = cluster.light().headers();
  totals.light_shares = cluster.light().shares();
  totals.lies = liar ? liar->lies() : 0;
  totals.nonces = cluster.nonces().count();
  totals.messages = cluster.network().messages();
  totals.waited_permille = cluster.waited_permille();
  return totals;
}

}  // namespace eventchain::sim
