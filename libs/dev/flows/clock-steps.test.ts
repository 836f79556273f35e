import { generateKeyPairSync, randomUUID } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { exportJWK, importJWK, SignJWT, type CryptoKey, type JWK } from 'jose';
import { openCache } from '#libs/cache';
import { testRedisUrl, waitUntil } from '#dev/cluster';
import {
  accessTokenRules,
  createAuthenticator,
  createRemoteAccessKeys,
  createRevocationFollower,
  createServiceIdentity,
} from '#libs/identity';
import { openLimits } from '#libs/limits';
import { createLogger, createMetrics, steadyNow, type Clock, type Part } from '#libs/runtime';

/* Whatever a process remembers until some time must be right at once when its clock is right again, and at the latest when its own time is over. */

const RealDate = Date;
const hour = 3_600_000;
let shiftMs = 0;

class SteppedDate extends RealDate {
  constructor(...parts: [] | [number | string | Date]) {
    super(...((parts.length === 0 ? [RealDate.now() + shiftMs] : parts) as [number]));
  }
  static override now(): number {
    return RealDate.now() + shiftMs;
  }
}

const parts: Part[] = [];
const logger = createLogger({ service: 'test', level: 'fatal' });
const base = () => ({ logger, metrics: createMetrics('test'), parts: { add: (part: Part) => void parts.push(part) } });

beforeEach(() => {
  shiftMs = 0;
  globalThis.Date = SteppedDate as DateConstructor;
});
afterEach(async () => {
  globalThis.Date = RealDate;
  for (const part of parts.splice(0).reverse()) await part.stop();
});

/** That of another machine, which is right. */
const rightClock: Clock = { now: () => new RealDate() };
const keyPair = (): { privateKey: JWK; publicKey: JWK } => {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  return {
    privateKey: privateKey.export({ format: 'jwk' }) as JWK,
    publicKey: publicKey.export({ format: 'jwk' }) as JWK,
  };
};
const tasksKeys = keyPair();
const userKeys = keyPair();
const servicePublicKeys = { keys: [{ ...tasksKeys.publicKey, kid: 'tasks' }] };
const accessKeys = { get: async () => (await importJWK(userKeys.publicKey, 'EdDSA')) as CryptoKey };
const authenticator = (clock?: Clock) =>
  createAuthenticator({ service: 'users', accessKeys, servicePublicKeys, ...(clock !== undefined && { clock }) });

async function userToken(): Promise<string> {
  const issuedAt = Math.floor(RealDate.now() / 1000);
  const { issuer, audience, typ, algorithm } = accessTokenRules;
  return new SignJWT({ sid: 'session-1', role: 'user' })
    .setProtectedHeader({ alg: algorithm, typ, kid: 'user-key' })
    .setIssuer(issuer)
    .setAudience(audience)
    .setSubject('user-1')
    .setIssuedAt(issuedAt)
    .setExpirationTime(issuedAt + 600)
    .setJti('1')
    .sign((await importJWK(userKeys.privateKey, 'EdDSA')) as CryptoKey);
}

/** Something that is remembered: using it gives what is right, as long as the clock is. */
type Use = () => Promise<unknown>;

