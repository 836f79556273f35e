import { NotificationKind } from '#contract/scheduler/v1/notifications';
import type { SchedulerDeps } from '../../deps.ts';
import type { DueDelivery, RunningWebhook } from '../../domain/webhooks/webhook.reader.ts';
import type { WebhookAnswer } from '../../domain/webhooks/webhook-sender.ts';
import { disableIn } from './disable-webhook.ts';
import { readOn, type Access } from './read-on.ts';
import { isStale } from '../../domain/notifications/staleness.ts';
import { signMessage, writeBody } from '../../domain/webhooks/webhook-message.ts';
import { endpointPauseMs, nextAttempt } from '../../domain/jobs/retries.ts';
import type { BegunAttempt, WebhookRun } from '../../domain/webhooks/webhook-run.repository.ts';

type Deps = Pick<SchedulerDeps, 'uow' | 'webhooks' | 'mail' | 'tasks' | 'clock' | 'metrics' | 'newId'>;

/** One job sends for this long; another job continues, so that a busy webhook does not keep a slot. */
const shareMs = 20_000;
const pageSize = 20;
/** Consecutive failures after which the endpoint gets a pause. */
const failuresToStop = 2;
const gone = 410;

/** No message is sent of what its owner may not see any more, judged so long ago at most. */
const accessMs = 2_000;

interface Progress {
  run: WebhookRun;
  webhook: RunningWebhook;
  /** Undefined: the webhook is sent nothing of what happens. */
  access: Access | undefined;
  /** Of `performance.now`. */
  endsAt: number;
  failures: number;
  signal: AbortSignal;
}

/**
 * Sends the due deliveries of one webhook, one after the other, each recorded before and after. Retries are decided here and
 * kept in PostgreSQL; the job itself fails only by a defect of this program.
 */
export async function runWebhook(deps: Deps, run: WebhookRun, signal: AbortSignal): Promise<void> {
  const webhook = await deps.webhooks.read.running(run);
  if (webhook === undefined) return;
  const progress: Progress = {
    run,
    webhook,
    access: undefined,
    endsAt: performance.now() + shareMs,
    failures: 0,
    signal,
  };
  while (await sendPage(deps, progress)) signal.throwIfAborted();
  const failingForMs = deps.clock.now().getTime() - (webhook.failingStartTime ?? deps.clock.now()).getTime();
  const pauseMs = progress.failures >= failuresToStop ? endpointPauseMs(failingForMs, deps.webhooks.retries) : 0;
  await deps.uow.run(({ webhookRuns }) => webhookRuns.finish(run, pauseMs));
}

/** Whether there may be more to do. */
async function sendPage(deps: Deps, progress: Progress): Promise<boolean> {
  if (!(await refresh(deps, progress))) return false;
  const due = await deps.webhooks.read.due(progress.run.webhookId, pageSize);
  const current = await dropStale(deps, progress, due);
  for (const delivery of current) {
    if (progress.failures >= failuresToStop || performance.now() > progress.endsAt) return false;
    if (!(await refresh(deps, progress))) return false;
    // Access has ended since the page was read; the next page drops it.
    if (!maySee(progress, delivery)) continue;
    if (!(await attempt(deps, progress, delivery))) return false;
  }
  return due.length > 0;
}

/** Reads on and judges access when that was too long ago. False when the job must stop. */
async function refresh(deps: Deps, progress: Progress): Promise<boolean> {
  const { webhook, access, run } = progress;
  if (!webhook.readsLog) return true;
  if (access !== undefined && performance.now() - access.judgedAt < accessMs) return true;
  progress.access = await readOn(deps, run);
  return progress.access !== undefined;
}

const maySee = ({ access }: Progress, { projectId, otherProjectId }: DueDelivery): boolean =>
  [projectId, otherProjectId].every((id) => id === null || access?.projectIds.has(id) === true);

