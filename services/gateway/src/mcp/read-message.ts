import { AppError } from '#libs/errors';
import { scanJson } from '#libs/json';
import { HeadFault } from '../http/call-head.ts';

/** A message of JSON-RPC, as far as the gateway looks at it. */
export interface RpcMessage {
  method?: unknown;
}

const malformed = (message: string): AppError => new AppError('invalid_argument', 'MALFORMED_REQUEST', message);

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new HeadFault(malformed('the request is not valid JSON'));
  }
}

/** Throws HeadFault. */
export function readMessage(body: Buffer): RpcMessage {
  const text = body.toString('utf8');
  const message = parse(text);
  if (scanJson(text).isTooDeep) throw new HeadFault(malformed('the JSON is nested too deeply'));
  // A batch could hold more calls than any limit of requests foresees. The protocol has none since 2025-06-18.
  if (typeof message !== 'object' || message === null || Array.isArray(message))
    throw new HeadFault(malformed('the request must be one message of JSON-RPC, not a batch'));
  return message;
}
