import type { AppError } from '#libs/errors';

/** A running call that can be ended from outside. */
export interface EndableCall {
  /** Whether it may stay open for as long as its client likes. */
  stream: boolean;
  /** Whose connection it came on: address:port. */
  peer: string;
  abort(reason: AppError): void;
}

/** The calls that a server is busy with, to end them at shutdown. */
export interface OpenCalls {
  add(call: EndableCall): void;
  remove(call: EndableCall): void;
  /** Ends the streams, which would never end by themselves; calls with one answer go on. */
  abortStreams(reason: AppError): void;
  abortPeer(peer: string, reason: AppError): void;
  abortAll(reason: AppError): void;
}

export function createOpenCalls(): OpenCalls {
  const calls = new Set<EndableCall>();
  const abort = (which: (call: EndableCall) => boolean, reason: AppError): void => {
    for (const call of [...calls].filter(which)) call.abort(reason);
  };
  return {
    add: (call) => void calls.add(call),
    remove: (call) => void calls.delete(call),
    abortStreams: (reason) => abort((call) => call.stream, reason),
    abortPeer: (peer, reason) => abort((call) => call.peer === peer, reason),
    abortAll: (reason) => abort(() => true, reason),
  };
}
