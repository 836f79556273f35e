import { generateKeyPairSync, randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, describe, expect, it } from '@jest/globals';
import { InternalAuthServiceService, Role, type Revocation } from '#contract/auth/v1/auth';
import { createClient } from '#libs/grpc';
import { createServiceIdentity } from '#libs/identity';
import { createLogger, createMetrics } from '#libs/runtime';
import { decodeJwt } from 'jose';
import { Client } from 'pg';
import type { AuthConfig } from '../src/config.ts';
import { as, refresh, registerAccount, registerAdmin } from './factories.ts';
import { afterTest, startAuth, startBehindProxy, startForTest, type TestAuth, useAfterTest } from './start-auth.ts';

useAfterTest();

const { privateKey, publicKey } = generateKeyPairSync('ed25519');
const servicePublicKeys = {
  keys: [{ ...publicKey.export({ format: 'jwk' }), kid: 'tasks' }],
} as AuthConfig['servicePublicKeys'];
const identity = createServiceIdentity({
  service: 'tasks',
  privateKey: privateKey.export({ format: 'jwk' }) as AuthConfig['serviceKey'],
});

const service = await startAuth({ config: { servicePublicKeys } });
afterAll(service.stop);

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
}

/** Follows the stream until the running test ends. */
function follow({ app }: TestAuth): Follower {
  const stopping = new AbortController();
  const { client, close } = createClient(InternalAuthServiceService, {
    callee: 'auth',
    address: `127.0.0.1:${app.grpcPort}`,
    identity,
    metrics: createMetrics('tasks'),
    logger: createLogger({ service: 'tasks', level: 'fatal' }),
  });
  const snapshot = Promise.withResolvers<Revocation[]>();
  const read = async (): Promise<void> => {
    for await (const message of client.watchRevocations({}, { signal: stopping.signal })) {
      follower.revocations.push(...message.revocations);
      follower.messages += 1;
      if (message.revocations.length === 0) follower.heartbeats += 1;
      if (message.snapshotComplete) snapshot.resolve([...follower.revocations]);
    }
  };
  const follower: Follower = {
    revocations: [],
    messages: 0,
    heartbeats: 0,
    snapshot: snapshot.promise,
    end: Promise.resolve(),
  };
  follower.end = read().catch((error: unknown) => error);
  void follower.end.then(() => snapshot.reject(new Error('ended before the snapshot was complete')));
  snapshot.promise.catch(() => undefined);
  afterTest(async () => {
    stopping.abort();
    await follower.end;
    close();
  });
  return follower;
}

/** Waits for a revocation; the test's time limit ends it. */
async function untilReceived({ revocations }: Follower, id: unknown): Promise<Revocation> {
  for (;;) {
    const revocation = revocations.find(
      ({ target }) => (target?.$case === 'sessionId' ? target.value : target?.value.accountId) === id,
    );
    if (revocation !== undefined) return revocation;
    await pause(10);
  }
}

const sessionOf = (accessToken: string | undefined): unknown => decodeJwt(accessToken ?? '')['sid'];

