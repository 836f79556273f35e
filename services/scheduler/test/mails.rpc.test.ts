import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { MailKind } from '#contract/scheduler/v1/mails';
import { invalidFields } from '#dev/testing';
import { startScheduler, type TestScheduler } from './start-scheduler.ts';

let service: TestScheduler;
beforeAll(async () => {
  service = await startScheduler();
});
afterAll(() => service?.stop());

describe('HandOverMail', () => {
  it('keeps a mail once, however often it is handed over', async () => {
    const auth = await service.asService('auth');
    const mail = { mailId: randomUUID(), kind: MailKind.PASSWORD_RESET };
    await Promise.all(Array.from({ length: 5 }, () => service.internalMails.handOverMail(mail, auth)));
    await service.internalMails.handOverMail({ ...mail, kind: MailKind.INVITATION }, auth);
    const rows = await service.sql('select kind, recipient_id from mails where id = $1', [mail.mailId]);
    expect(rows).toEqual([{ kind: 1, recipient_id: null }]);
  });

  it('names every wrong field at once', async () => {
    const auth = await service.asService('auth');
    const call = (mailId: string, kind: MailKind) =>
      invalidFields(service.internalMails.handOverMail({ mailId, kind }, auth));
    expect(await call('1', MailKind.UNSPECIFIED)).toEqual(['mail_id', 'kind']);
    expect(await call(randomUUID(), MailKind.UNRECOGNIZED)).toEqual(['kind']);
  });
});
