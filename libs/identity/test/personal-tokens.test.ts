import { createHash, randomBytes } from 'node:crypto';
import { describe, expect, it, jest } from '@jest/globals';
import { Role, type CheckPersonalTokenResponse, type PersonalTokenGrant } from '#contract/auth/v1/auth';
import { toScopeMessage, type TokenScope } from '#libs/contract';
import { kindAndReason } from '#dev/testing';
import { runWithContext, type CallContext } from '#libs/runtime';
import { accessKeys, recordingLogger, servicePublicKeys } from '../../grpc/test/cluster.ts';
import { createAuthenticator, formatPersonalToken, isPersonalToken } from '../src/index.ts';
import { createRevocationSet } from '../src/revocations.ts';

const newToken = (): string => formatPersonalToken(randomBytes(32));

const startTime = 1_800_000_000_000;
const inAnHour = new Date(startTime + 3_600_000);

function grantOf(changes: Partial<PersonalTokenGrant> = {}, scopes: TokenScope[] = ['tasks:read']): PersonalTokenGrant {
  return {
    personalTokenId: 'token-1',
    accountId: 'user-1',
    role: Role.USER,
    scopes: scopes.map(toScopeMessage),
    expireTime: inAnHour,
    issueTime: new Date(startTime),
    ...changes,
  };
}

/** An authenticator whose auth knows the given tokens. */
function createWorld() {
  const revocations = createRevocationSet();
  const grants = new Map<string, PersonalTokenGrant>();
  const world = {
    now: startTime,
    asked: [] as string[],
    /** What auth does besides answering: wait, or fail. */
    before: async (): Promise<void> => undefined,
    give: (token: string, grant?: PersonalTokenGrant): void => {
      const key = createHash('sha256').update(token).digest('hex');
      if (grant === undefined) grants.delete(key);
      else grants.set(key, grant);
    },
    revocations,
  };
  const check = async (tokenHash: Uint8Array): Promise<CheckPersonalTokenResponse> => {
    const key = Buffer.from(tokenHash).toString('hex');
    world.asked.push(key);
    const grant = grants.get(key);
    await world.before();
    return { grant };
  };
  const { logger } = recordingLogger();
  const authenticate = createAuthenticator({
    service: 'tasks',
    accessKeys,
    servicePublicKeys,
    revocations: { isRevoked: (token) => revocations.has(token) },
    clock: { now: () => new Date(world.now) },
    personalTokens: { check, logger },
  });
  return {
    ...world,
    world,
    authenticate: (token: string, isOpen = false) => authenticate({ authorization: `Bearer ${token}`, isOpen }),
  };
}

const invalid = 'unauthenticated/TOKEN_INVALID';

const subject = (accountId: string, notBefore: number) => ({
  target: { $case: 'subject' as const, value: { accountId, notBeforeTime: new Date(notBefore) } },
  expireTime: new Date(notBefore + 660_000),
});

describe('the format of a personal token', () => {
  it('has a prefix, 256 bits and a checksum, in one length', () => {
    for (const bits of [Buffer.alloc(32), Buffer.alloc(32, 0xff), randomBytes(32)]) {
      expect(formatPersonalToken(bits)).toMatch(/^tfp_[0-9A-Za-z]{49}$/);
      expect(isPersonalToken(formatPersonalToken(bits))).toBe(true);
    }
    expect(formatPersonalToken(Buffer.alloc(32))).toBe(`tfp_${'0'.repeat(43)}2CZclj`);
  });

  it('shows each wrong character, each pair that changed places, and what is missing or too much', () => {
    const token = newToken();
    for (let index = 4; index < token.length; index += 1) {
      const wrong = token[index] === 'x' ? 'y' : 'x';
      expect(isPersonalToken(token.slice(0, index) + wrong + token.slice(index + 1))).toBe(false);
      const swapped = token.slice(0, index - 1) + token[index] + token[index - 1] + token.slice(index + 1);
      if (swapped !== token) expect(isPersonalToken(swapped)).toBe(false);
    }
    for (const text of [token.slice(0, -1), `${token}0`, token.toUpperCase(), token.slice(4), '', 'tfp_', ` ${token}`])
      expect(isPersonalToken(text)).toBe(false);
  });
});

