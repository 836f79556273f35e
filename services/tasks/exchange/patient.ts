import type { DescMessage } from '@bufbuild/protobuf';
import { retried, type RetryOptions, type UnaryCall } from '#client/index';

/** Shorter waits are not worth a line. */
const toldMs = 3_000;

/** How programs repeat calls while a service is down or has too much to do. Longer waits are told on standard error. */
export const whileBusy: RetryOptions = {
  forMs: 60_000,
  onWait: (waitMs, { reason, code }) => {
    // The first characters remove the line of progress.
    const beginning = process.stderr.isTTY ? '\r\u001b[K' : '';
    if (waitMs >= toldMs)
      process.stderr.write(`${beginning}waiting ${Math.ceil(waitMs / 1000)} s: ${reason ?? code}\n`);
  },
};

/** A call that is repeated while its service is down. */
export const patient = <I extends DescMessage, O extends DescMessage>(call: UnaryCall<I, O>): UnaryCall<I, O> =>
  retried(call, whileBusy);
