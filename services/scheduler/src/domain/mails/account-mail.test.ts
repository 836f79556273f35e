import { GetMailResponse, MailKind } from '#contract/auth/v1/auth';
import { describe, expect, it } from '@jest/globals';
import { writeAccountMail } from './account-mail.ts';
import type { OutgoingMail } from './mail-sender.ts';
import { wordingFor } from './wording.ts';

const none = { site: undefined, unsubscribeAddress: undefined };
const links = { site: 'https://tasks.example.com', unsubscribeAddress: 'stop@example.com' };
const berlin = { locale: 'de-DE', timeZone: 'Europe/Berlin' };
const token = 'tfr_a+b/c';
const expireTime = new Date('2026-07-01T10:15:00Z');

function write(fields: Partial<GetMailResponse>, to = links as typeof links | typeof none): OutgoingMail | undefined {
  const mail = GetMailResponse.fromPartial({ recipientEmail: 'ada@example.com', expireTime, ...fields });
  return writeAccountMail({ mailId: 'm', mail, profileName: 'Ada', wording: wordingFor(berlin) }, to);
}

describe('a mail about an account', () => {
  it.each([
    [MailKind.PASSWORD_RESET, 'Set a new password', 'reset-password'],
    [MailKind.EMAIL_VERIFICATION, 'Confirm your e-mail address', 'verify-email'],
    [MailKind.INVITATION, 'You are invited to TaskFlow', 'invitation'],
    [MailKind.PROJECT_INVITATION, 'You are invited to a project in TaskFlow', 'project-invitation'],
    [MailKind.ACCOUNT_CREATED, 'Your TaskFlow account is ready', 'reset-password'],
  ])('%s has a link whose token no server of the site sees, and says until when', (kind, subject, page) => {
    const mail = write({ kind, token, inviterName: 'Grace' });
    const url = `https://tasks.example.com/${page}#token=tfr_a%2Bb%2Fc`;
    expect(mail).toMatchObject({ subject, to: { name: 'Ada', address: 'ada@example.com' }, unsubscribe: [] });
    expect(mail?.text).toContain(url);
    expect(mail?.html).toContain(`href="${url}"`);
    expect(mail?.text).toMatch(/Wednesday, (1 July|July 1,) 2026 at 12:15\sPM \(Europe\/Berlin\)/u);
    expect(kind !== MailKind.INVITATION || mail?.text.includes('Grace invites you')).toBe(true);
  });

  it('has the code itself where there is no site to link to', () => {
    const mail = write({ kind: MailKind.PASSWORD_RESET, token }, none);
    expect(mail?.text).toContain(`Your one-time code is: ${token}`);
    expect(mail?.text).not.toContain('http');
    expect(mail?.html).not.toContain('<a ');
  });

  it.each([
    [MailKind.PASSWORD_CHANGED, 'Your password was changed'],
    [MailKind.ACCOUNT_RECOVERED, 'Your password was reset'],
    [MailKind.EMAIL_CHANGE_REQUESTED, 'Your e-mail address is about to change'],
    [MailKind.EMAIL_CHANGED, 'Your e-mail address was changed'],
  ])('%s says when it happened, and what to do about it', (kind, subject) => {
    const newEmail =
      kind === MailKind.EMAIL_CHANGED || kind === MailKind.EMAIL_CHANGE_REQUESTED ? 'new@example.com' : '';
    const mail = write({ kind, eventTime: new Date('2026-07-01T10:15:00Z'), newEmail });
    expect(mail?.subject).toBe(subject);
    expect(mail?.text).toMatch(/2026 at 12:15\sPM/u);
    expect(mail?.text).toContain('If this was not you');
    expect(mail?.text).toContain(newEmail);
    expect(mail?.text).not.toContain('http');
  });

  it('says until when a deleted account can be taken back', () => {
    const [eventTime, purgeTime] = [new Date('2026-07-01T10:15:00Z'), new Date('2026-07-31T10:15:00Z')];
    const mail = write({ kind: MailKind.ACCOUNT_DELETED, eventTime, purgeTime });
    expect(mail?.subject).toBe('Your account was deleted');
    expect(mail?.text).toMatch(/(31 July|July 31,) 2026 at 12:15\sPM/u);
    expect(mail?.text).toContain('take the account back');
    expect(mail?.text).not.toContain('http');
  });

  it('greets by the name that auth knows, else by that of the profile, else by none', () => {
    const kind = MailKind.PASSWORD_CHANGED;
    expect(write({ kind, displayName: 'Countess' })?.text).toContain('Hello Countess,');
    expect(write({ kind })?.text).toContain('Hello Ada,');
    const mail = GetMailResponse.fromPartial({ kind });
    const toNobody = writeAccountMail({ mailId: 'm', mail, profileName: '', wording: wordingFor(berlin) }, links);
    expect(toNobody?.text).toContain('Hello,');
  });

  it('of a kind that this release does not know is none', () => {
    expect(write({ kind: MailKind.UNRECOGNIZED })).toBeUndefined();
  });
});
