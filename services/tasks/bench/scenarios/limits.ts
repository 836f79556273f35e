import { toRatio } from '#dev/bench';
import { enter, type BenchCluster } from '../bench-cluster.ts';
import { getRequests } from './calls.ts';
import { variants } from './variants.ts';

const inFlight = 16;
/** The most that counting a call for its rate limit may cost, as a share of GetTask. */
const mostOfGetTask = 0.15;

/** What rate limits cost: two processes of the service that differ only in that. */
export async function measureLimits(bench: BenchCluster): Promise<void> {
  if (!bench.context.wants('limits')) return;
  await bench.people.keepSignedIn();
  const gets = await getRequests(bench);
  const contenders = [bench.replica(variants.limits, 'counted'), bench.replica(variants.plain, 'off')];
  const entrants = contenders.map((one) => enter(one, 'getTask', () => gets));
  const [[counted, off] = []] = await bench.measure({ scenario: 'limits, GetTask', inFlight: [inFlight], entrants });
  if (counted === undefined || off === undefined) return;
  const about = { name: 'limits / GetTask without them', dataset: off.row.dataset, inFlight, aim: mostOfGetTask };
  const ofLimits = counted.cpuMsPerCall.map((cost, round) => cost - (off.cpuMsPerCall[round] ?? 0));
  bench.context.results.ratios.push(toRatio(about, ofLimits, off.cpuMsPerCall));
}