/** An overdue task may have changed since, and access may have ended; a change of a task stays true. */
async function dropStale({ tasks, uow }: Deps, progress: Progress, due: DueDelivery[]): Promise<DueDelivery[]> {
  const { ownerId } = progress.webhook;
  const overdue = due.filter(
    ({ kind, notification }) => kind === NotificationKind.OVERDUE && notification !== undefined,
  );
  const states =
    overdue.length === 0
      ? new Map()
      : await tasks.states(overdue.map(({ notification }) => notification?.taskId ?? ''));
  const isOver = ({ notification, dueVersion }: DueDelivery): boolean =>
    notification !== undefined &&
    isStale(
      { kind: NotificationKind.OVERDUE, recipientId: ownerId, dueVersion, status: notification.status },
      states.get(notification.taskId),
    );
  const staleIds = due
    .filter((delivery) => !maySee(progress, delivery) || (overdue.includes(delivery) && isOver(delivery)))
    .map(({ id }) => id);
  const lostIds = due
    .filter(({ body, notification }) => body === null && notification === undefined)
    .map(({ id }) => id);
  await uow.run(async ({ webhookRuns }) => {
    if (staleIds.length > 0) await webhookRuns.drop(staleIds, { state: 'stale', error: '' });
    if (lostIds.length > 0)
      await webhookRuns.drop(lostIds, { state: 'dead', error: 'what it was about is no longer kept' });
  });
  return due.filter(({ id }) => !staleIds.includes(id) && !lostIds.includes(id));
}

/** False when this job must stop, since the webhook is no longer its own. */
async function attempt(deps: Deps, progress: Progress, delivery: DueDelivery): Promise<boolean> {
  const { run, webhook, signal } = progress;
  const body =
    delivery.body ?? (delivery.notification === undefined ? '' : writeBody(delivery.notification, webhook.ownerId));
  const begun = await deps.uow.run(({ webhookRuns }) =>
    webhookRuns.begin(run, { id: delivery.id, attempts: delivery.attemptCount, body }),
  );
  if (begun === undefined) return (await deps.webhooks.read.running(run)) !== undefined;
  const secrets = webhook.sealedSecrets.map((sealed) => deps.webhooks.cipher.open(sealed, run.webhookId));
  const headers = signMessage(secrets, { id: delivery.messageId, body: begun.body }, deps.clock.now());
  const answer = await deps.webhooks.sender.send({ url: webhook.url, headers, body: begun.body }, signal);
  progress.failures = answer.error === '' ? 0 : progress.failures + 1;
  return record(deps, run, { delivery, begun, answer });
}

interface Attempted {
  delivery: DueDelivery;
  begun: BegunAttempt;
  answer: WebhookAnswer;
}

async function record(deps: Deps, run: WebhookRun, { delivery, begun, answer }: Attempted): Promise<boolean> {
  const { uow, clock, webhooks, metrics, newId } = deps;
  const { statusCode, error, durationMs, retryAfterMs } = answer;
  const retryTime =
    error === ''
      ? undefined
      : nextAttempt({ firstAttempt: begun.firstAttemptTime, now: clock.now(), retryAfterMs }, webhooks.retries);
  const ended = await uow.run(async ({ webhookRuns, deadLetters, mails }) => {
    const { gaveUp, failsThroughout } = await webhookRuns.end(run, {
      deliveryId: delivery.id,
      number: begun.number,
      durationMs,
      statusCode,
      error,
      retryTime,
    });
    if (gaveUp) {
      const payload = { webhookId: run.webhookId, deliveryId: delivery.id };
      await deadLetters.add({
        id: newId(),
        queue: 'webhooks',
        name: 'deliver-webhooks',
        jobId: `${delivery.id}-${begun.number}`,
        payload,
        error,
        attemptCount: begun.number,
        requestId: '',
        failures: [],
      });
    }
    const reason =
      statusCode === gone
        ? 'the endpoint answered 410: it is gone'
        : `nothing arrived since ${begun.firstAttemptTime.toISOString()}; last: ${error}`;
    const disabled = error !== '' && (statusCode === gone || (gaveUp && failsThroughout));
    if (disabled)
      await disableIn({ webhookRuns, mails }, deps.mail !== undefined, { webhookId: run.webhookId, reason });
    return { gaveUp, disabled };
  });
  metrics.webhookTried(error === '' ? 'delivered' : ended.gaveUp ? 'dead' : 'failed', durationMs);
  return !ended.disabled;
}
