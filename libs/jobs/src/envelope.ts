import { currentContext, newCallId } from '#libs/runtime';
import { z } from 'zod';
import type { EnqueueOptions } from './definition.ts';

const envelope = z.object({ payload: z.unknown(), callId: z.string().default(''), traceParent: z.string().default('') });

/** What Redis holds for a job. */
export type Envelope = z.output<typeof envelope>;

/** Puts a payload into its envelope; the ids are those given, else those of the running call. */
export function wrap(payload: unknown, options: EnqueueOptions): Envelope {
  const context = currentContext();
  return {
    payload,
    callId: options.callId ?? context?.callId ?? newCallId(),
    traceParent: options.traceParent ?? context?.traceParent ?? '',
  };
}

/** The envelope of a stored job; undefined when the data is none. */
export function unwrap(data: unknown): Envelope | undefined {
  return envelope.safeParse(data).data;
}
