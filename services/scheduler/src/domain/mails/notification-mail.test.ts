import { NotificationKind } from '#contract/scheduler/v1/notifications';
import { TaskStatus } from '#contract/scheduler/v1/task_types';
import { describe, expect, it } from '@jest/globals';
import type { OutgoingMail } from './mail-sender.ts';
import { writeNotificationMail, type MailedNotification, type NotificationMail } from './notification-mail.ts';
import { wordingFor } from './wording.ts';

const links = { site: 'https://tasks.example.com', unsubscribeAddress: undefined };
const inLondon = { locale: 'en-GB', timeZone: 'Europe/London' };

const notification = (fields: Partial<MailedNotification>): MailedNotification => ({
  id: 'n',
  recipientId: 'r',
  kind: NotificationKind.ASSIGNED,
  taskId: 't',
  taskTitle: 'Buy milk',
  dueTime: null,
  dueVersion: 1n,
  previousStatus: TaskStatus.UNSPECIFIED,
  status: TaskStatus.UNSPECIFIED,
  actor: 'a',
  digestTaskCount: 0,
  ...fields,
});

function write(fields: Partial<MailedNotification>, more: Partial<NotificationMail> = {}): OutgoingMail {
  const source = {
    mailId: 'm',
    notification: notification(fields),
    members: [],
    actorName: 'Bob',
    to: { name: 'Ada', address: 'ada@example.com' },
    wording: wordingFor(inLondon),
    ...more,
  };
  const mail = writeNotificationMail(source, links);
  if (mail === undefined) throw new Error('no mail is written for this kind');
  return mail;
}

describe('a mail about a notification', () => {
  it('tells what each kind of notification tells', () => {
    const changed = { previousStatus: TaskStatus.IN_PROGRESS, status: TaskStatus.COMPLETED };
    expect(write({ kind: NotificationKind.STATUS_CHANGED, ...changed }).text).toContain(
      'Bob changed “Buy milk” from in progress to completed.',
    );
    expect(write({ kind: NotificationKind.ASSIGNED }, { actorName: '' }).text).toContain(
      'Somebody assigned “Buy milk” to you.',
    );
    const disabled = write({ kind: NotificationKind.WEBHOOK_DISABLED, taskId: null, taskTitle: '' });
    expect(disabled).toMatchObject({ subject: 'One of your webhooks was switched off' });
    expect(disabled.text).toContain('https://tasks.example.com/inbox');
    expect(disabled.unsubscribe).toEqual(['https://tasks.example.com/settings']);
  });

  it('calls a task that was due on a day by that day, and others by the minute', () => {
    const kind = NotificationKind.OVERDUE;
    const endOfDay = write({ kind, dueTime: new Date('2026-01-30T00:00:00Z') });
    expect(endOfDay.text).toMatch(/was due on Thursday,? 29 January 2026\./);
    const minute = write({ kind, dueTime: new Date('2026-01-30T00:01:00Z') });
    expect(minute.text).toMatch(/was due on Friday,? 30 January 2026 at 00:01 \(Europe\/London\)\./);
    expect(write({ kind, dueTime: null }).text).toContain('“Buy milk” is overdue.');
  });

  it('of a digest lists the first tasks and counts the others', () => {
    const members = [
      { taskTitle: 'One', dueTime: null },
      { taskTitle: 'Two', dueTime: null },
    ];
    const digest = write({ kind: NotificationKind.OVERDUE, digestTaskCount: 12 }, { members });
    expect(digest.subject).toBe('12 tasks are overdue');
    expect(digest.text).toContain('- “One”\n- “Two”\n- and 10 more\n');
    expect(digest.html).toContain('<li>“Two”</li>');
  });

  it('shows text of users as text: no markup, header, line or direction of theirs', () => {
    const title = 'a <script>alert("1")</script>\r\nBcc: eve@example.com\u2028\u202Egnirts & \'x\'';
    const mail = write(
      { taskTitle: title },
      { actorName: '<img src=x>\nBob', to: { name: 'A\r\nB', address: 'a@b.c' } },
    );
    expect(mail.subject).toBe('Assigned to you: a <script>alert("1")</script> Bcc: eve@example.com gnirts & \'x\'');
    expect(mail.to.name).toBe('A B');
    expect(mail.html).not.toMatch(/<script|<img/);
    expect(mail.html).toContain('&lt;img src=x&gt; Bob assigned “a &lt;script&gt;alert(&quot;1&quot;)');
  });

  it('cuts long titles between characters, and keeps words around a right-to-left title in order', () => {
    const family = '👨‍👩‍👧‍👦';
    const { subject } = write({ taskTitle: family.repeat(500) });
    expect(subject).toBe(`Assigned to you: ${family.repeat(199)}…`);
    expect(write({ taskTitle: 'قائمة' }).subject).toBe('Assigned to you: \u2068قائمة\u2069');
  });

  it.each(['xx-YY', 'pt-BR', 'en', ''])(
    'is in English, the only language yet, for somebody of the locale "%s"',
    (locale) => {
      const wording = wordingFor({ locale, timeZone: 'Nowhere/Else' });
      expect(wording.language).toBe('en');
      expect(wording.formatTime(new Date('2026-01-30T12:00:00Z'))).toMatch(/^Friday, .*\(UTC\)$/);
    },
  );
});
