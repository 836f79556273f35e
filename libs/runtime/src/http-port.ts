import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { readFile } from 'node:fs/promises';
import { listenOn } from './listen.ts';
import type { Metrics } from './metrics.ts';

export interface HttpPortOptions {
  host: string;
  port: number;
  metrics: Metrics;
  /** Whether the service accepts calls. Liveness does not depend on it. */
  isReady: () => boolean;
  /** Static files by path, for developers. */
  pages?: Readonly<Record<string, { type: string; file: string }>>;
  /** Handlers for everything below a path of one segment, such as "/board". */
  mounts?: HttpMounts;
}

/** Path of one segment → its handler, which never rejects. */
export type HttpMounts = Readonly<
  Record<string, (request: IncomingMessage, response: ServerResponse) => Promise<void>>
>;

export interface HttpPort {
  port: number;
  close(): Promise<void>;
}

interface Answer {
  status: number;
  type?: string;
  body: string;
}

async function readPage(path: string, { pages = {} }: HttpPortOptions): Promise<Answer> {
  const page = Object.hasOwn(pages, path) ? pages[path] : undefined;
  const body = page && (await readFile(page.file, 'utf8').catch(() => undefined));
  return page === undefined || body === undefined
    ? { status: 404, body: 'not found\n' }
    : { status: 200, type: page.type, body };
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

function findMount(path: string, { mounts = {} }: HttpPortOptions) {
  const place = `/${path.split('/', 2)[1] ?? ''}`;
  return Object.hasOwn(mounts, place) ? mounts[place] : undefined;
}

async function handle(request: IncomingMessage, response: ServerResponse, options: HttpPortOptions): Promise<void> {
  const path = (request.url ?? '/').split('?', 1)[0] ?? '/';
  const mounted = findMount(path, options);
  if (mounted !== undefined) return mounted(request, response);
  const { status, type, body } = await answer(path, options).catch(() => ({
    status: 500,
    type: undefined,
    body: 'internal error\n',
  }));
  response.writeHead(status, { 'content-type': type ?? 'text/plain' }).end(body);
}

/** Serves /metrics (Prometheus), /livez, /readyz, the given pages and mounts. Throws PortTakenError. */
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
