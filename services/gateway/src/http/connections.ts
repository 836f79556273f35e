import {
  createServer as createHttp1Server,
  type IncomingMessage,
  type Server as Http1Server,
  type ServerResponse,
} from 'node:http';
import { createServer as createHttp2Server, type Http2Server, type ServerHttp2Session } from 'node:http2';
import type { Socket } from 'node:net';
import type { RefuseBroken } from './refuse-broken.ts';
import type { HttpRequest, HttpResponse } from './answer.ts';

export interface ConnectionsOptions {
  /** About after this time a connection ends, so that its client finds new replicas. */
  ageMs: number;
  /** Streams of a connection that its client may give up; more end the connection. */
  resetsPerSecond: number;
  handle: (request: HttpRequest, response: HttpResponse) => void;
  refuseBroken: RefuseBroken;
}

/** The connections of the gateway, HTTP/1.1 and HTTP/2 on one port. */
export interface Connections {
  accept(socket: Socket): void;
  /** Asks every client to begin nothing new. */
  announceEnd(): void;
  destroy(): void;
}

/** HTTP/2 without TLS begins with this and nothing else; no HTTP/1.1 method does. */
const preface = 'PRI';

/** How long a client may take to send its headers, to send its whole request, and to think of the next one. */
const limits = { headersMs: 10_000, requestMs: 10_000, idleMs: 75_000 };

/** Beyond the limits of a call, so that calls are refused with details as far as possible. */
const headerBytes = 64 * 1024;

const http2Options = {
  maxSessionMemory: 64,
  settings: { maxConcurrentStreams: 1000, maxHeaderListSize: headerBytes },
  maxHeaderListPairs: 256,
};

/** Calls `decide` with the first bytes, which stay to be read. `silent` holds the socket until then. */
function peek(socket: Socket, silent: Set<Socket>, decide: (first: string) => void): void {
  let seen = Buffer.alloc(0);
  const onReadable = (): void => {
    for (let part = socket.read() as Buffer | null; part !== null; part = socket.read() as Buffer | null)
      seen = Buffer.concat([seen, part]);
    if (seen.length < preface.length) return;
    finish();
    socket.unshift(seen);
    decide(seen.toString('latin1', 0, preface.length));
  };
  const finish = (): void => {
    clearTimeout(timer);
    silent.delete(socket);
    socket.off('readable', onReadable).off('close', finish);
  };
  const timer = setTimeout(() => socket.destroy(), limits.headersMs).unref();
  silent.add(socket);
  socket.on('readable', onReadable).once('close', finish);
}

function openHttp1({ handle, refuseBroken, ageMs }: ConnectionsOptions, isEnding: () => boolean): Http1Server {
  const bornAt = new WeakMap<Socket, number>();
  // A client that has its answer and never ends its request is not told anything else.
  const answered = new WeakSet<Socket>();
  const server = createHttp1Server({
    maxHeaderSize: headerBytes,
    headersTimeout: limits.headersMs,
    requestTimeout: limits.requestMs,
    keepAliveTimeout: limits.idleMs,
    connectionsCheckingInterval: 1000,
    // Node would answer without an id; calls are refused where their headers are read.
    requireHostHeader: false,
  });
  const serve = (request: IncomingMessage, response: ServerResponse): void => {
    const age = performance.now() - (bornAt.get(request.socket) ?? 0);
    if (isEnding() || age > ageMs) response.shouldKeepAlive = false;
    response.once('finish', () => request.complete || answered.add(request.socket));
    // A connection becomes idle a moment after the end of its answer.
    response.once('close', () => setImmediate(() => isEnding() && server.closeIdleConnections()));
    handle(request, response);
  };
  server.on('request', serve).on('checkExpectation', serve);
  server.on('connect', (_request, socket) => refuseBroken('CONNECT', socket as Socket));
  // Their number is limited where calls are read; Node would leave out the rest.
  server.maxHeadersCount = 0;
  server.on('connection', (socket: Socket) => bornAt.set(socket, performance.now()));
  server.on('clientError', ({ code = '' }: NodeJS.ErrnoException, socket) =>
    answered.has(socket as Socket) ? socket.destroy() : refuseBroken(code, socket as Socket),
  );
  // Its sockets come from another listener. Without this event Node would not watch over their timeouts.
  server.emit('listening');
  return server;
}

function openHttp2({ handle, ageMs, resetsPerSecond }: ConnectionsOptions): {
  server: Http2Server;
  sessions: Set<ServerHttp2Session>;
} {
  const sessions = new Set<ServerHttp2Session>();
  const resets = { streamResetBurst: resetsPerSecond, streamResetRate: resetsPerSecond };
  const server = createHttp2Server({ ...http2Options, ...resets }, handle);
  server.on('checkExpectation', handle).on('connect', handle);
  server.on('session', (session) => {
    sessions.add(session);
    // What is under way goes on; the client opens another connection for the rest.
    const timer = setTimeout(() => session.close(), ageMs).unref();
    session
      .on('error', () => undefined)
      .once('close', () => {
        clearTimeout(timer);
        sessions.delete(session);
      });
  });
  server.on('sessionError', () => undefined);
  return { server, sessions };
}

export function openConnections(options: ConnectionsOptions): Connections {
  const sockets = new Set<Socket>();
  const silent = new Set<Socket>();
  let isEnding = false;
  const http1 = openHttp1(options, () => isEnding);
  const { server: http2, sessions } = openHttp2(options);
  return {
    accept: (socket) => {
      sockets.add(socket);
      socket.on('error', () => undefined).once('close', () => sockets.delete(socket));
      peek(socket, silent, (first) => (first === preface ? http2 : http1).emit('connection', socket));
    },
    announceEnd: () => {
      isEnding = true;
      http1.closeIdleConnections();
      for (const session of sessions) session.close();
      for (const socket of silent) socket.destroy();
    },
    destroy: () => {
      http1.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}