describe('WatchRevocations', () => {
  it('sends a snapshot, then changes, also through another replica', async () => {
    const replica = await startForTest({ replicaOf: service });
    const before = await registerAccount(service);
    await service.auth.logout({ refreshToken: before.tokens.refreshToken });
    const followers = [follow(service), follow(replica)];
    for (const follower of followers) await untilReceived(follower, sessionOf(before.tokens.accessToken));
    const after = await registerAccount(service);
    await service.auth.logout({ refreshToken: after.tokens.refreshToken });
    for (const follower of followers) {
      const revocation = await untilReceived(follower, sessionOf(after.tokens.accessToken));
      expect(revocation.expireTime?.getTime()).toBeGreaterThan(
        after.tokens.accessTokenExpireTime?.getTime() ?? Infinity,
      );
    }
  });

  it('sends every kind of revocation, each with what it ends', async () => {
    const follower = follow(service);
    await follower.snapshot;
    const admin = await registerAdmin(service);
    const user = await registerAccount(service);
    const others = [await service.auth.login(user.request), await service.auth.login(user.request)];
    const sessionId = String(sessionOf(others[0]?.tokens?.accessToken));
    await service.auth.revokeSession({ sessionId }, as(user));
    await untilReceived(follower, sessionId);
    await service.auth.changePassword(
      { currentPassword: user.request.password, newPassword: 'another horse battery' },
      as(user),
    );
    await untilReceived(follower, sessionOf(others[1]?.tokens?.accessToken));
    await service.auth.setRole({ accountId: user.account.id, role: Role.ADMIN }, as(admin));
    const revocation = await untilReceived(follower, user.account.id);
    expect(revocation.target).toEqual({
      $case: 'subject',
      value: { accountId: user.account.id, notBeforeTime: expect.any(Date) },
    });
    const issuedAt = (token: string | undefined): number => (decodeJwt(token ?? '').iat ?? 0) * 1000;
    const notBefore =
      revocation.target?.$case === 'subject' ? (revocation.target.value.notBeforeTime?.getTime() ?? 0) : 0;
    expect(issuedAt(user.tokens.accessToken)).toBeLessThan(notBefore);
    const { tokens } = await refresh(service, user);
    expect(issuedAt(tokens?.accessToken)).toBeGreaterThanOrEqual(notBefore);
    const disabled = await registerAccount(service);
    await service.auth.disableAccount({ accountId: disabled.account.id }, as(admin));
    await untilReceived(follower, disabled.account.id);
  });

  it('sends the session that the reuse of a token ended', async () => {
    const follower = follow(service);
    const { tokens } = await registerAccount(service);
    const { tokens: successor } = await refresh(service, { tokens });
    await refresh(service, { tokens: successor });
    service.clock.advance(service.config.refreshGraceMs);
    await expect(refresh(service, { tokens })).rejects.toMatchObject({ reason: 'TOKEN_REUSED' });
    await untilReceived(follower, sessionOf(tokens.accessToken));
  });

  it('skips nothing when transactions commit in another order than they began', async () => {
    const slow = new Client({ connectionString: service.directUrl });
    await slow.connect();
    afterTest(() => slow.end());
    const follower = follow(service);
    await follower.snapshot;
    const [late, early] = [randomUUID(), randomUUID()];
    const insert = `insert into revocations (session_id, expire_time) values ($1, now() + interval '10 minutes')`;
    await slow.query('begin');
    await slow.query(insert, [late]);
    await service.sql(insert, [early]);
    // A transaction that stays open keeps nobody waiting.
    await untilReceived(follower, early);
    await slow.query('commit');
    await untilReceived(follower, late);
    const counts = [late, early].map((id) => follower.revocations.filter(({ target }) => target?.value === id).length);
    expect(counts).toEqual([1, 1]);
  });

  it('sends a long snapshot in several messages, without expired revocations', async () => {
    await service.sql(
      `insert into revocations (session_id, expire_time) select gen_random_uuid(), now() + interval '10 minutes' from generate_series(1, 2500)`,
    );
    const expired = randomUUID();
    await service.sql(`insert into revocations (session_id, expire_time) values ($1, now() - interval '1 second')`, [
      expired,
    ]);
    const replica = await startForTest({ replicaOf: service });
    const follower = follow(replica);
    const snapshot = await follower.snapshot;
    expect(snapshot.length).toBeGreaterThanOrEqual(2500);
    expect(follower.messages).toBeGreaterThanOrEqual(3);
    expect(snapshot.filter(({ target }) => target?.value === expired)).toEqual([]);
    // The cleaning, which runs at the start and then every hour, takes it out of the database too.
    while ((await service.sql('select 1 from revocations where session_id = $1', [expired])).length > 0)
      await pause(20);
  });

  it('sends heartbeats while nothing happens', async () => {
    const follower = follow(service);
    await follower.snapshot;
    const { heartbeats } = follower;
    while (follower.heartbeats < heartbeats + 3) await pause(20);
  });

  it('ends with UNAVAILABLE at shutdown, without delaying it', async () => {
    // A stream that held the shutdown up would do so for longer than this test may take.
    const replica = await startAuth({ replicaOf: service, config: { servicePublicKeys, shutdownGraceMs: 600_000 } });
    const follower = follow(replica);
    await follower.snapshot;
    await replica.stop();
    expect(await follower.end).toMatchObject({ kind: 'unavailable' });
  });

  it('ends when the database cannot be read, so that the follower can ask another replica', async () => {
    const { cut, proxy } = await startBehindProxy({ servicePublicKeys });
    const follower = follow(cut);
    await follower.snapshot;
    await proxy.cut();
    expect(await follower.end).toMatchObject({ kind: 'unavailable', reason: 'DATABASE_UNAVAILABLE' });
    await proxy.restore();
    let again = follow(cut);
    while ((await again.snapshot.catch(() => undefined)) === undefined) again = follow(cut);
  });
});
