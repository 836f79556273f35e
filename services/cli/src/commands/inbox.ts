import { randomUUID } from 'node:crypto';
import type { Command } from 'commander';
import { create, itemsOf } from '#client/index';
import {
  ListNotificationsResponseSchema,
  MarkNotificationsReadResponseSchema,
  NotificationKind,
  TaskStatus,
  type Notification,
} from '#client/scheduler';
import { act, examples } from '../action.ts';
import type { Cli } from '../cli.ts';
import { readCount } from '../input/choices.ts';
import { resolveId, shortenAmong } from '../input/short-ids.ts';
import { renderTable } from '../output/table.ts';
import { oneLine, toWords } from '../output/text.ts';
import { showTime } from '../output/times.ts';

interface InboxOptions {
  unread?: boolean;
  limit: number;
}

async function take(cli: Cli, { unread = false, limit }: InboxOptions): Promise<Notification[]> {
  const found: Notification[] = [];
  const request = { unreadOnly: unread, pageSize: Math.min(limit, 100) };
  for await (const one of itemsOf(cli.taskflow.notifications.listNotifications, request)) {
    found.push(one);
    if (found.length === limit) break;
  }
  return found;
}

function describe({ kind, taskTitle, status, digestTaskCount }: Notification): string {
  const title = oneLine(taskTitle);
  if (kind === NotificationKind.STATUS_CHANGED) return `${title} is ${toWords(TaskStatus[status])}`;
  if (kind === NotificationKind.OVERDUE_DIGEST) return `${digestTaskCount} tasks are overdue`;
  return title;
}

const showInbox = (notifications: readonly Notification[], { zone }: Cli): string => {
  const shorten = shortenAmong(notifications.map(({ id }) => id));
  return notifications.length === 0
    ? 'nothing in the inbox'
    : renderTable(notifications, [
        { head: 'ID', cell: ({ id }) => shorten(id), style: () => 'dim' },
        { head: '', cell: ({ readTime }) => (readTime === undefined ? '*' : ''), style: () => 'yellow' },
        { head: 'WHEN', cell: ({ deliverTime }) => showTime(deliverTime, zone) },
        { head: 'WHAT', cell: ({ kind }) => toWords(NotificationKind[kind]) },
        { head: 'TASK', cell: describe, flexible: true },
      ]);
};

function registerListing(inbox: Command): void {
  const command = inbox
    .command('ls', { isDefault: true })
    .summary('list notifications, the latest first')
    .description('Lists your notifications, the latest first. A star marks what you have not read.')
    .option('--unread', 'only what you have not read')
    .option('--limit <count>', 'at most so many', readCount, 20);
  examples(command, 'taskflow inbox', 'taskflow inbox ls --unread --json');
  act<InboxOptions>(command, async (cli, { options }) => {
    const notifications = await take(cli, options);
    const list = create(ListNotificationsResponseSchema, { notifications });
    cli.out.answer(ListNotificationsResponseSchema, list, () => showInbox(notifications, cli));
  });
}

function registerReading(inbox: Command): void {
  const command = inbox
    .command('read')
    .summary('mark notifications as read')
    .description('Marks notifications as read: those that are named, or all of now.')
    .argument('[ids...]', 'of notifications, or beginnings or ends of them')
    .option('--all', 'all of them');
  examples(command, 'taskflow inbox read --all');
  act<{ all?: boolean }>(command, async (cli, { args, options: { all = false } }) => {
    if (all === args.length > 0) command.error('error: name notifications, or say --all');
    const { notifications } = cli.taskflow;
    const candidates = {
      noun: 'notification',
      read: async function* () {
        for await (const one of itemsOf(notifications.listNotifications, { pageSize: 100 }))
          yield { id: one.id, title: describe(one) };
      },
    };
    const notificationIds: string[] = [];
    for (const one of args) notificationIds.push(await resolveId(one, candidates));
    const answer = await notifications.markNotificationsRead({
      selection: all ? { case: 'all', value: {} } : { case: 'ids', value: { notificationIds } },
      requestId: randomUUID(),
    });
    cli.out.answer(MarkNotificationsReadResponseSchema, answer, () => `${answer.markedCount} marked as read`);
  });
}

export function registerInbox(program: Command): void {
  const inbox = program.command('inbox').summary('what you were notified of').description('What you were notified of.');
  registerListing(inbox);
  registerReading(inbox);
}
