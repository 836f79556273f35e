import { currentContext, isSampled, newCallId } from '#libs/runtime';
import { z } from 'zod';
import type { EnqueueOptions } from './definition.ts';

const envelope = z.object({
  payload: z.unknown(),
  callId: z.string().default(''),
  traceParent: z.string().default(''),
  links: z.array(z.string()).default([]),
});

/** More would tell nobody anything. */
const maxLinks = 32;

/** What Redis holds for a job. */
export type Envelope = z.output<typeof envelope>;

/** Puts a payload into its envelope; the ids are those given, else those of the running call. */
export function wrap(payload: unknown, options: EnqueueOptions): Envelope {
  const context = currentContext();
  return {
    payload,
    callId: options.callId ?? context?.callId ?? newCallId(),
    ...toTrace(options.traceParent ?? context?.traceParent ?? '', options.links ?? []),
  };
}

/** The trace that the job continues, a recorded one if there is any, and the other recorded ones. */
function toTrace(traceParent: string, links: readonly string[]): Pick<Envelope, 'traceParent' | 'links'> {
  const [first = traceParent, ...others] = new Set([traceParent, ...links].filter(isSampled));
  return { traceParent: first, links: others.slice(0, maxLinks) };
}

/** The envelope of a stored job; undefined when the data is none. */
export function unwrap(data: unknown): Envelope | undefined {
  return envelope.safeParse(data).data;
}