/** What is right at every moment when the clock is. */
const remembered: [string, unknown, () => Promise<Use>][] = [
  [
    "the service's own token, as others see it",
    { service: 'tasks' },
    async () => {
      const identity = createServiceIdentity({ service: 'tasks', privateKey: tasksKeys.privateKey });
      const verify = authenticator(rightClock);
      return async () => verify({ serviceToken: await identity.tokenFor('users') });
    },
  ],
  [
    'a verified service token',
    { service: 'tasks' },
    async () => {
      const serviceToken = await createServiceIdentity({
        service: 'tasks',
        privateKey: tasksKeys.privateKey,
        clock: rightClock,
      }).tokenFor('users');
      const verify = authenticator();
      return () => verify({ serviceToken });
    },
  ],
  [
    'a verified access token',
    { user: { kind: 'user', userId: 'user-1', role: 'user', sessionId: 'session-1' } },
    async () => {
      const authorization = `Bearer ${await userToken()}`;
      const verify = authenticator();
      return () => verify({ authorization });
    },
  ],
  [
    'the keys of auth',
    true,
    async () => {
      const { kty, crv, x } = await exportJWK(await accessKeys.get());
      const answer = {
        keys: [{ kid: 'user-key', kty: String(kty), crv: String(crv), alg: 'EdDSA', use: 'sig', x: String(x) }],
        maxAge: undefined,
      };
      const keys = createRemoteAccessKeys({ fetch: async () => answer, logger });
      await keys.start();
      parts.push({ name: 'keys', stop: keys.stop });
      return async () => (await keys.get('user-key')) !== undefined;
    },
  ],
  [
    'that revocations are followed',
    false,
    async () => {
      const stream = async function* (signal: AbortSignal) {
        while (!signal.aborted) {
          yield { revocations: [], snapshotComplete: true };
          await new Promise((resolve) => setTimeout(resolve, 50));
        }
      };
      const follower = createRevocationFollower({ watch: stream, logger, metrics: createMetrics('test') });
      follower.start();
      parts.push({ name: 'follower', stop: () => follower.stop() });
      await waitUntil(() => !follower.isStale());
      return async () => follower.isStale();
    },
  ],
];

describe.each([
  ['ahead', 2 * hour],
  ['behind', -2 * hour],
  ['years ahead', 50_000 * hour],
  ['years behind', -50_000 * hour],
])('a clock that was %s for a while', (_name, stepMs) => {
  it.each(remembered)('leaves %s right, known from before', async (_what, right, open) => {
    const use = await open();
    expect(await use()).toEqual(right);
    shiftMs = stepMs;
    await use().catch(() => undefined);
    shiftMs = 0;
    expect(await use()).toEqual(right);
  });

  it.each(remembered)('leaves %s right, first used then', async (_what, right, open) => {
    const use = await open();
    shiftMs = stepMs;
    await use().catch(() => undefined);
    shiftMs = 0;
    expect(await use()).toEqual(right);
  });

  it('does not keep a service token from before its minute was over', async () => {
    const identity = createServiceIdentity({ service: 'tasks', privateKey: tasksKeys.privateKey });
    shiftMs = stepMs;
    const wrong = await identity.tokenFor('users');
    shiftMs = 0;
    expect(await identity.tokenFor('users')).not.toBe(wrong);
  });

  it('blocks nobody beyond the window of a rate limit', async () => {
    const limits = await openLimits({
      ...base(),
      config: {
        limits: { redisUrl: testRedisUrl(), prefix: `test-${randomUUID()}`, overrides: {}, timeoutMs: 30_000 },
      },
    });
    const policy = {
      path: '/shop.v1.Shop/Buy',
      rateLimit: { requests: 1, perMs: 1000, key: 'peer' as const, failClosed: false },
    };
    const call = { policy, context: { actor: { kind: 'anonymous' as const }, peer: '203.0.113.1' } };
    const pass = (): Promise<string> =>
      limits
        .interceptor(call, async () => undefined)
        .then(
          () => 'passed',
          (error: { details: { retryAfterMs: number } }) => (error.details.retryAfterMs <= 1000 ? 'soon' : 'late'),
        );
    shiftMs = stepMs;
    const answers = [await pass(), await pass(), await pass()];
    shiftMs = 0;
    await waitUntil(pass, (answer) => {
      answers.push(answer);
      return answer === 'passed';
    });
    expect(answers).not.toContain('late');
  });

  it('keeps no name for longer than names are kept', async () => {
    const cache = openCache(base(), { redisUrl: testRedisUrl(), prefix: `test-${randomUUID()}`, timeoutMs: 30_000 });
    const names = cache.readThrough<string>({ name: 'names', freshMs: 100, rememberMs: hour, maxItems: 10 });
    let name = 'Ada';
    const nameNow = async () => (await names.lookUp(['u1'], async () => new Map([['u1', name]]))).current.get('u1');
    shiftMs = stepMs;
    expect(await nameNow()).toBe('Ada');
    name = 'Ada Lovelace';
    shiftMs = 0;
    const changedAt = steadyNow();
    expect(await waitUntil(nameNow, (now) => now === name)).toBe(name);
    expect(steadyNow() - changedAt).toBeLessThan(hour);
  });
});
