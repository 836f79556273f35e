import { generateKeyPairSync, randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { InternalAuthServiceService, Role, type Revocation } from '#contract/auth/v1/auth';
import { testPostgresUrl } from '#libs/devcluster';
import { createClient, createServiceIdentity } from '#libs/grpc';
import { createLogger, createMetrics } from '#libs/runtime';
import { decodeJwt } from 'jose';
import { Client } from 'pg';
import { startTcpProxy } from '../../../libs/jobs/test/tcp-proxy.ts';
import type { AuthConfig } from '../src/config.ts';
import { as, registerAccount, registerAdmin } from './factories.ts';
import { startAuth, type TestAuth } from './start-auth.ts';

const { privateKey, publicKey } = generateKeyPairSync('ed25519');
const servicePublicKeys = { keys: [{ ...publicKey.export({ format: 'jwk' }), kid: 'tasks' }] } as AuthConfig['servicePublicKeys'];
const identity = createServiceIdentity({ service: 'tasks', privateKey: privateKey.export({ format: 'jwk' }) as AuthConfig['serviceKey'] });

let service: TestAuth;
beforeAll(async () => {
  service = await startAuth({ config: { servicePublicKeys } });
});
afterAll(() => service?.stop());

interface Follower {
  /** What has come so far. */
  revocations: Revocation[];
  messageTimes: number[];
  /** Resolves with the snapshot. */
  snapshot: Promise<Revocation[]>;
  /** Resolves with what ended the stream; undefined when the server just finished it. */
  end: Promise<unknown>;
  stop(): Promise<void>;
}

function follow({ app }: TestAuth): Follower {
  const stopping = new AbortController();
  const options = { callee: 'auth' as const, address: `127.0.0.1:${app.grpcPort}`, identity, metrics: createMetrics('tasks') };
  const { client, close } = createClient(InternalAuthServiceService, { ...options, logger: createLogger({ service: 'tasks', level: 'fatal' }) });
  const snapshot = Promise.withResolvers<Revocation[]>();
  const [revocations, messageTimes] = [[] as Revocation[], [] as number[]];
  const read = async (): Promise<void> => {
    for await (const message of client.watchRevocations({}, { signal: stopping.signal })) {
      revocations.push(...message.revocations);
      messageTimes.push(performance.now());
      if (message.snapshotComplete) snapshot.resolve([...revocations]);
    }
  };
  const end = read().catch((error: unknown) => error);
  void end.then(() => snapshot.reject(new Error('ended before the snapshot was complete')));
  snapshot.promise.catch(() => undefined);
  const stop = async (): Promise<void> => {
    stopping.abort();
    await end;
    close();
  };
  return { revocations, messageTimes, snapshot: snapshot.promise, end, stop };
}

/** Waits for a revocation, and gives it with the time that it took. */
async function untilTold({ revocations }: Follower, id: unknown): Promise<{ revocation: Revocation; tookMs: number }> {
  const startedAt = performance.now();
  while (performance.now() - startedAt < 15_000) {
    const revocation = revocations.find(({ target }) => (target?.$case === 'sessionId' ? target.value : target?.value.accountId) === id);
    if (revocation !== undefined) return { revocation, tookMs: performance.now() - startedAt };
    await pause(10);
  }
  throw new Error(`nothing was told of ${String(id)}`);
}

const sessionOf = (accessToken: string | undefined): unknown => decodeJwt(accessToken ?? '')['sid'];

describe('WatchRevocations', () => {
  it('tells everything that matters first, then what comes, within a second also through another replica', async () => {
    const replica = await startAuth({ replicaOf: service });
    const before = await registerAccount(service);
    await service.auth.logout({ refreshToken: before.tokens.refreshToken });
    const followers = [follow(service), follow(replica)];
    try {
      for (const follower of followers) await untilTold(follower, sessionOf(before.tokens.accessToken));
      const after = await registerAccount(service);
      await service.auth.logout({ refreshToken: after.tokens.refreshToken });
      for (const follower of followers) {
        const { revocation, tookMs } = await untilTold(follower, sessionOf(after.tokens.accessToken));
        expect(tookMs).toBeLessThan(1000);
        expect(revocation.expireTime?.getTime()).toBeGreaterThan(after.tokens.accessTokenExpireTime?.getTime() ?? Infinity);
      }
    } finally {
      for (const follower of followers) await follower.stop();
      await replica.stop();
    }
  });

  it('tells every kind of fact, each with what it ends', async () => {
    const follower = follow(service);
    await follower.snapshot;
    try {
      const admin = await registerAdmin(service);
      const user = await registerAccount(service);
      const others = [await service.auth.login(user.request), await service.auth.login(user.request)];
      const sessionId = String(sessionOf(others[0]?.tokens?.accessToken));
      await service.auth.revokeSession({ sessionId }, as(user));
      await untilTold(follower, sessionId);
      await service.auth.changePassword({ currentPassword: user.request.password, newPassword: 'another horse battery' }, as(user));
      await untilTold(follower, sessionOf(others[1]?.tokens?.accessToken));
      await service.auth.setRole({ accountId: user.account.id, role: Role.ADMIN }, as(admin));
      const { revocation } = await untilTold(follower, user.account.id);
      expect(revocation.target).toEqual({ $case: 'subject', value: { accountId: user.account.id, notBefore: expect.any(Date) } });
      const issuedAt = (token: string | undefined): number => (decodeJwt(token ?? '').iat ?? 0) * 1000;
      const notBefore = revocation.target?.$case === 'subject' ? (revocation.target.value.notBefore?.getTime() ?? 0) : 0;
      expect(issuedAt(user.tokens.accessToken)).toBeLessThan(notBefore);
      const { tokens } = await service.auth.refreshSession({ refreshToken: user.tokens.refreshToken });
      expect(issuedAt(tokens?.accessToken)).toBeGreaterThanOrEqual(notBefore);
      const disabled = await registerAccount(service);
      await service.auth.disableAccount({ accountId: disabled.account.id }, as(admin));
      await untilTold(follower, disabled.account.id);
    } finally {
      await follower.stop();
    }
  });

  it('tells the session that a stolen token ended', async () => {
    const follower = follow(service);
    try {
      const { tokens } = await registerAccount(service);
      await service.auth.refreshSession({ refreshToken: tokens.refreshToken });
      service.clock.advance(service.config.refreshGraceMs);
      await expect(service.auth.refreshSession({ refreshToken: tokens.refreshToken })).rejects.toMatchObject({ reason: 'TOKEN_REUSED' });
      await untilTold(follower, sessionOf(tokens.accessToken));
    } finally {
      await follower.stop();
    }
  });

  it('skips nothing when transactions commit in another order than they began', async () => {
    const slow = new Client({ connectionString: service.directUrl });
    await slow.connect();
    const follower = follow(service);
    try {
      await follower.snapshot;
      const [late, early] = [randomUUID(), randomUUID()];
      const insert = `insert into revocations (session_id, expire_time) values ($1, now() + interval '10 minutes')`;
      await slow.query('begin');
      await slow.query(insert, [late]);
      await service.sql(insert, [early]);
      // A transaction that stays open keeps nobody waiting.
      expect((await untilTold(follower, early)).tookMs).toBeLessThan(1000);
      await slow.query('commit');
      expect((await untilTold(follower, late)).tookMs).toBeLessThan(1000);
      const counts = [late, early].map((id) => follower.revocations.filter(({ target }) => target?.value === id).length);
      expect(counts).toEqual([1, 1]);
    } finally {
      await follower.stop();
      await slow.end();
    }
  });

  it('gives a long snapshot in several messages, and forgets what has expired', async () => {
    await service.sql(`insert into revocations (session_id, expire_time) select gen_random_uuid(), now() + interval '10 minutes' from generate_series(1, 2500)`);
    const expired = randomUUID();
    await service.sql(`insert into revocations (session_id, expire_time) values ($1, now() - interval '1 second')`, [expired]);
    const replica = await startAuth({ replicaOf: service });
    const follower = follow(replica);
    try {
      const snapshot = await follower.snapshot;
      expect(snapshot.length).toBeGreaterThanOrEqual(2500);
      expect(follower.messageTimes.length).toBeGreaterThanOrEqual(3);
      expect(snapshot.filter(({ target }) => target?.value === expired)).toEqual([]);
      // The cleaning, which runs at the start and then every hour, takes it out of the database too.
      while ((await service.sql('select 1 from revocations where session_id = $1', [expired])).length > 0) await pause(20);
    } finally {
      await follower.stop();
      await replica.stop();
    }
  });

  it('says something at least every two seconds', async () => {
    const follower = follow(service);
    await follower.snapshot;
    const startedAt = performance.now();
    while (performance.now() - startedAt < 5000) await pause(100);
    await follower.stop();
    const gaps = follower.messageTimes.slice(1).map((time, index) => time - (follower.messageTimes[index] ?? 0));
    expect(gaps.length).toBeGreaterThanOrEqual(3);
    expect(Math.max(...gaps)).toBeLessThan(2000);
  });

  it('ends with UNAVAILABLE at shutdown, without holding it up', async () => {
    const replica = await startAuth({ replicaOf: service });
    const follower = follow(replica);
    await follower.snapshot;
    const startedAt = performance.now();
    await replica.stop();
    expect(performance.now() - startedAt).toBeLessThan(2000);
    expect(await follower.end).toMatchObject({ kind: 'unavailable' });
    await follower.stop();
  });

  it('ends when the database cannot be read, and is no heartbeat any more: the follower can ask another replica', async () => {
    const proxy = await startTcpProxy(testPostgresUrl());
    const cut = await startAuth({ config: { servicePublicKeys }, databaseUrl: (url) => Object.assign(new URL(url), { host: new URL(proxy.url).host }).href });
    const follower = follow(cut);
    try {
      await follower.snapshot;
      await proxy.cut();
      expect(await follower.end).toMatchObject({ kind: 'unavailable', reason: 'DATABASE_UNAVAILABLE' });
      await proxy.restore();
      let again = follow(cut);
      while ((await again.snapshot.catch(() => undefined)) === undefined) again = follow(cut);
      await again.stop();
    } finally {
      await follower.stop();
      await cut.stop();
      await proxy.close();
    }
  });
});
