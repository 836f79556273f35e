import { generateKeyPairSync, randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { InternalAuthServiceService, Role, type Revocation } from '#contract/auth/v1/auth';
import { startTcpProxy, testPostgresUrl } from '#libs/devcluster';
import { createClient, createServiceIdentity } from '#libs/grpc';
import { createLogger, createMetrics } from '#libs/runtime';
import { decodeJwt } from 'jose';
import { Client } from 'pg';
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
  /** How many messages have come. */
  messages: number;
  /** How many of them were empty. */
  heartbeats: number;
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
  const read = async (): Promise<void> => {
    for await (const message of client.watchRevocations({}, { signal: stopping.signal })) {
      follower.revocations.push(...message.revocations);
      follower.messages += 1;
      if (message.revocations.length === 0) follower.heartbeats += 1;
      if (message.snapshotComplete) snapshot.resolve([...follower.revocations]);
    }
  };
  const stop = async (): Promise<void> => {
    stopping.abort();
    await follower.end;
    close();
  };
  const follower: Follower = { revocations: [], messages: 0, heartbeats: 0, snapshot: snapshot.promise, end: Promise.resolve(), stop };
  follower.end = read().catch((error: unknown) => error);
  void follower.end.then(() => snapshot.reject(new Error('ended before the snapshot was complete')));
  snapshot.promise.catch(() => undefined);
  return follower;
}

/** Waits for a revocation; the test's time limit ends it. */
async function untilTold({ revocations }: Follower, id: unknown): Promise<Revocation> {
  for (;;) {
    const revocation = revocations.find(({ target }) => (target?.$case === 'sessionId' ? target.value : target?.value.accountId) === id);
    if (revocation !== undefined) return revocation;
    await pause(10);
  }
}

const sessionOf = (accessToken: string | undefined): unknown => decodeJwt(accessToken ?? '')['sid'];

describe('WatchRevocations', () => {
  it('tells everything that matters first, then what comes, also through another replica', async () => {
    const replica = await startAuth({ replicaOf: service });
    const before = await registerAccount(service);
    await service.auth.logout({ refreshToken: before.tokens.refreshToken });
    const followers = [follow(service), follow(replica)];
    try {
      for (const follower of followers) await untilTold(follower, sessionOf(before.tokens.accessToken));
      const after = await registerAccount(service);
      await service.auth.logout({ refreshToken: after.tokens.refreshToken });
      for (const follower of followers) {
        const revocation = await untilTold(follower, sessionOf(after.tokens.accessToken));
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
      const revocation = await untilTold(follower, user.account.id);
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
      await untilTold(follower, early);
      await slow.query('commit');
      await untilTold(follower, late);
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
      expect(follower.messages).toBeGreaterThanOrEqual(3);
      expect(snapshot.filter(({ target }) => target?.value === expired)).toEqual([]);
      // The cleaning, which runs at the start and then every hour, takes it out of the database too.
      while ((await service.sql('select 1 from revocations where session_id = $1', [expired])).length > 0) await pause(20);
    } finally {
      await follower.stop();
      await replica.stop();
    }
  });

  it('says something again and again although nothing happens', async () => {
    const follower = follow(service);
    await follower.snapshot;
    const { heartbeats } = follower;
    while (follower.heartbeats < heartbeats + 3) await pause(20);
    await follower.stop();
  });

  it('ends with UNAVAILABLE at shutdown, without holding it up', async () => {
    // A stream that held the shutdown up would do so for longer than this test may take.
    const replica = await startAuth({ replicaOf: service, config: { servicePublicKeys, shutdownGraceMs: 600_000 } });
    const follower = follow(replica);
    await follower.snapshot;
    await replica.stop();
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
