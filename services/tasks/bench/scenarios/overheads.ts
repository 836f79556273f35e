import { join } from 'node:path';
import { AuthServiceService } from '#contract/auth/v1/auth';
import { callOnce, ownCpuMs, toRatio, type Measured } from '#dev/bench';
import { createLogger, createMetrics } from '#libs/runtime';
import { openStub } from '#dev/stubs';
import { createBreaker } from '../../../../libs/grpc/src/client/breaker.ts';
import { authenticatorWith, type Keys } from '../ceilings/authenticator.ts';
import type { ChainSettings } from '../ceilings/chain-server.ts';
import { enter, pathOf, startCeiling, type BenchCluster } from '../bench-cluster.ts';
import { getRequests, only } from './calls.ts';

const inFlight = 16;

/** What a call costs before its use-case begins, in multiples of a bare echo of the same message. */
export async function measureOverheads(bench: BenchCluster): Promise<void> {
  if (!bench.context.wants('overhead')) return;
  await bench.people.keepSignedIn();
  const gets = await getRequests(bench);
  const { message, headers } = only(gets);
  const answer = await callOnce(bench.cluster.address('tasks'), pathOf('getTask'), message, headers);
  const keys = await fetchKeys(bench);
  const plain: ChainSettings = { answer, keys: undefined, limitsRedisUrl: undefined };
  const log = { outputFile: join(bench.cluster.dir, 'logs', 'chain.log') };
  const dataset = bench.service().dataset;
  const chain = await startCeiling('chain-server', plain, log);
  const limited = await startCeiling('chain-server', { ...plain, keys, limitsRedisUrl: bench.cluster.redisUrl }, log);
  const echo = await bench.startEcho({ getTask: only(gets) });
  try {
    const contenders = [
      { name: 'chain', server: chain, dataset },
      { name: 'chain, token, limits', server: limited, dataset },
      echo,
    ];
    const entrants = contenders.map((one) => enter(one, 'getTask', () => gets));
    const [measured = []] = await bench.measure({ scenario: 'overhead', inFlight: [inFlight], entrants });
    await addParts(bench, measured, { keys, authorization: headers['authorization'] ?? '' });
  } finally {
    await Promise.all([chain.stop(), limited.stop(), echo.stop()]);
  }
}

async function fetchKeys({ cluster }: BenchCluster): Promise<Keys> {
  const auth = openStub(AuthServiceService, cluster.address('auth'));
  try {
    const { keys } = await auth.getJwks({});
    return keys.map(({ kid, kty, crv, alg, x }) => ({ kid, kty, crv, alg, x }));
  } finally {
    auth.close();
  }
}

/** The chain's cost without the echo, and parts that are too small to show in the difference of two servers. */
async function addParts(
  { context }: BenchCluster,
  [chain, , echo]: readonly Measured[],
  tokens: { keys: Keys; authorization: string },
): Promise<void> {
  if (chain === undefined || echo === undefined) return;
  const { dataset } = chain.row;
  const bare = echo.cpuMsPerCall;
  const about = { dataset, inFlight };
  const check = await authenticatorWith(tokens.keys);
  const tokenMs = await costOf(async () => check({ authorization: tokens.authorization }));
  const breakerMs = await costOf(guardedNothing());
  const beyondEcho = chain.cpuMsPerCall.map((cost, round) => cost - (bare[round] ?? 0) + breakerMs);
  context.results.ratios.push(
    toRatio({ ...about, name: 'logging, metrics, policy and breaker / E', aim: 0.5 }, beyondEcho, bare),
    toRatio(
      { ...about, name: 'repeated token check / E', aim: 0.1 },
      bare.map(() => tokenMs),
      bare,
    ),
    toRatio(
      { ...about, name: 'breaker / E' },
      bare.map(() => breakerMs),
      bare,
    ),
  );
}

function guardedNothing(): () => Promise<unknown> {
  const breaker = createBreaker({
    callee: 'none',
    method: 'none',
    logger: createLogger({ service: 'bench', level: 'fatal' }),
    metrics: createMetrics('bench'),
  });
  return async () => breaker.run(async () => undefined);
}

const repeats = 20_000;

/** CPU milliseconds of one, in this process, once it is warm. */
export async function costOf(work: () => Promise<unknown>): Promise<number> {
  for (let repeat = 0; repeat < repeats / 4; repeat += 1) await work();
  const before = ownCpuMs();
  for (let repeat = 0; repeat < repeats; repeat += 1) await work();
  return (ownCpuMs() - before) / repeats;
}
