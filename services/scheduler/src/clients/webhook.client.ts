import { lookup as systemLookup, type LookupAddress, type LookupOptions } from 'node:dns';
import { request as requestHttp, type IncomingMessage, type RequestOptions } from 'node:http';
import { request as requestHttps } from 'node:https';
import { assertNoOpenTransaction } from '#libs/runtime';
import type { WebhookAnswer, WebhookRequest, WebhookSender } from '../domain/webhooks/webhook-sender.ts';
import { findUrlFault, isAllowedAddress, type TargetRules } from '../domain/webhooks/webhook-target.ts';
import { readRetryAfter } from './retry-after.ts';

/** Like the lookup of node:dns, always for all addresses of a name. */
export type Lookup = (
  hostname: string,
  options: LookupOptions & { all: true },
  callback: (error: NodeJS.ErrnoException | null, addresses: LookupAddress[]) => void,
) => void;

export interface WebhookSenderOptions {
  rules: TargetRules;
  timeoutMs: number;
  /** Instead of the system's. */
  lookup?: Lookup | undefined;
}

/** The name resolves only to addresses that are not allowed. */
class RefusedTargetError extends Error {
  override readonly name = 'RefusedTargetError';
}

const refused = 'refused: the name leads to private or other special addresses';
/** How much of a response's body is read, and ignored, so that the connection ends without a reset. */
const maxBodyBytes = 64 * 1024;
const maxHeaderBytes = 16 * 1024;

/**
 * Resolves names and lets only allowed addresses through. The connection uses exactly what is returned here, so that a name
 * which resolves differently a moment later gains nothing.
 */
function guardedLookup(rules: TargetRules, lookup: Lookup): NonNullable<RequestOptions['lookup']> {
  return (hostname, options, callback) =>
    lookup(hostname, { ...options, all: true }, (error, addresses) => {
      const allowed = error === null ? addresses.filter(({ address }) => isAllowedAddress(address, rules)) : [];
      const [first] = allowed;
      if (first === undefined) callback(error ?? new RefusedTargetError(refused), [] as never, 0);
      else if (options.all === true) callback(null, allowed);
      else callback(null, first.address, first.family);
    });
}

/** Sends to webhooks, each time over a new connection. Redirects are not followed. */
export function createWebhookSender({ rules, timeoutMs, lookup = systemLookup }: WebhookSenderOptions): WebhookSender {
  const guarded = guardedLookup(rules, lookup);
  return {
    send: async (message, stopping) => {
      assertNoOpenTransaction('a webhook');
      const startedAt = performance.now();
      const timeout = AbortSignal.timeout(timeoutMs);
      const durationMs = (): number => Math.round(performance.now() - startedAt);
      // Rules may have become stricter, and a literal address is never looked up.
      const fault = findUrlFault(message.url, rules);
      if (fault !== undefined)
        return { statusCode: undefined, error: `the URL ${fault}`, retryAfterMs: undefined, durationMs: 0 };
      try {
        const answer = await post(message, { lookup: guarded, signal: AbortSignal.any([timeout, stopping]) });
        return { ...toAnswer(answer), durationMs: durationMs() };
      } catch (error) {
        stopping.throwIfAborted();
        return {
          statusCode: undefined,
          error: describe(error, timeout.aborted ? timeoutMs : undefined),
          retryAfterMs: undefined,
          durationMs: durationMs(),
        };
      }
    },
  };
}

function post({ url, headers, body }: WebhookRequest, options: RequestOptions): Promise<IncomingMessage> {
  const request = url.startsWith('https:') ? requestHttps : requestHttp;
  return new Promise((resolve, reject) => {
    const outgoing = request(url, {
      ...options,
      method: 'POST',
      agent: false,
      maxHeaderSize: maxHeaderBytes,
      headers: { ...headers, 'content-length': Buffer.byteLength(body), connection: 'close' },
    });
    outgoing.on('error', reject);
    outgoing.on('response', (answer) => {
      drain(answer);
      resolve(answer);
    });
    outgoing.end(body);
  });
}

/** The status and headers suffice. A short body is read to its end, without waiting for it. */
function drain(answer: IncomingMessage): void {
  let bytes = 0;
  answer.on('error', () => undefined);
  answer.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > maxBodyBytes) answer.destroy();
  });
}

function toAnswer({ statusCode = 0, headers }: IncomingMessage): Omit<WebhookAnswer, 'durationMs'> {
  if (statusCode >= 200 && statusCode < 300) return { statusCode, error: '', retryAfterMs: undefined };
  const retryAfterMs = readRetryAfter(headers, new Date());
  const isRedirect = statusCode >= 300 && statusCode < 400;
  return {
    statusCode,
    error: isRedirect ? `answered ${statusCode}; redirects are not followed` : `answered ${statusCode}`,
    retryAfterMs,
  };
}

/** For the owner of the webhook: the fault of the endpoint, and nothing about this machine. */
function describe(error: unknown, timeoutMs: number | undefined): string {
  if (timeoutMs !== undefined) return `no answer within ${timeoutMs} ms`;
  if (error instanceof RefusedTargetError) return error.message;
  const { code } = error as { code?: unknown };
  return typeof code === 'string' ? `no answer: ${code}` : 'no answer';
}
