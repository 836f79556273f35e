import { randomBytes } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, describe, expect, it } from '@jest/globals';
import { as, registerAccount, registration } from './factories.ts';
import { startAuth, type TestAuth } from './start-auth.ts';

const service = await startAuth();
afterAll(service.stop);

const taken = { kind: 'already_exists', reason: 'EMAIL_TAKEN' };

/** An account as the release before stored it, without a mailbox. */
async function registerBefore(email: string) {
  const signedIn = await registerAccount(service);
  await service.sql('update accounts set email = $2, mailbox = null where id = $1', [signedIn.account.id, email]);
  return { ...signedIn, request: { ...signedIn.request, email } };
}

/** Starts a replica, and stops it when `isDone`. */
async function restartUntil(isDone: (replica: TestAuth) => boolean | Promise<boolean>): Promise<void> {
  const replica = await startAuth({ replicaOf: service });
  while (!(await isDone(replica))) await pause(20);
  await replica.stop();
}

const hasMailbox = async (accountId: string, mailbox: string): Promise<boolean> =>
  (await service.sql('select 1 from accounts where id = $1 and mailbox = $2', [accountId, mailbox])).length === 1;

describe('accounts from before mailboxes were compared', () => {
  it('get their mailbox when a replica starts, and then no other account can have it', async () => {
    const mark = randomBytes(6).toString('hex');
    const { request, account } = await registerBefore(`straße-${mark}@bücher.example`);
    await restartUntil(() => hasMailbox(account.id, `strasse-${mark}@bücher.example`));
    const other = `STRASSE-${mark}@xn--bcher-kva.example`;
    await expect(service.auth.register(registration({ email: other }))).rejects.toMatchObject(taken);
    expect((await service.auth.login({ ...request, email: other })).account).toMatchObject({
      id: account.id,
      email: request.email,
    });
  });

  it('that share a mailbox are kept, sign in by their own spelling, and are logged', async () => {
    const mark = randomBytes(6).toString('hex');
    const spellings = [
      `straße-${mark}@bücher.example`,
      `strasse-${mark}@bücher.example`,
      `straße-${mark}@xn--bcher-kva.example`,
    ];
    const people = await Promise.all(spellings.map(registerBefore));
    const loggedOf = (replica: TestAuth) =>
      people.filter(({ account }) =>
        replica.logLines.some((line) => line.includes('"mailbox_shared"') && line.includes(account.id)),
      );
    await restartUntil((replica) => loggedOf(replica).length === 2);
    for (const { request, account } of people)
      expect((await service.auth.login(request)).account).toMatchObject({ id: account.id, email: request.email });
    await expect(
      service.auth.register(registration({ email: `STRASSE-${mark}@BÜCHER.example` })),
    ).rejects.toMatchObject(taken);

    const [leaving] = people;
    const session = as(await service.auth.login(leaving?.request ?? {}));
    await service.auth.changeEmail(
      { currentPassword: leaving?.request.password ?? '', newEmail: registration().email },
      session,
    );
    for (const { request, account } of people.slice(1))
      expect((await service.auth.login(request)).account?.id).toBe(account.id);
  });

  it('get the mailbox of an e-mail that the release before has changed', async () => {
    const mark = randomBytes(6).toString('hex');
    const { account } = await registerAccount(service, { email: `straße-${mark}@example.com` });
    await service.sql('update accounts set email = $2 where id = $1', [account.id, `größe-${mark}@example.com`]);
    await restartUntil(() => hasMailbox(account.id, `grösse-${mark}@example.com`));
    await registerAccount(service, { email: `strasse-${mark}@example.com` });
    await expect(service.auth.register(registration({ email: `grösse-${mark}@example.com` }))).rejects.toMatchObject(
      taken,
    );
  });
});

describe('ChangeEmail', () => {
  it("changes the spelling of one's own mailbox", async () => {
    const mark = randomBytes(6).toString('hex');
    const { request, account, tokens } = await registerAccount(service, { email: `straße-${mark}@example.com` });
    const newEmail = `strasse-${mark}@example.com`;
    const changed = await service.auth.changeEmail({ currentPassword: request.password, newEmail }, as({ tokens }));
    expect(changed.account).toEqual({ ...account, email: newEmail, etag: expect.any(String) });
    expect((await service.auth.login(request)).account?.email).toBe(newEmail);
  });
});
