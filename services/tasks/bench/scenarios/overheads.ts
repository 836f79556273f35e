import { join } from 'node:path';
import { importJWK, type CryptoKey } from 'jose';
import { AuthServiceService } from '#contract/auth/v1/auth';
import { callOnce, ownCpuMs, toRatio, type Measured } from '#libs/bench';
import { createAuthenticator, openPublicClient, type Authenticator } from '#libs/grpc';
import { createLogger, createMetrics } from '#libs/runtime';
import { createBreaker } from '../../../../libs/grpc/src/client/breaker.ts';
import type { ChainSettings } from '../ceilings/chain-server.ts';
import { enter, pathOf, startCeiling, type World } from '../world.ts';
import { getRequests, only } from './calls.ts';

const inFlight = 16;

/** What a call costs before a use-case has done anything, in multiples of a bare echo of the same message. */
export async function measureOverheads(world: World): Promise<void> {
  if (!world.context.wants('overhead')) return;
  await world.people.keepSignedIn();
  const gets = await getRequests(world);
  const { message, headers } = only(gets);
  const answer = await callOnce(world.cluster.address('tasks'), pathOf('getTask'), message, headers);
  const keys = await fetchKeys(world);
  const plain: ChainSettings = { answer, keys: undefined, limitsRedisUrl: undefined };
  const log = { outputFile: join(world.cluster.dir, 'logs', 'chain.log') };
  const dataset = world.service().dataset;
  const chain = await startCeiling('chain-server', plain, log);
  const limited = await startCeiling('chain-server', { ...plain, keys, limitsRedisUrl: world.cluster.redisUrl }, log);
  const echo = await world.startEcho({ getTask: only(gets) });
  try {
    const contenders = [{ name: 'chain', server: chain, dataset }, { name: 'chain, token, limits', server: limited, dataset }, echo];
    const entrants = contenders.map((one) => enter(one, 'getTask', () => gets));
    const [measured = []] = await world.measure({ scenario: 'overhead', inFlight: [inFlight], entrants });
    await addParts(world, measured, { keys, authorization: headers['authorization'] ?? '' });
  } finally {
    await Promise.all([chain.stop(), limited.stop(), echo.stop()]);
  }
}

type Keys = NonNullable<ChainSettings['keys']>;

async function fetchKeys({ cluster }: World): Promise<Keys> {
  const auth = openPublicClient(AuthServiceService, cluster.address('auth'));
  try {
    const { keys } = await auth.getJwks({});
    return keys.map(({ kid, kty, crv, alg, x }) => ({ kid, kty, crv, alg, x }));
  } finally {
    auth.close();
  }
}

/** The chain's share without the echo in it, and parts too small to be seen in the difference of two servers. */
async function addParts({ context }: World, [chain, , echo]: readonly Measured[], tokens: { keys: Keys; authorization: string }): Promise<void> {
  if (chain === undefined || echo === undefined) return;
  const { dataset } = chain.row;
  const bare = echo.cpuMsPerCall;
  const about = { dataset, inFlight };
  const tokenMs = await costOf(await repeatedTokenCheck(tokens));
  const breakerMs = await costOf(guardedNothing());
  const beyondEcho = chain.cpuMsPerCall.map((cost, round) => cost - (bare[round] ?? 0) + breakerMs);
  context.results.ratios.push(
    toRatio({ ...about, name: 'logging, metrics, policy and breaker / E', aim: 0.5 }, beyondEcho, bare),
    toRatio({ ...about, name: 'repeated token check / E', aim: 0.1 }, bare.map(() => tokenMs), bare),
    toRatio({ ...about, name: 'breaker / E' }, bare.map(() => breakerMs), bare),
  );
}

async function repeatedTokenCheck({ keys, authorization }: { keys: Keys; authorization: string }): Promise<() => Promise<unknown>> {
  const byId = new Map<string, CryptoKey>();
  for (const key of keys) byId.set(key.kid, (await importJWK(key, 'EdDSA')) as CryptoKey);
  const check: Authenticator = createAuthenticator({ service: 'tasks', accessKeys: { get: async (kid) => byId.get(kid) }, servicePublicKeys: { keys: [] } });
  return async () => check({ authorization });
}

function guardedNothing(): () => Promise<unknown> {
  const breaker = createBreaker({ callee: 'none', method: 'none', logger: createLogger({ service: 'bench', level: 'fatal' }), metrics: createMetrics('bench') });
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
