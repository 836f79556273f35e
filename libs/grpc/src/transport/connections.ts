import { constants, type Http2Server, type ServerHttp2Session } from 'node:http2';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { TLSSocket } from 'node:tls';
import { ServerCredentials, type Server } from '@grpc/grpc-js';
import { settlesWithin } from '#libs/runtime';
import { addHttp2Options, http2ServerOf } from '../wire/grpc-js-internals.ts';
import type { CallerCertificate } from '../wire/caller-certificate.ts';
import type { ConnectionLimiter, Violation } from './connection-limits.ts';
import { handleStreams, type ConnectedClient, type IncomingStreamsOptions } from './incoming-streams.ts';
import { toSecuredStream } from './secured-stream.ts';
import { watchTransportFaults, type ConnectionFault } from './transport-faults.ts';

export interface ConnectionsOptions extends Pick<IncomingStreamsOptions, 'onReset' | 'refuse'> {
  /** About after this time a connection ends, so that its client resolves the name again. */
  ageMs: number;
  /** How long calls may go on after that. */
  graceMs: number;
  /** Ends the calls of a peer (address:port) that are still open then. */
  endCalls: (peer: string) => void;
  /** Creates the limiter of a connection from this address. */
  limiterOf: (address: string) => ConnectionLimiter;
  /** A connection from this address was ended because it exceeded a limit. */
  onDisconnected: (address: string, violation: Violation) => void;
  /** Node ended a connection from this address because its client broke the protocol. */
  onBroken: (address: string, fault: ConnectionFault, message: string) => void;
  /** Node has refused streams from this address without reporting them. */
  onUnseen: (address: string, count: number) => void;
}

/** The HTTP/2 connections of a server. They end without losing calls. */
export interface Connections {
  /** Serves this connection. `certificate` is that of its client. */
  accept(socket: Socket, certificate?: CallerCertificate): void;
  /** The client certificate of the connection from this peer (address:port). */
  certificateOf(peer: string): CallerCertificate | undefined;
  /** Asks every client to begin no new call here. Resolves when all have received that, at most after a second. */
  announceEnd(): Promise<void>;
  /** Breaks off the remaining connections. To clients that is UNAVAILABLE; a closed session would be INTERNAL. */
  destroy(): void;
  /** Stops the timers. */
  stop(): void;
}

