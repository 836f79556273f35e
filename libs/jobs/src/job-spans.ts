import { endSpansAfter, startSpan, type SpanAttributes } from '#libs/runtime';
import type { Envelope } from './envelope.ts';

interface AddedJob {
  name: string;
  data: Envelope;
  opts: { jobId: string };
}

export function describeJob(queue: string, jobId: string): SpanAttributes {
  return { 'messaging.system': 'bullmq', 'messaging.destination.name': queue, 'messaging.message.id': jobId };
}

/** Adds jobs and records that in the trace of each; each job continues the recorded span. */
export async function recordEnqueue(
  queue: string,
  jobs: readonly AddedJob[],
  add: (jobs: AddedJob[]) => Promise<unknown>,
): Promise<void> {
  const added = jobs.map((job) => {
    const { traceParent: parent, links } = job.data;
    // '' would begin a trace. A job without a call is recorded when it runs.
    const span =
      parent === ''
        ? undefined
        : startSpan({
            name: `enqueue ${job.name}`,
            kind: 'producer',
            parent,
            links,
            attributes: describeJob(queue, job.opts.jobId),
          });
    return { span, job: span === undefined ? job : { ...job, data: { ...job.data, traceParent: span.traceParent } } };
  });
  const spans = added.map(({ span }) => span);
  await endSpansAfter(spans, () => add(added.map(({ job }) => job)));
}
