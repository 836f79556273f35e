import { AppError } from '#libs/errors';
import { backoffMs, crashPoint, sleep } from '#libs/runtime';
import type { MailDeps, SchedulerDeps } from '../../deps.ts';
import { nextAttempt } from '../../domain/jobs/retries.ts';
import type { MailOutcome } from '../../domain/jobs/metrics.port.ts';
import type { MailAnswer } from '../../domain/mails/mail-sender.ts';
import type { RunningMail } from '../../domain/mails/mail.reader.ts';
import type { MailEnd, MailRun } from '../../domain/mails/mail.repository.ts';
import { writeMail, type WrittenMail } from './write-mail.ts';

type Deps = Pick<SchedulerDeps, 'uow' | 'tasks' | 'users' | 'mail' | 'clock' | 'metrics' | 'newId' | 'logger'>;

/** While the server is away, mails are tried this often: it is not their fault, and people wait for them. */
const longestOutagePauseMs = 60_000;

const inDoubt =
  'the mail server may have accepted the mail, but its answer was lost; a retry may send it a second time';

/** An attempt that has begun. */
interface Attempt {
  run: MailRun;
  number: number;
  firstAttemptTime: Date;
}

/**
 * Sends a mail at most once. The state in-doubt is committed immediately before the end of the message is written: without it
 * the server has accepted nothing, and with it only the server knows. So a mail that is found in doubt is not sent again but
 * left to an administrator. Retries are decided here and kept in PostgreSQL.
 */
export async function sendMail(deps: Deps, run: MailRun, signal: AbortSignal): Promise<void> {
  const { uow, mail } = deps;
  // A job from before mails were switched off.
  if (mail === undefined) return void (await uow.run(({ mails }) => mails.release([run.jobId])));
  const running = await mail.read.running(run);
  if (running === undefined) return;
  if (running.state === 'in-doubt') return giveUp(deps, run, running.attempts, { error: inDoubt, code: undefined });
  const written = await writeMail(deps, mail, running);
  if (written === undefined) return dropStale(deps, running);
  const attempt = await begin(deps, run, { mail, running, written });
  if (attempt === undefined) return;
  crashPoint('mail.before-message');
  const startedAt = performance.now();
  const answer = await send(deps, mail, { attempt, written, signal });
  if (answer === undefined) return;
  crashPoint('mail.after-answer');
  const outcome = await insist(signal, () => record(deps, mail, attempt, answer));
  crashPoint('mail.after-record');
  deps.metrics.mailTried(outcome, performance.now() - startedAt);
}

async function dropStale({ uow, metrics }: Deps, { id, attempts }: RunningMail): Promise<void> {
  const stale: MailEnd = { state: 'stale', code: undefined, error: '', retryTime: undefined };
  if (await uow.run(({ mails }) => mails.end(id, attempts, stale))) metrics.mailTried('stale', 0);
}

interface Beginning {
  mail: MailDeps;
  running: RunningMail;
  written: WrittenMail;
}

/** Undefined: not now, or not by this job. */
async function begin({ uow, metrics }: Deps, run: MailRun, of: Beginning): Promise<Attempt | undefined> {
  const { mail, running, written } = of;
  // Somebody waits for a mail about the account in front of a screen; how many of those there are is limited by auth.
  const maxPerHour = running.notificationId === null ? undefined : mail.maxPerHour;
  const { recipientId } = written;
  const begun = await uow.run(({ mails }) => mails.begin(run, { attempts: running.attempts, recipientId, maxPerHour }));
  if (begun.outcome === 'postponed') metrics.mailTried('postponed', 0);
  if (begun.outcome !== 'begun') return undefined;
  return { run, number: begun.attempts, firstAttemptTime: begun.firstAttemptTime };
}

interface Sending {
  attempt: Attempt;
  written: WrittenMail;
  signal: AbortSignal;
}

/** Undefined when another job sends the mail: this process was frozen. */
async function send(
  { uow }: Deps,
  { sender }: MailDeps,
  { attempt: { run, number }, written, signal }: Sending,
): Promise<MailAnswer | undefined> {
  let isOurs = true;
  const beforeEnd = async (): Promise<void> => {
    crashPoint('mail.before-doubt');
    isOurs = await uow.run(({ mails }) => mails.doubt(run, number));
    if (!isOurs) throw new Error('another job sends this mail');
    crashPoint('mail.after-doubt');
  };
  try {
    return await sender.send(written.mail, { signal, beforeEnd });
  } catch (error) {
    if (isOurs) throw error;
    return undefined;
  }
}

/** Without a record of the answer the mail would be in doubt: so a database that is away for a moment is asked again. */
async function insist<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
  for (let failures = 1; ; failures += 1) {
    try {
      return await work();
    } catch (error) {
      if (signal.aborted || !(error instanceof AppError)) throw error;
      await sleep(backoffMs({ firstMs: 100, maxMs: 5_000 }, failures), signal);
    }
  }
}

async function record(deps: Deps, mail: MailDeps, attempt: Attempt, answer: MailAnswer): Promise<MailOutcome> {
  const { run, number } = attempt;
  const { code, error } = answer;
  const end = (state: MailEnd['state'], retryTime?: Date): Promise<boolean> =>
    deps.uow.run(({ mails }) => mails.end(run.mailId, number, { state, code, error, retryTime }));
  if (answer.outcome === 'accepted') {
    await end('sent');
    return 'sent';
  }
  const retryTime = retryTimeOf(deps, mail, attempt, answer);
  if (retryTime !== undefined) {
    await end('pending', retryTime);
    return 'failed';
  }
  const isUnknown = answer.outcome === 'unknown';
  await giveUp(deps, run, number, { error: isUnknown ? `${inDoubt} (${error})` : error, code });
  return isUnknown ? 'unknown' : 'dead';
}

/** Undefined: it is not tried again. */
function retryTimeOf(
  { clock }: Deps,
  { retries }: MailDeps,
  { firstAttemptTime: firstAttempt }: Attempt,
  { outcome, isPermanent }: MailAnswer,
): Date | undefined {
  if (isPermanent || outcome === 'unknown') return undefined;
  const failure = { firstAttempt, now: clock.now(), retryAfterMs: undefined };
  return nextAttempt(
    failure,
    outcome === 'unreachable' ? { ...retries, longestPauseMs: longestOutagePauseMs } : retries,
  );
}

/** Ends the mail as a dead letter, in one transaction. */
async function giveUp(
  { uow, newId }: Deps,
  { mailId, jobId }: MailRun,
  attempts: number,
  { code, error }: Pick<MailEnd, 'code' | 'error'>,
): Promise<void> {
  await uow.run(async ({ mails, deadLetters }) => {
    const isOurs = await mails.end(mailId, attempts, { state: 'dead', code, error, retryTime: undefined });
    if (!isOurs) return;
    await deadLetters.add({
      id: newId(),
      queue: 'mails',
      name: 'send-mail',
      jobId,
      payload: { mailId },
      error,
      attemptCount: attempts,
      requestId: '',
      failures: [],
    });
  });
}
