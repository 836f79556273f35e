import { randomBytes } from 'node:crypto';
import { domainToASCII } from 'node:url';
import { afterAll, describe, expect, it } from '@jest/globals';
import { Role, type UpsertProfileRequest } from '#contract/users/v1/users';
import { profileStatements } from '../src/db/profile.reader.ts';
import { invalidFields, kindAndReason } from '#dev/testing';
import { createUser, read, update, type Person } from './factories.ts';
import { startUsers, type TestUsers } from './start-users.ts';

// Tasks is down: libs/dev/flows/finding-people.flow.test.ts has those who share a task.
const service = await startUsers();
afterAll(service.stop);

const emailOf = ({ userId }: Person): string => `${userId}@example.com`;
const find = async (caller: Person, email: string, { users }: TestUsers = service) =>
  (await users.findUser({ email }, caller)).user;
const why = (caller: Person, email: string) => kindAndReason(find(caller, email));
const discoverable = (chosen: boolean | undefined, person: Person, of = service) =>
  update(of, person, { discoverable: chosen }, { updateMask: ['discoverable'] });
const person = (changes: Partial<UpsertProfileRequest> = {}) => createUser(service, changes);

describe('the setting discoverable', () => {
  it('is off until the user turns it on, and follows the default again when it is cleared', async () => {
    const user = await person();
    expect(await read(service, user)).toMatchObject({ discoverable: false });
    expect(await discoverable(true, user)).toMatchObject({ discoverable: true });
    expect(await read(service, user)).toMatchObject({ discoverable: true });
    expect(await discoverable(undefined, user)).toMatchObject({ discoverable: false });
  });

  it('can be set without a mask, also to false, and by "*"', async () => {
    const user = await person();
    expect(await update(service, user, { discoverable: true })).toMatchObject({ discoverable: true });
    expect(await update(service, user, { discoverable: false })).toMatchObject({ discoverable: false });
    const whole = { displayName: 'Ada', discoverable: true };
    expect(await update(service, user, whole, { updateMask: ['*'] })).toMatchObject({ discoverable: true });
  });

  it('has the default of the operator for everybody who has not chosen, on every replica', async () => {
    const open = await startUsers({ config: { discoverable: true } });
    try {
      const [silent, hidden, caller] = [await createUser(open), await createUser(open), await createUser(open)];
      expect(await read(open, silent)).toMatchObject({ discoverable: true });
      expect(await find(caller, emailOf(silent), open)).toMatchObject({ id: silent.userId });
      await discoverable(false, hidden, open);
      expect(await kindAndReason(find(caller, emailOf(hidden), open))).toMatch(/^unavailable/);
    } finally {
      await open.stop();
    }
  });
});

