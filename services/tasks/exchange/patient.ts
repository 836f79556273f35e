import type { DescMessage } from '@bufbuild/protobuf';
import { retried, type UnaryCall } from '#client/index';

/** How long programs wait for a service that is down. */
export const giveUpAfterMs = 60_000;

/** A call that is repeated while its service is down. */
export const patient = <I extends DescMessage, O extends DescMessage>(call: UnaryCall<I, O>): UnaryCall<I, O> =>
  retried(call, { forMs: giveUpAfterMs });
