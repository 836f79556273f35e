import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { listenOn } from './listen.ts';
import type { Metrics } from './metrics.ts';

export interface HttpPortOptions {
  host: string;
  port: number;
  metrics: Metrics;
  /** Whether the service accepts calls. Liveness does not depend on it. */
  isReady: () => boolean;
  /** By path, for developers. */
  pages?: HttpPages;
}

/** Path → what stands there. */
export type HttpPages = Readonly<Record<string, HttpPage>>;

export interface HttpPage {
  type: string;
  headers?: Readonly<Record<string, string>>;
  read: () => Promise<string | Buffer>;
}

export interface HttpPort {
  port: number;
  close(): Promise<void>;
}

interface Answer {
  status: number;
  type?: string;
  headers?: Readonly<Record<string, string>> | undefined;
  body: string | Buffer;
}

async function readPage(path: string, { pages = {} }: HttpPortOptions): Promise<Answer> {
  const page = Object.hasOwn(pages, path) ? pages[path] : undefined;
  const body = await page?.read().catch(() => undefined);
  return page === undefined || body === undefined
    ? { status: 404, body: 'not found\n' }
    : { status: 200, type: page.type, headers: page.headers, body };
}

async function answer(path: string, options: HttpPortOptions): Promise<Answer> {
  switch (path) {
    case '/livez':
      return { status: 200, body: 'ok\n' };
    case '/readyz':
      return options.isReady() ? { status: 200, body: 'ok\n' } : { status: 503, body: 'not serving\n' };
    case '/metrics':
      return {
        status: 200,
        type: options.metrics.registry.contentType,
        body: await options.metrics.registry.metrics(),
      };
    default:
      return readPage(path, options);
  }
}

async function handle(request: IncomingMessage, response: ServerResponse, options: HttpPortOptions): Promise<void> {
  const path = (request.url ?? '/').split('?', 1)[0] ?? '/';
  const failed: Answer = { status: 500, body: 'internal error\n' };
  const { status, type = 'text/plain', headers, body } = await answer(path, options).catch(() => failed);
  response.writeHead(status, { ...headers, 'content-type': type }).end(body);
}

/** Serves /metrics (Prometheus), /livez, /readyz and the given pages. Throws PortTakenError. */
export async function startHttpPort(options: HttpPortOptions): Promise<HttpPort> {
  const server = createServer((request, response) => void handle(request, response, options));
  const port = await listenOn(server, { protocol: 'http', host: options.host, port: options.port });
  const close = () =>
    new Promise<void>((done) => {
      server.close(() => done());
      server.closeAllConnections();
    });
  return { port, close };
}
