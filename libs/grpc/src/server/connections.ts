import type { Http2Server, ServerHttp2Session } from 'node:http2';
import type { Socket } from 'node:net';
import { ServerCredentials, type Server } from '@grpc/grpc-js';

export interface ConnectionsOptions {
  /** About after this time a connection ends, so that its client looks up again who serves. */
  ageMs: number;
  /** How long calls may go on after that. */
  graceMs: number;
  /** Gives the calls of a peer (address:port) that are still open then their status. */
  endCalls: (peer: string) => void;
}

/** The HTTP/2 connections of a server. They are ended so that no client loses a call by it. */
export interface Connections {
  /** Serves this connection from now on. */
  admit(socket: Socket): void;
  /** Asks every client to begin nothing new here, and resolves when all of them have heard it or had the time to. */
  announceEnd(): Promise<void>;
  /** Breaks off those that are still there. Their clients see a lost connection, UNAVAILABLE, where the end of a session would be INTERNAL to them. */
  destroy(): void;
}

/**
 * GOAWAY with the highest of all stream ids: "begin nothing new here", while what is on its way is still served (RFC 9113,
 * 6.8). Node can only send a GOAWAY after which it heeds no new stream, so a client that has just begun a call would lose it.
 */
const notice = Buffer.from([0, 0, 8, 7, 0, 0, 0, 0, 0, 0x7f, 0xff, 0xff, 0xff, 0, 0, 0, 0]);
/** How long a client may take to hear it; one that answers within this time loses nothing. */
const noticeMs = 1000;
/** Statuses get a moment to go out. */
const statusMs = 250;

/** grpc-js has no other way to its sessions. They are listed by the one server that its injector makes. */
function transportOf(server: Server): Http2Server {
  const [transport] = (server as unknown as { http2Servers: Map<Http2Server, unknown> }).http2Servers.keys();
  if (transport === undefined) throw new Error('this version of grpc-js keeps its HTTP/2 server elsewhere');
  return transport;
}

/** Resolves when the client has answered a ping, and so has taken in everything that was sent before. */
async function roundTrip(session: ServerHttp2Session): Promise<void> {
  await new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, noticeMs);
    const done = (): void => {
      clearTimeout(timer);
      resolve();
    };
    session.once('close', done);
    if (session.destroyed || !session.ping(done)) done();
  });
}

async function announce(session: ServerHttp2Session, socket: Socket): Promise<void> {
  if (session.closed || session.destroyed || !socket.writable) return;
  socket.write(notice);
  await roundTrip(session);
}

function startAging(session: ServerHttp2Session, socket: Socket, { ageMs, graceMs, endCalls }: ConnectionsOptions): void {
  const peer = `${socket.remoteAddress}:${socket.remotePort}`;
  let timer: NodeJS.Timeout | undefined;
  const after = (ms: number, next: () => void): void => void (timer = setTimeout(next, ms).unref());
  const retire = async (): Promise<void> => {
    await announce(session, socket);
    session.close();
    after(graceMs, () => {
      endCalls(peer);
      after(statusMs, () => socket.destroy());
    });
  };
  // Those that were opened at the same time do not all come back at the same time.
  after(ageMs * (0.9 + Math.random() * 0.2), () => void retire());
  session.once('close', () => clearTimeout(timer));
}

export function openConnections(server: Server, options: ConnectionsOptions): Connections {
  const injector = server.createConnectionInjector(ServerCredentials.createInsecure());
  const transport = transportOf(server);
  const open = new Map<ServerHttp2Session, Socket>();
  // Those whose client has said its first words: before that it cannot have begun a call.
  const greeted = new Map<ServerHttp2Session, Socket>();
  const forget = (session: ServerHttp2Session): void => {
    open.delete(session);
    greeted.delete(session);
  };
  return {
    admit: (socket) => {
      const take = (session: ServerHttp2Session): void => {
        open.set(session, socket);
        session.once('remoteSettings', () => greeted.set(session, socket));
        session.once('close', () => forget(session));
        startAging(session, socket, options);
      };
      transport.once('session', take);
      injector.injectConnection(socket);
      transport.off('session', take);
    },
    announceEnd: async () => void (await Promise.all([...greeted].map(([session, socket]) => announce(session, socket)))),
    // Not the sessions: Node would send RST_STREAM without an error for each of their streams.
    destroy: () => open.forEach((socket) => socket.destroy()),
  };
}
