import { currentContext, isSampled, newRequestId } from '#libs/runtime';
import { z } from 'zod';
import type { EnqueueOptions } from './definition.ts';

const envelope = z.object({
  payload: z.unknown(),
  callId: z.string().default(''),
  traceParent: z.string().default(''),
  links: z.array(z.string()).default([]),
});

/** More links would help nobody. */
const maxLinks = 32;

/** What Redis holds for a job. */
export type Envelope = z.output<typeof envelope>;

/** Wraps a payload. Ids that the options do not give are those of the running call. */
export function wrap(payload: unknown, options: EnqueueOptions): Envelope {
  const context = currentContext();
  return {
    payload,
    callId: options.callId ?? context?.requestId ?? newRequestId(),
    ...toTrace(options.traceParent ?? context?.traceParent ?? '', options.links ?? []),
  };
}

/** The trace that the job continues, preferably a recorded one, and the other recorded ones. */
function toTrace(traceParent: string, links: readonly string[]): Pick<Envelope, 'traceParent' | 'links'> {
  const [first = traceParent, ...others] = new Set([traceParent, ...links].filter(isSampled));
  return { traceParent: first, links: others.slice(0, maxLinks) };
}

/** The envelope of a stored job; undefined when the data is not one. */
export function unwrap(data: unknown): Envelope | undefined {
  return envelope.safeParse(data).data;
}
