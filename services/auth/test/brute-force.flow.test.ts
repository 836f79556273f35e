import { afterAll, describe, expect, it } from '@jest/globals';
import { Status } from '#google/rpc/status';
import type { RegisterRequest } from '#contract/auth/v1/auth';
import { refusal } from '#dev/testing';
import type { CallError } from '#dev/stubs';
import { registration } from './factories.ts';
import { flood, from, newPeer, slowMachineLimits, sequence, startLimitedAuth } from './start-limited.ts';

/** Long enough for fifty calls to be answered before the first wait is over, also on a busy machine. */
const firstWaitMs = 15_000;

const service = await startLimitedAuth({
  ...slowMachineLimits,
  TASKFLOW_RATE_LIMITS: JSON.stringify({ '*': 'unlimited' }),
  TASKFLOW_AUTH_PASSWORD_WAIT_MS: String(firstWaitMs),
});
afterAll(service.stop);

async function signUp(): Promise<RegisterRequest & { caller: { token: string } }> {
  const request = registration();
  const { tokens } = await service.auth(0).register(request);
  return { ...request, caller: { token: tokens?.accessToken ?? '' } };
}

const wrong =
  ({ email }: { email: string }, peer: string) =>
  (index: number) =>
    service.auth(index).login({ email, password: `guess ${index}` }, from(peer));

const tooMany = {
  kind: 'resource_exhausted',
  reason: 'TOO_MANY_ATTEMPTS',
  details: { retryAfterMs: expect.any(Number) },
};

/** A status as sent, without what differs from call to call: its id and the time to wait. */
function toComparable(error: CallError | undefined): Status {
  const status = Status.decode(error?.statusBytes ?? Buffer.alloc(0));
  return { ...status, details: status.details.filter(({ typeUrl }) => !/RequestInfo|RetryInfo/.test(typeUrl)) };
}

describe('guessing passwords, with two replicas of auth', () => {
  it('A10: of fifty guesses at once five are checked, and the others are refused with a time to wait', async () => {
    const account = await signUp();
    const { reasons, errors } = await flood(50, wrong(account, newPeer()));
    expect(reasons).toEqual({ CREDENTIALS_INVALID: 5, TOO_MANY_ATTEMPTS: 45 });
    for (const error of errors.filter(({ reason }) => reason === 'TOO_MANY_ATTEMPTS')) {
      expect(error).toMatchObject(tooMany);
      expect(error.details.retryAfterMs).toBeGreaterThan(0);
      expect(error.details.retryAfterMs).toBeLessThanOrEqual(firstWaitMs);
    }
  });

  it('A10: the right password is refused at the guessing address, and accepted from another', async () => {
    const account = await signUp();
    const guesser = newPeer();
    await sequence(5, wrong(account, guesser));
    for (const index of [0, 1])
      await expect(service.auth(index).login(account, from(guesser))).rejects.toMatchObject(tooMany);
    for (const index of [0, 1])
      expect((await service.auth(index).login(account, from(newPeer()))).account?.email).toBe(account.email);
    // Nor does the owner's sign-in elsewhere help the guesser.
    await expect(service.auth(0).login(account, from(guesser))).rejects.toMatchObject(tooMany);
  });

  it('A10: guesses from many addresses do not lock the owner out', async () => {
    const account = await signUp();
    for (let address = 0; address < 8; address += 1) await flood(6, wrong(account, newPeer()));
    expect((await service.auth(1).login(account, from(newPeer()))).account?.email).toBe(account.email);
  });

  it('A10: after the wait one more guess is checked, and the next wait is twice as long', async () => {
    const account = await signUp();
    const peer = newPeer();
    await sequence(5, wrong(account, peer));
    const first = await refusal(wrong(account, peer)(0));
    expect(first).toMatchObject(tooMany);
    await new Promise((resolve) => setTimeout(resolve, (first.details.retryAfterMs ?? 0) + 10));
    const { reasons, errors } = await flood(20, wrong(account, peer));
    expect(reasons).toEqual({ CREDENTIALS_INVALID: 1, TOO_MANY_ATTEMPTS: 19 });
    const waits = errors.flatMap(({ details }) => details.retryAfterMs ?? []);
    expect(Math.max(...waits)).toBeGreaterThan(firstWaitMs);
    expect(Math.max(...waits)).toBeLessThanOrEqual(2 * firstWaitMs);
  });

  it('A10: the right password resets the count of wrong ones', async () => {
    const account = await signUp();
    const peer = newPeer();
    for (let round = 0; round < 3; round += 1) {
      expect((await sequence(4, wrong(account, peer))).reasons).toEqual({ CREDENTIALS_INVALID: 4 });
      await service.auth(round).login(account, from(peer));
    }
  });

  it('A2, A10: an unknown e-mail gets the same answers as a wrong password, before the wait and during it', async () => {
    const peer = newPeer();
    const known = await sequence(8, wrong(await signUp(), peer));
    const unknown = await sequence(8, wrong(registration(), peer));
    expect(unknown.reasons).toEqual({ CREDENTIALS_INVALID: 5, TOO_MANY_ATTEMPTS: 3 });
    expect(unknown.reasons).toEqual(known.reasons);
    for (const [index, error] of unknown.errors.entries())
      expect(toComparable(error)).toEqual(toComparable(known.errors[index]));
  });

  it('A10: guesses count for one account in any letter case of the e-mail', async () => {
    const account = await signUp();
    const peer = newPeer();
    await sequence(5, wrong({ email: account.email.toUpperCase() }, peer));
    await expect(wrong(account, peer)(1)).rejects.toMatchObject(tooMany);
  });

  it('A10, A11: the current password cannot be guessed with a stolen token either', async () => {
    const account = await signUp();
    const peer = newPeer();
    const change = (index: number) =>
      index % 3 === 0
        ? service
            .auth(index)
            .changeEmail(
              { newEmail: registration().email, currentPassword: `guess ${index}` },
              { ...account.caller, ...from(peer) },
            )
        : service
            .auth(index)
            .changePassword(
              { newPassword: 'long enough to pass', currentPassword: `guess ${index}` },
              { ...account.caller, ...from(peer) },
            );
    expect((await flood(30, change)).reasons).toEqual({ PASSWORD_WRONG: 5, TOO_MANY_ATTEMPTS: 25 });
    const elsewhere = { ...account.caller, ...from(newPeer()) };
    await service
      .auth(0)
      .changePassword({ newPassword: 'another good password', currentPassword: account.password }, elsewhere);
  });
});

describe('a flood of sign-ins', () => {
  it('is answered as far as the queue allows, the excess is refused with a time to retry, and other calls go on', async () => {
    const { auth } = service;
    const others: Promise<unknown>[] = [];
    const { reasons, errors } = await flood(300, (index) => {
      if (index % 10 === 0) others.push(auth(0).getJwks({}));
      return auth(0).login({ email: registration().email, password: 'anything' }, from(newPeer()));
    });
    expect(Object.keys(reasons).sort()).toEqual(['CREDENTIALS_INVALID', 'OVERLOADED']);
    for (const error of errors.filter(({ reason }) => reason === 'OVERLOADED')) {
      expect(error).toMatchObject({ kind: 'resource_exhausted', details: { retryAfterMs: expect.any(Number) } });
    }
    for (const answer of await Promise.all(others)) expect((answer as { keys: unknown[] }).keys).not.toHaveLength(0);
    const account = await signUp();
    await auth(0).login(account);
  });
});
