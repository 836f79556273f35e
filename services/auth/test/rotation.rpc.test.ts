import { setTimeout as pause } from 'node:timers/promises';
import { beforeEach, describe, expect, it } from '@jest/globals';
import { decodeProtectedHeader } from 'jose';
import { invalidFields } from '#dev/testing';
import { as, registerAccount, registerAdmin, tokenInvalid, untilRefused, type SignedIn } from './factories.ts';
import { startForTest, type TestAuth, useAfterTest } from './start-auth.ts';

useAfterTest();

const jwksMaxAgeMs = 400;
const keyMarginMs = 600;
const accessTokenLifetimeMs = 600_000;

let service: TestAuth;
let admin: SignedIn;
beforeEach(async () => {
  service = await startForTest({ config: { jwksMaxAgeMs, keyMarginMs } });
  admin = await registerAdmin(service);
});

const startReplica = (): Promise<TestAuth> => startForTest({ replicaOf: service });

const rotate = (target = service, requestId = '') => target.auth.rotateSigningKey({ requestId }, as(admin));
const published = async (target = service): Promise<string[]> =>
  (await target.auth.getJwks({})).keys.map(({ kid }) => kid);
const stored = () =>
  service.sql<{ kid: string; publish_ms: number; retire_ms: number | null }>(`
  select kid, (extract(epoch from sign_time - create_time) * 1000)::int as publish_ms, (extract(epoch from retire_time - sign_time) * 1000)::int as retire_ms
  from signing_keys order by sign_time`);

/** The key that a replica signs with now. */
async function signing(target = service): Promise<string> {
  const { tokens } = await target.auth.refreshSession({ refreshToken: admin.tokens.refreshToken });
  return decodeProtectedHeader(tokens?.accessToken ?? '').kid ?? '';
}

async function untilSigning(kid: string, target = service): Promise<void> {
  while ((await signing(target)) !== kid) await pause(50);
}

describe('RotateSigningKey', () => {
  it('publishes the new key at once, and signs with it when every copy of the key set is fetched anew', async () => {
    const [old] = await published();
    const { maxAge } = await service.auth.getJwks({});
    expect(maxAge).toEqual({ seconds: 0n, nanos: jwksMaxAgeMs * 1_000_000 });
    const { kid, signTime } = await rotate();
    expect(await published()).toEqual([old, kid]);
    const signsWith = await signing();
    const itsTimeHasCome = Date.now() >= (signTime?.getTime() ?? 0);
    expect(itsTimeHasCome ? old : signsWith).toBe(old);
    await untilSigning(kid);
    expect(Date.now()).toBeGreaterThanOrEqual(signTime?.getTime() ?? Infinity);
    expect(await published()).toEqual([old, kid]);
    expect(await stored()).toEqual([
      { kid: old, publish_ms: 0, retire_ms: expect.any(Number) },
      { kid, publish_ms: jwksMaxAgeMs + keyMarginMs, retire_ms: null },
    ]);
  });

  it('retires the key before it when the last token that it signed has expired', async () => {
    const [old] = await published();
    await untilSigning((await rotate()).kid);
    const [row] = await service.sql<{ after_ms: number }>(
      `select (extract(epoch from old.retire_time - next.sign_time) * 1000)::int as after_ms from signing_keys old, signing_keys next where old.kid = $1 and next.kid <> $1`,
      [old],
    );
    expect(row?.after_ms).toBe(accessTokenLifetimeMs + keyMarginMs);
    await service.auth.listSessions({}, as(admin));

    await service.sql('update signing_keys set retire_time = now() where kid = $1', [old]);
    expect(decodeProtectedHeader(admin.tokens.accessToken).kid).toBe(old);
    const other = await startReplica();
    expect(await published(other)).not.toContain(old);
    await expect(other.auth.listSessions({}, as(admin))).rejects.toMatchObject(tokenInvalid);
    while ((await published()).includes(old ?? '')) await pause(50);
  });

  it('makes one key for one request id, also at two replicas at once', async () => {
    const replica = await startReplica();
    const answers = await Promise.all(
      [rotate(service, 'once'), rotate(replica, 'once'), rotate(service, 'once')].map((call) =>
        call.catch((error: unknown) => error),
      ),
    );
    const answered = answers.filter((answer) => !(answer instanceof Error));
    // A call that meets the first one at work may be refused with a time to retry.
    for (const answer of answers.filter((one) => one instanceof Error))
      expect(answer).toMatchObject({ reason: 'REQUEST_IN_PROGRESS' });
    const again = await rotate(replica, 'once');
    for (const answer of answered) expect(answer).toEqual(again);
    expect(await stored()).toHaveLength(2);
  });

  it('is followed alike by every replica, also when two are asked to rotate at once', async () => {
    const replica = await startReplica();
    const made = await Promise.all([rotate(service), rotate(replica)]);
    const [, , last] = (await stored()).map(({ kid }) => kid);
    expect(made.map(({ kid }) => kid)).toContain(last);
    await Promise.all([untilSigning(last ?? '', service), untilSigning(last ?? '', replica)]);
    expect((await published()).toSorted()).toEqual((await published(replica)).toSorted());
    expect(await published()).toHaveLength(3);
  });

  it('is for administrators', async () => {
    const user = await registerAccount(service);
    await expect(service.auth.rotateSigningKey({}, as(user))).rejects.toMatchObject({ reason: 'ADMIN_REQUIRED' });
    await expect(service.auth.rotateSigningKey({})).rejects.toMatchObject({ reason: 'CREDENTIALS_MISSING' });
    expect(await invalidFields(rotate(service, 'no spaces'))).toEqual(['request_id']);
    await service.auth.logout({ refreshToken: admin.tokens.refreshToken });
    expect((await untilRefused(() => rotate())).error).toMatchObject(tokenInvalid);
  });

  it('logs who rotated, and nothing secret', async () => {
    const { kid } = await rotate();
    const line = service.logLines.find((text) => text.includes('"audit":"signing_key_rotated"'));
    expect(JSON.parse(line ?? '{}')).toMatchObject({ signing_key: kid, by: admin.account.id });
    const secrets = await service.sql<{ sealed: Buffer }>('select sealed_private_key as sealed from signing_keys');
    for (const { sealed } of secrets) expect(service.logLines.join('')).not.toContain(sealed.toString('base64'));
  });
});
