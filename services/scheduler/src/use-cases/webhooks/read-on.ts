import { AppError } from '#libs/errors';
import type { Position } from '#libs/events';
import { crashPoint } from '#libs/runtime';
import type { SchedulerDeps } from '../../deps.ts';
import type { EventType } from '../../domain/webhooks/event-types.ts';
import type { Happening, HappeningsPage, LogReader } from '../../domain/webhooks/happening.ts';
import type { EventMessage, ReadingWebhook } from '../../domain/webhooks/webhook-feed.repository.ts';
import { writeEventBody, writeRestoredBody } from '../../domain/webhooks/webhook-message.ts';
import type { WebhookRun } from '../../domain/webhooks/webhook-run.repository.ts';
import { disableWebhook } from './disable-webhook.ts';

type Deps = Pick<SchedulerDeps, 'uow' | 'tasks' | 'mail' | 'clock'>;

const pageSize = 100;

/** What the owner of a webhook may be told, and when that was judged. */
export interface Access {
  projectIds: ReadonlySet<string>;
  /** Of `performance.now`. */
  judgedAt: number;
}

/**
 * Stores what happened since the webhook last read, as far as there is room, and judges what its owner may be told.
 * Undefined when the job must stop: the webhook is no longer its own, or was disabled because its owner may not read the
 * project any more.
 */
export async function readOn(deps: Deps, run: WebhookRun): Promise<Access | undefined> {
  for (;;) {
    const judgedAt = performance.now();
    const webhook = await deps.uow.run(({ webhookFeeds }) => webhookFeeds.begin(run));
    if (webhook === undefined) return undefined;
    const isReading = webhook.unread && webhook.room > 0;
    const answer = await unlessRefused(() => (isReading ? read(deps, run, webhook) : judge(deps, webhook)));
    if (answer === undefined) {
      await disableWebhook(deps, run.webhookId, 'its owner does not manage the project any more');
      return undefined;
    }
    const { projectIds, page } = answer;
    const more = page !== undefined && (await store(deps, run, { webhook, page })).more;
    if (!more) return { projectIds: new Set(projectIds), judgedAt };
  }
}

interface Answer {
  projectIds: string[];
  page?: HappeningsPage;
}

async function judge({ tasks }: Deps, { reader }: ReadingWebhook): Promise<Answer> {
  return { projectIds: (await tasks.findPosition(reader)).projectIds };
}

async function read(deps: Deps, run: WebhookRun, webhook: ReadingWebhook): Promise<Answer> {
  const { reader, after, room } = webhook;
  const page = await deps.tasks.readHappenings(reader, after, Math.min(room, pageSize));
  const { projectIds } = page;
  if (!page.restored) return { projectIds, page };
  return { projectIds, page: { ...page, next: await findPlace(deps, run, webhook), more: true } };
}

/**
 * Where to go on in a log that was put back: behind the latest of what the webhook was sent that the log still has. What
 * it was sent before is there as well, so its place is found by halving.
 */
async function findPlace(deps: Deps, { webhookId }: WebhookRun, webhook: ReadingWebhook): Promise<Position> {
  const { tasks, uow } = deps;
  const sentAt = (offset: number) => uow.run(({ webhookFeeds }) => webhookFeeds.findSent(webhookId, offset));
  let [lost, kept] = [-1, 0];
  let found: Position | undefined;
  for (let place = await sentAt(kept); place !== undefined; place = await sentAt(kept)) {
    if (await has(tasks, webhook.reader, place)) {
      found = place;
      break;
    }
    [lost, kept] = [kept, 2 * kept + 1];
  }
  while (found !== undefined && kept - lost > 1) {
    const middle = Math.floor((lost + kept) / 2);
    const place = await sentAt(middle);
    const isKept = place !== undefined && (await has(tasks, webhook.reader, place));
    if (isKept) [kept, found] = [middle, place];
    else lost = middle;
  }
  return found ?? (await tasks.findPosition(webhook.reader, { time: webhook.createTime })).position;
}

async function has(tasks: Deps['tasks'], reader: LogReader, event: Position): Promise<boolean> {
  try {
    await tasks.findPosition(reader, { event });
    return true;
  } catch (error) {
    if (error instanceof AppError && error.reason === 'LOG_RESTORED') return false;
    throw error;
  }
}

const refusals: ReadonlySet<string> = new Set(['PROJECT_NOT_FOUND', 'ROLE_REQUIRED']);

async function unlessRefused<T>(ask: () => Promise<T>): Promise<T | undefined> {
  try {
    return await ask();
  } catch (error) {
    if (error instanceof AppError && refusals.has(error.reason)) return undefined;
    throw error;
  }
}

async function store(
  { uow, clock }: Deps,
  run: WebhookRun,
  { webhook, page }: { webhook: ReadingWebhook; page: HappeningsPage },
): Promise<{ more: boolean }> {
  const { next, more } = page;
  const messages = page.happenings.flatMap((happening) => toMessage(webhook, happening) ?? []);
  const deletedComments = page.happenings.flatMap(({ taskId, deletedCommentId: commentId }) =>
    commentId === '' ? [] : [{ taskId, commentId }],
  );
  const restored = page.restored ? writeRestoredBody(run.webhookId, clock.now()) : undefined;
  const isStored = await uow.run(async ({ webhookFeeds }) => {
    const stored = await webhookFeeds.store(run, webhook, { messages, deletedComments, next, more, restored });
    crashPoint('read-webhook.before-commit');
    return stored;
  });
  crashPoint('read-webhook.after-commit');
  // One that was set back meanwhile reads from there.
  return { more: more || !isStored };
}

function toMessage({ events }: ReadingWebhook, happening: Happening): EventMessage | undefined {
  const eventType = happening.types.find((type: EventType) => events.includes(type));
  if (eventType === undefined) return undefined;
  const { position, subjectId, taskId, version, projectId, otherProjectId } = happening;
  const body = writeEventBody(eventType, happening);
  return { eventType, position, subjectId, taskId, version, projectId, otherProjectId, body };
}
