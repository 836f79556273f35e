import { inSpan, runInBackground, type CallContext, type Logger } from '#libs/runtime';
import type { JobDefinition } from './definition.ts';
import type { Envelope } from './envelope.ts';
import { describeJob } from './job-spans.ts';

/** What a handler knows about its run in addition to the payload. */
export interface JobRun {
  jobId: string;
  /** 1 for the first attempt; postponed runs do not count. */
  attempt: number;
  /** How often the job was started, postponed and interrupted runs included. */
  starts: number;
  callId: string;
  /** Fires when the attempt's time is over or the process stops. */
  signal: AbortSignal;
}

export type JobHandler = (payload: unknown, run: JobRun) => Promise<void>;

export interface Attempt {
  queue: string;
  definition: JobDefinition;
  handler: JobHandler;
  payload: unknown;
  envelope: Envelope;
  run: Omit<JobRun, 'callId' | 'signal'>;
  logger: Logger;
  /** Fires when the process stops and cannot wait any longer. */
  stopping: AbortSignal;
  /** Receives the ids that the attempt runs under, before it runs. */
  onStart?: (context: Pick<CallContext, 'requestId' | 'traceParent'>) => void;
}

/** How long a handler may take to stop after its signal fired, before another job gets its slot. */
const noticeMs = 1_000;

/** Rejects a while after the signal fired, for handlers that ignore it. */
function rejectAfter(signal: AbortSignal): { promise: Promise<never>; cancel(): void } {
  let timer: NodeJS.Timeout | undefined;
  let onAbort = () => undefined as void;
  const promise = new Promise<never>((_, reject) => {
    onAbort = () => {
      timer = setTimeout(() => reject(signal.reason as Error), noticeMs);
    };
    if (signal.aborted) onAbort();
    else signal.addEventListener('abort', onAbort, { once: true });
  });
  promise.catch(() => undefined);
  return {
    promise,
    cancel: () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
    },
  };
}

/** Runs one attempt in a context of its own that continues the producer's call. Rejects with the handler's error. */
export async function runAttempt(attempt: Attempt): Promise<void> {
  const { definition, envelope, logger, stopping } = attempt;
  const background = {
    name: definition.name,
    logger,
    timeoutMs: definition.timeoutMs,
    signal: stopping,
    requestId: envelope.callId === '' ? undefined : envelope.callId,
    traceParent: envelope.traceParent === '' ? undefined : envelope.traceParent,
  };
  const span = {
    name: `run ${definition.name}`,
    kind: 'consumer' as const,
    parent: envelope.traceParent,
    links: envelope.links,
    attributes: {
      ...describeJob(attempt.queue, attempt.run.jobId),
      'taskflow.job.attempt': attempt.run.attempt,
      'taskflow.job.starts': attempt.run.starts,
    },
  };
  const perform = async (context: CallContext): Promise<void> => {
    const limit = rejectAfter(context.signal);
    try {
      const run = { ...attempt.run, callId: context.requestId, signal: context.signal };
      await Promise.race([attempt.handler(attempt.payload, run), limit.promise]);
    } finally {
      limit.cancel();
    }
  };
  await runInBackground(background, (context) =>
    inSpan(span, (active) => {
      attempt.onStart?.({ requestId: context.requestId, traceParent: active?.traceParent ?? context.traceParent });
      return perform(context);
    }),
  );
}