describe('a personal token', () => {
  it('stands for its account, with its own id and scopes', async () => {
    const { give, authenticate } = createWorld();
    const token = newToken();
    give(token, grantOf({}, ['tasks:read', 'users:read']));
    expect(await authenticate(token)).toEqual({
      user: {
        kind: 'user',
        userId: 'user-1',
        role: 'user',
        sessionId: 'token-1',
        token: { id: 'token-1', scopes: ['tasks:read', 'users:read'] },
      },
    });
  });

  it('of an administrator acts as a user without the scope admin', async () => {
    const { give, authenticate } = createWorld();
    const [plain, full] = [newToken(), newToken()];
    give(plain, grantOf({ role: Role.ADMIN }));
    give(full, grantOf({ role: Role.ADMIN }, ['tasks:read', 'admin']));
    expect((await authenticate(plain)).user?.role).toBe('user');
    expect((await authenticate(full)).user?.role).toBe('admin');
  });

  it('is refused like any invalid token when it is unknown, and without asking when it cannot be one', async () => {
    const { asked, authenticate } = createWorld();
    for (const token of [newToken().slice(0, -1), `${newToken()}x`, 'tfp_x', 'tfp_'])
      expect(await kindAndReason(authenticate(token))).toBe(invalid);
    expect(asked).toEqual([]);
    expect(await kindAndReason(authenticate(newToken()))).toBe(invalid);
    expect(asked).toHaveLength(1);
  });

  it('is asked about once for all calls that arrive meanwhile, and not again while the answer is good', async () => {
    const { world, give, asked, authenticate } = createWorld();
    const token = newToken();
    give(token, grantOf());
    const { promise, resolve } = Promise.withResolvers<void>();
    world.before = () => promise;
    const calls = Array.from({ length: 50 }, () => authenticate(token));
    resolve();
    expect(new Set((await Promise.all(calls)).map(({ user }) => user?.sessionId))).toEqual(new Set(['token-1']));
    await authenticate(token);
    expect(asked).toHaveLength(1);
  });

  it('ends with its time, by the clock', async () => {
    const { world, give, authenticate } = createWorld();
    const token = newToken();
    give(token, grantOf());
    await authenticate(token);
    world.now = inAnHour.getTime() - 1;
    await authenticate(token);
    world.now = inAnHour.getTime();
    expect(await kindAndReason(authenticate(token))).toBe(invalid);
  });

  it('ends with its revocation without another question, so also while auth is away', async () => {
    const { world, give, asked, revocations, authenticate } = createWorld();
    const token = newToken();
    give(token, grantOf());
    await authenticate(token);
    revocations.add([{ target: { $case: 'sessionId', value: 'token-1' }, expireTime: undefined }]);
    world.before = async () => Promise.reject(new Error('away'));
    expect(await kindAndReason(authenticate(token))).toBe(invalid);
    expect(asked).toHaveLength(1);
  });

  it('is asked about again when its account changed, and has the new role at once', async () => {
    const { give, asked, revocations, authenticate } = createWorld();
    const token = newToken();
    give(token, grantOf({ role: Role.ADMIN }, ['admin']));
    expect((await authenticate(token)).user?.role).toBe('admin');
    revocations.add([subject('user-1', startTime + 2000)]);
    give(token, grantOf({ role: Role.USER, issueTime: new Date(startTime + 2000) }, ['admin']));
    expect((await authenticate(token)).user?.role).toBe('user');
    await authenticate(token);
    expect(asked).toHaveLength(2);
    revocations.add([subject('user-1', startTime + 4000)]);
    give(token);
    expect(await kindAndReason(authenticate(token))).toBe(invalid);
  });

  it('asks again when the change came while auth was being asked', async () => {
    const { world, give, asked, revocations, authenticate } = createWorld();
    const token = newToken();
    give(token, grantOf({ role: Role.ADMIN }, ['admin']));
    world.before = async () => {
      world.before = async () => undefined;
      give(token, grantOf({ issueTime: new Date(startTime + 2000) }, ['admin']));
      revocations.add([subject('user-1', startTime + 2000)]);
    };
    expect((await authenticate(token)).user?.role).toBe('user');
    expect(asked).toHaveLength(2);
  });

  it('goes on without auth as long as the answer is good; others are UNAVAILABLE, not invalid', async () => {
    const { world, give, authenticate } = createWorld();
    const [known, other] = [newToken(), newToken()];
    for (const token of [known, other]) give(token, grantOf());
    await authenticate(known);
    world.before = async () => Promise.reject(new Error('away'));
    await authenticate(known);
    expect(await kindAndReason(authenticate(other))).toBe('unavailable/TOKENS_UNAVAILABLE');
    world.before = async () => undefined;
    await authenticate(other);
  });

  it('of an open stream goes on without auth until it ends or its account changes', async () => {
    jest.useFakeTimers({ doNotFake: ['nextTick', 'queueMicrotask', 'setImmediate', 'Date'] });
    try {
      const { world, give, revocations, authenticate } = createWorld();
      const [first, second] = [newToken(), newToken()];
      give(first, grantOf());
      give(second, grantOf({ personalTokenId: 'token-2', accountId: 'user-2' }));
      for (const token of [first, second]) await authenticate(token);
      world.before = async () => Promise.reject(new Error('away'));
      jest.advanceTimersByTime(60_000);
      for (const token of [first, second]) {
        expect(await kindAndReason(authenticate(token))).toBe('unavailable/TOKENS_UNAVAILABLE');
        await authenticate(token, true);
      }
      revocations.add([subject('user-2', startTime + 2000)]);
      expect(await kindAndReason(authenticate(second, true))).toBe('unavailable/TOKENS_UNAVAILABLE');
      world.now = inAnHour.getTime();
      expect(await kindAndReason(authenticate(first, true))).toBe(invalid);
    } finally {
      jest.useRealTimers();
    }
  });

  it('that does not exist is looked up a bounded number of times for a peer, and harms no other', async () => {
    const { world, give, asked, authenticate } = createWorld();
    const from = (peer: string, token: string) =>
      runWithContext({ peer, requestId: 'r', traceParent: '' } as CallContext, () => authenticate(token));
    const [used, fresh] = [newToken(), newToken()];
    give(used, grantOf());
    give(fresh, grantOf());
    await from('192.0.2.1', used);
    const outcomes = new Map<string, number>();
    for (let tries = 0; tries < 100; tries += 1) {
      const outcome = await kindAndReason(from('192.0.2.1', newToken()));
      outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
    }
    expect(Object.fromEntries(outcomes)).toEqual({ [invalid]: 60, 'resource_exhausted/RATE_LIMITED': 40 });
    expect(asked).toHaveLength(61);
    // Nobody can shut out from the same address what was valid lately, even when it has to be looked up.
    world.revocations.add([subject('user-1', startTime + 1000)]);
    give(used, grantOf({ issueTime: new Date(startTime + 1000) }));
    await from('192.0.2.1', used);
    expect(await kindAndReason(from('192.0.2.1', fresh))).toBe('resource_exhausted/RATE_LIMITED');
    await from('192.0.2.2', fresh);
  });
});
