import type { AppError } from '#libs/errors';

/** A running call that can be ended from outside. */
interface EndableCall {
  /** Whether its client may keep it open for ever. */
  stream: boolean;
  /** The address:port of its connection. */
  peer: string;
  abort(reason: AppError): void;
}

/** The running calls of a server. */
export interface OpenCalls {
  add(call: EndableCall): void;
  remove(call: EndableCall): void;
  /** Ends the streams, which do not end by themselves. Unary calls go on. */
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