function goaway(lastStreamId: number, code: number): Buffer {
  const frame = Buffer.from([0, 0, 8, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
  frame.writeUInt32BE(lastStreamId, 9);
  frame.writeUInt32BE(code, 13);
  return frame;
}

/**
 * GOAWAY with the highest stream id asks the client to begin no new stream, and streams on the way are still served
 * (RFC 9113, 6.8). Node's own GOAWAY refuses new streams at once, so a client would lose a call that it has just begun.
 */
const notice = goaway(0x7fff_ffff, constants.NGHTTP2_NO_ERROR);
/** How long a client may take to confirm it. */
const noticeMs = 1000;
/** The time to send statuses. */
const statusMs = 250;

/**
 * The advertised limit, which clients of most languages respect by themselves. Node resets streams with more headers
 * without an event, and ends the connection for a single field that is longer. The limit in request-headers.ts is
 * therefore lower.
 */
const maxHeaderListSize = 64 * 1024;

const transportOptions = {
  // By default Node drops headers whose values end with a blank, so credentials would seem to be missing.
  strictFieldWhitespaceValidation: false,
  // Node's default (a burst of 1000, 33 a second) would end connections of clients that cancel many calls at once.
  // The connection limiter replaces it, so this limit is far beyond.
  streamResetBurst: 100_000,
  streamResetRate: 10_000,
  // As many as fit into the size.
  maxHeaderListPairs: maxHeaderListSize / 32,
};

/** Creates the HTTP/2 server with the options above, and a function that adds a connection to it. */
function openTransport(server: Server): { transport: Http2Server; inject: (stream: Duplex) => void } {
  addHttp2Options(server, transportOptions, { maxHeaderListSize });
  const injector = server.createConnectionInjector(ServerCredentials.createInsecure());
  return { transport: http2ServerOf(server), inject: (stream) => injector.injectConnection(stream) };
}

/** Resolves when the client has answered a ping, which shows that it has read everything before. */
async function roundTrip(session: ServerHttp2Session): Promise<void> {
  const answered = new Promise<void>((resolve) => {
    session.once('close', resolve);
    if (session.destroyed || !session.ping(() => resolve())) resolve();
  });
  await settlesWithin(answered, noticeMs);
}

async function announce(session: ServerHttp2Session, socket: Socket): Promise<void> {
  if (session.closed || session.destroyed || !socket.writable) return;
  socket.write(notice);
  await roundTrip(session);
}

/** In the format of grpc-js. */
const peerOf = ({ remoteAddress, remotePort }: Socket): string => `${remoteAddress}:${remotePort}`;

function startAging(
  session: ServerHttp2Session,
  socket: Socket,
  { ageMs, graceMs, endCalls }: ConnectionsOptions,
): void {
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
  // Random, so that clients that connected together do not all reconnect together.
  after(ageMs * (0.9 + Math.random() * 0.2), () => void retire());
  session.once('close', () => clearTimeout(timer));
}

/** The open connections. */
function createRegister() {
  const open = new Map<ServerHttp2Session, Member>();
  // Connections whose client has sent its settings. Before that it cannot have begun a call.
  const greeted = new Map<ServerHttp2Session, Socket>();
  // Only of connections whose client has one.
  const certificates = new Map<string, CallerCertificate>();
  const forget = (session: ServerHttp2Session): void => {
    certificates.delete(open.get(session)?.peer ?? '');
    open.delete(session);
    greeted.delete(session);
  };
  const add = (session: ServerHttp2Session, member: Member): void => {
    open.set(session, member);
    if (member.certificate !== undefined) certificates.set(member.peer, member.certificate);
    session.once('remoteSettings', () => greeted.set(session, member.socket));
    session.once('close', () => forget(session));
  };
  return { open, greeted, certificates, add, forget };
}

interface Member extends ConnectedClient {
  socket: Socket;
  address: string;
  certificate: CallerCertificate | undefined;
}

/** What Node's HTTP/2 serves. A session over a stream does not know the socket, which grpc-js asks for its peer. */
function carrierOf(socket: Socket): { stream: Duplex; adopt: (session: ServerHttp2Session) => void } {
  if (!(socket instanceof TLSSocket)) return { stream: socket, adopt: () => undefined };
  const adopt = (session: ServerHttp2Session): void => {
    Object.defineProperty(session, 'socket', { value: socket });
    socket.once('close', () => session.destroy());
  };
  return { stream: toSecuredStream(socket), adopt };
}

const sweepMs = 1000;
/** A client may skip any number of stream ids. */
const mostUnseen = 1000;

export function openConnections(server: Server, options: ConnectionsOptions): Connections {
  const { limiterOf, onDisconnected, onReset, onBroken, onUnseen, refuse } = options;
  const { transport, inject } = openTransport(server);
  const { open, greeted, certificates, add, forget } = createRegister();
  const disconnect = (session: ServerHttp2Session, violation: Violation, lastStreamId: number): void => {
    const member = open.get(session);
    if (member === undefined) return;
    forget(session);
    onDisconnected(member.address, violation);
    // Ends the connection without waiting for GOAWAY to be sent, so that nothing more of this client is processed.
    if (member.socket.writable) member.socket.write(goaway(lastStreamId, constants.NGHTTP2_ENHANCE_YOUR_CALM));
    member.socket.destroy();
  };
  const faults = watchTransportFaults(transport, {
    onBroken: (session, fault, message) => onBroken(open.get(session)?.address ?? '', fault, message),
    onUnseen: (session, missing) => {
      const member = open.get(session);
      if (member === undefined) return;
      const count = Math.min(missing, mostUnseen);
      onUnseen(member.address, count);
      // Unseen streams count too. Otherwise a connection could begin any number of them.
      const violations = Array.from({ length: count }, () => member.limiter.begin());
      const violation = violations.find((one) => one !== undefined);
      if (violation !== undefined) disconnect(session, violation, 0);
    },
  });
  const sweeping = setInterval(() => faults.sweep(open.keys()), sweepMs).unref();
  handleStreams(transport, {
    clientOf: (session) => open.get(session),
    onArrived: faults.arrived,
    disconnect,
    onReset,
    refuse,
  });
  return {
    accept: (socket, certificate) => {
      const { stream, adopt } = carrierOf(socket);
      const take = (session: ServerHttp2Session): void => {
        const address = socket.remoteAddress ?? '';
        adopt(session);
        add(session, { socket, address, peer: peerOf(socket), limiter: limiterOf(address), certificate });
        startAging(session, socket, options);
      };
      transport.once('session', take);
      inject(stream);
      transport.off('session', take);
    },
    certificateOf: (peer) => certificates.get(peer),
    announceEnd: async () =>
      void (await Promise.all([...greeted].map(([session, socket]) => announce(session, socket)))),
    // Destroying the sessions would send RST_STREAM without an error for each stream.
    destroy: () => open.forEach(({ socket }) => socket.destroy()),
    stop: () => clearInterval(sweeping),
  };
}
