import { constants, type Http2Server, type ServerHttp2Session } from 'node:http2';
import type { Socket } from 'node:net';
import { ServerCredentials, type Server } from '@grpc/grpc-js';
import type { Conduct, Offence } from './conduct.ts';
import { gateStreams, type ConnectedClient, type StreamGateOptions } from './stream-gate.ts';

export interface ConnectionsOptions {
  /** About after this time a connection ends, so that its client looks up again who serves. */
  ageMs: number;
  /** How long calls may go on after that. */
  graceMs: number;
  /** Gives the calls of a peer (address:port) that are still open then their status. */
  endCalls: (peer: string) => void;
  /** What a connection of this address is held to. */
  conductOf: (address: string) => Conduct;
  /** A connection of this address was ended because of what its client did. */
  onExpelled: (address: string, offence: Offence) => void;
  /** A client has given up a stream before its answer. */
  onReset: () => void;
  /** Answers a stream at once when there is no room for its call; false lets it in. */
  refuse: StreamGateOptions['refuse'];
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

function goaway(lastStreamId: number, code: number): Buffer {
  const frame = Buffer.from([0, 0, 8, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
  frame.writeUInt32BE(lastStreamId, 9);
  frame.writeUInt32BE(code, 13);
  return frame;
}

/**
 * GOAWAY with the highest of all stream ids: "begin nothing new here", while what is on its way is still served (RFC 9113,
 * 6.8). Node can only send a GOAWAY after which it heeds no new stream, so a client that has just begun a call would lose it.
 */
const notice = goaway(0x7fff_ffff, constants.NGHTTP2_NO_ERROR);
/** How long a client may take to hear it; one that answers within this time loses nothing. */
const noticeMs = 1000;
/** Statuses get a moment to go out. */
const statusMs = 250;

/**
 * Node's own limit for resets (1000 at a time, 33 a second) would end connections of clients that cancel much, for instance
 * all their streams at once; ours looks at what they cancel. This one is far beyond it.
 */
const transportOptions = { streamResetBurst: 100_000, streamResetRate: 10_000 };

/** grpc-js has no other way to its sessions, nor to their options. They are listed by the one server that its injector makes. */
function openTransport(server: Server): { transport: Http2Server; inject: (socket: Socket) => void } {
  const inside = server as unknown as { http2Servers: Map<Http2Server, unknown>; commonServerOptions: object };
  Object.assign(inside.commonServerOptions, transportOptions);
  const injector = server.createConnectionInjector(ServerCredentials.createInsecure());
  const [transport] = inside.http2Servers.keys();
  if (transport === undefined) throw new Error('this version of grpc-js keeps its HTTP/2 server elsewhere');
  return { transport, inject: (socket) => injector.injectConnection(socket) };
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

/** As grpc-js writes it. */
const peerOf = ({ remoteAddress, remotePort }: Socket): string => `${remoteAddress}:${remotePort}`;

function startAging(session: ServerHttp2Session, socket: Socket, { ageMs, graceMs, endCalls }: ConnectionsOptions): void {
  const peer = peerOf(socket);
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

/** Begins with nothing and remembers each connection as long as it lasts. */
function createRegister() {
  const open = new Map<ServerHttp2Session, Member>();
  // Those whose client has said its first words: before that it cannot have begun a call.
  const greeted = new Map<ServerHttp2Session, Socket>();
  const forget = (session: ServerHttp2Session): void => {
    open.delete(session);
    greeted.delete(session);
  };
  const add = (session: ServerHttp2Session, member: Member): void => {
    open.set(session, member);
    session.once('remoteSettings', () => greeted.set(session, member.socket));
    session.once('close', () => forget(session));
  };
  return { open, greeted, add, forget };
}

interface Member extends ConnectedClient {
  socket: Socket;
  address: string;
}

export function openConnections(server: Server, options: ConnectionsOptions): Connections {
  const { conductOf, onExpelled, onReset, refuse } = options;
  const { transport, inject } = openTransport(server);
  const { open, greeted, add, forget } = createRegister();
  const expel = (session: ServerHttp2Session, offence: Offence, lastStreamId: number): void => {
    const member = open.get(session);
    if (member === undefined) return;
    forget(session);
    onExpelled(member.address, offence);
    // What is on its way from this client shall cost nothing more, so it is not awaited that this has been sent.
    if (member.socket.writable) member.socket.write(goaway(lastStreamId, constants.NGHTTP2_ENHANCE_YOUR_CALM));
    member.socket.destroy();
  };
  gateStreams(transport, { clientOf: (session) => open.get(session), expel, onReset, refuse });
  return {
    admit: (socket) => {
      const take = (session: ServerHttp2Session): void => {
        const address = socket.remoteAddress ?? '';
        add(session, { socket, address, peer: peerOf(socket), conduct: conductOf(address) });
        startAging(session, socket, options);
      };
      transport.once('session', take);
      inject(socket);
      transport.off('session', take);
    },
    announceEnd: async () => void (await Promise.all([...greeted].map(([session, socket]) => announce(session, socket)))),
    // Not the sessions: Node would send RST_STREAM without an error for each of their streams.
    destroy: () => open.forEach(({ socket }) => socket.destroy()),
  };
}
