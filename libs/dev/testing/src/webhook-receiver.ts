import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Webhook } from 'standardwebhooks';

export interface Received {
  path: string;
  headers: IncomingHttpHeaders;
  body: string;
  message: { type: string; timestamp: string; data: Record<string, unknown> };
  time: number;
}

/** What the endpoint does with a request; it must answer, or hang on purpose. */
export type Behaviour = (answer: ServerResponse, request: Received) => void;

export interface Receiver {
  /** On a name that only the tests' lookup knows. */
  url: string;
  port: number;
  received: Received[];
  behave(behaviour: Behaviour): void;
  close(): Promise<void>;
}

export const answering =
  (status: number, headers: Record<string, string> = {}): Behaviour =>
  (answer) =>
    void answer.writeHead(status, headers).end();

/** Throws unless the message was signed with the secret. */
export function verify({ body, headers }: Received, secret: string): void {
  new Webhook(secret).verify(body, headers as Record<string, string>);
}

/** An HTTP endpoint as its owner would run it. */
export async function startReceiver(hostname = 'hooks.example.com'): Promise<Receiver> {
  const received: Received[] = [];
  let behaviour = answering(204);
  const server = createServer((request, answer) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const body = Buffer.concat(chunks).toString();
      const one = {
        path: request.url ?? '',
        headers: request.headers,
        body,
        message: JSON.parse(body) as Received['message'],
        time: Date.now(),
      };
      received.push(one);
      behaviour(answer, one);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://${hostname}:${port}/hook`,
    port,
    received,
    behave: (next) => {
      behaviour = next;
    },
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}