describe('FindUser', () => {
  it('finds those who allow it by every spelling of their mailbox, and by nothing less', async () => {
    const mark = randomBytes(6).toString('hex');
    const user = await person({ email: `straße-${mark}@münchen-${mark}.example` });
    await discoverable(true, user);
    const caller = await person();
    const aLabel = domainToASCII(`münchen-${mark}.example`);
    const spellings = [
      `straße-${mark}@münchen-${mark}.example`,
      `STRASSE-${mark}@MÜNCHEN-${mark}.EXAMPLE`,
      `  strasse-${mark}@${aLabel.toUpperCase()} `,
      `straße-${mark}@münchen-${mark}.example`.normalize('NFD'),
    ];
    for (const email of spellings) expect(await find(caller, email)).toMatchObject({ id: user.userId });
    for (const email of [`strasse-${mark}@münchen-${mark}`, `strasse-${mark}`, `%-${mark}@${aLabel}`])
      expect(await why(caller, email)).toMatch(/^unavailable/);
  });

  it('finds oneself, and everybody for administrators, but no disabled account', async () => {
    const [user, admin] = [await person(), await person({ role: Role.ADMIN })];
    expect(await find(user, emailOf(user))).toEqual({
      id: user.userId,
      displayName: 'Ada',
      enabled: true,
      serviceAccount: false,
    });
    expect(await find(admin, emailOf(user))).toMatchObject({ id: user.userId });
    const disabled = await person({ enabled: false });
    await discoverable(true, disabled);
    for (const caller of [user, admin]) expect(await why(caller, emailOf(disabled))).toMatch(/^unavailable/);
  });

  it('of two old accounts with one mailbox finds the one that is spelled so', async () => {
    const mark = randomBytes(6).toString('hex');
    const [plain, sharp] = [`strasse-${mark}@example.com`, `straße-${mark}@example.com`];
    const [one, other] = [await person({ email: plain }), await person({ email: sharp })];
    for (const user of [one, other]) await discoverable(true, user);
    const caller = await person();
    expect(await find(caller, plain)).toMatchObject({ id: one.userId });
    expect(await find(caller, sharp.toUpperCase())).toMatchObject({ id: one.userId });
    expect(await find(caller, sharp)).toMatchObject({ id: other.userId });
  });

  it.each(['', 'a@', `${'x'.repeat(255)}`, 'a\u0000@example.com'])('refuses %j', async (email) => {
    expect(await invalidFields(find(await person(), email))).toEqual(['email']);
  });

  it('reads one range of an index for each e-mail, also with a generic plan', async () => {
    for (const mode of ['force_custom_plan', 'force_generic_plan']) {
      await service.sql(`set plan_cache_mode = ${mode}`);
      await service.sql('set enable_seqscan = off');
      await service.sql(`prepare explained (text[], text[]) as ${profileStatements.findByEmails.text}`);
      const plan = JSON.stringify(await service.sql(`explain execute explained ('{a@b.c,d@e.f}', '{a@b.c,d@e.f}')`));
      await service.sql('deallocate explained');
      expect(plan).toContain('profiles_mailbox_prefix_idx');
      expect(plan).not.toContain('Seq Scan');
    }
    await service.sql('reset all');
  });
});

describe('BatchFindUsers', () => {
  it('says who has which e-mail, and whether that is open to the caller', async () => {
    const [open, hidden, disabled] = [await person(), await person(), await person({ enabled: false })];
    await discoverable(true, open);
    const emails = [hidden, disabled, open].map(emailOf);
    const asTasks = await service.asService('tasks');
    const ask = async (callerId: string, callerRole: Role) =>
      (await service.internal.batchFindUsers({ callerId, callerRole, emails: [...emails, 'x@example.com'] }, asTasks))
        .foundUsers;
    const expected = (openToCaller: boolean) => [
      {
        email: emailOf(hidden),
        user: { id: hidden.userId, displayName: 'Ada', enabled: true, serviceAccount: false },
        openToCaller,
      },
      {
        email: emailOf(open),
        user: { id: open.userId, displayName: 'Ada', enabled: true, serviceAccount: false },
        openToCaller: true,
      },
    ];
    expect(await ask(open.userId, Role.USER)).toEqual(expected(false));
    expect(await ask(hidden.userId, Role.USER)).toEqual(expected(true));
    expect(await ask(open.userId, Role.ADMIN)).toEqual(expected(true));
  });

  it('refuses no e-mails, too many, and a caller without a role', async () => {
    const asTasks = await service.asService('tasks');
    const callerId = (await person()).userId;
    const refusedFields = (request: object) =>
      invalidFields(
        service.internal.batchFindUsers({ callerId, callerRole: Role.USER, emails: ['a@b'], ...request }, asTasks),
      );
    expect(await refusedFields({ emails: [] })).toEqual(['emails']);
    expect(await refusedFields({ emails: Array.from({ length: 501 }, () => 'a@b') })).toEqual(['emails']);
    expect(await refusedFields({ callerRole: Role.UNSPECIFIED, callerId: 'me' })).toEqual(['caller_id', 'caller_role']);
  });
});
