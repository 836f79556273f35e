import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Http2ServerRequest, Http2ServerResponse } from 'node:http2';

/** What HTTP/1.1 and HTTP/2 have in common. */
export type HttpRequest = IncomingMessage | Http2ServerRequest;
export type HttpResponse = ServerResponse | Http2ServerResponse;

/** An answer that is written once. After its client has gone, nothing has an effect. */
export interface Answer {
  /** Sends the status and the headers, unless they have been sent. */
  begin(status: number, headers: Readonly<Record<string, string>>): void;
  /** Resolves when the next part may follow. */
  write(part: Uint8Array): Promise<void>;
  /** Resolves when the client has everything or is gone. */
  end(part?: Uint8Array): Promise<void>;
}

/** How long a client may take to read the rest of an answer. */
const readMs = 30_000;

const always = { 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' };

/** `headers` are added to those of the answer. */
export function openAnswer(response: HttpResponse, headers: Readonly<Record<string, string>>): Answer {
  // The classes are alike, but their overloads keep TypeScript from calling a method of either.
  const writable = response as ServerResponse;
  let isGone = false;
  const closed = new Promise<void>((resolve) => {
    writable.once('close', () => {
      isGone = true;
      resolve();
    });
  });
  writable.on('error', () => undefined);
  const drained = (): Promise<void> =>
    Promise.race([closed, new Promise<void>((resolve) => void writable.once('drain', () => resolve()))]);
  return {
    begin: (status, own) => {
      if (isGone || writable.headersSent) return;
      const vary = [headers['vary'], own['vary']].filter((one) => one !== undefined).join(', ');
      writable.writeHead(status, { ...always, ...headers, ...own, ...(vary !== '' && { vary }) });
    },
    write: async (part) => {
      if (!isGone && !writable.write(part)) await drained();
    },
    end: async (part) => {
      if (isGone) return;
      if (part === undefined) writable.end();
      else writable.end(part);
      const timer = setTimeout(() => writable.destroy(), readMs).unref();
      await closed;
      clearTimeout(timer);
    },
  };
}
