import { constants, type Http2Server, type IncomingHttpHeaders, type ServerHttp2Session, type ServerHttp2Stream } from 'node:http2';
import type { Conduct, Offence } from './conduct.ts';

type StreamEvent = [stream: ServerHttp2Stream, headers: IncomingHttpHeaders, ...rest: unknown[]];
type StreamListener = (...event: StreamEvent) => void;

export interface ConnectedClient {
  /** address:port */
  peer: string;
  conduct: Conduct;
}

export interface StreamGateOptions {
  /** undefined: the connection has been ended, whatever still comes of it counts no more. */
  clientOf: (session: ServerHttp2Session) => ConnectedClient | undefined;
  /** Ends the connection, of which streams up to this one have been heeded. */
  expel: (session: ServerHttp2Session, offence: Offence, lastStreamId: number) => void;
  /** A client has given up a stream before its answer. */
  onReset: () => void;
  /** Answers the stream at once when there is no room for its call; false lets it in. */
  refuse: (stream: ServerHttp2Stream, headers: IncomingHttpHeaders, peer: string) => boolean;
}

/**
 * How long new streams may keep a turn of the event loop from what has been begun. When some had to wait, as long as the rest of
 * the last turn took: else they would pile up in a process that is busy, and even a refusal would come late.
 */
const turn = { minMs: 5, maxMs: 50 };
/** A call that is given up later than this after it began was a call, and is counted like one. */
const earlyMs = 1000;

/** Whether its client has sent all of its request. */
export function isWhole(stream: ServerHttp2Stream): boolean {
  return stream.state.state === constants.NGHTTP2_STREAM_STATE_HALF_CLOSED_REMOTE;
}

/** A stream that fails while it waits would end the process. */
const ignore = (): void => undefined;

function watchForReset(stream: ServerHttp2Stream, session: ServerHttp2Session, onReset: () => void): void {
  const began = performance.now();
  stream.once('close', () => {
    if (!stream.headersSent && !session.closed && !session.destroyed && performance.now() - began < earlyMs) onReset();
  });
}

/** Lets streams in, one connection after the other. What a turn has no time for comes in the next. */
function createQueue(look: (arrived: StreamEvent, session: ServerHttp2Session) => void): (arrived: StreamEvent, session: ServerHttp2Session) => void {
  const waiting = new Map<ServerHttp2Session, StreamEvent[]>();
  let leftAt: number | undefined;
  const drain = (): void => {
    const now = performance.now();
    const until = now + Math.min(turn.maxMs, Math.max(turn.minMs, now - (leftAt ?? now)));
    do {
      for (const [session, arrived] of waiting) {
        const next = arrived.shift();
        if (next === undefined) waiting.delete(session);
        else look(next, session);
      }
    } while (waiting.size > 0 && performance.now() < until);
    leftAt = waiting.size > 0 ? performance.now() : undefined;
    if (leftAt !== undefined) setImmediate(drain);
  };
  return (arrived, session) => {
    const others = waiting.get(session);
    if (others !== undefined) return void others.push(arrived);
    if (waiting.size === 0) setImmediate(drain);
    waiting.set(session, [arrived]);
  };
}

/**
 * Stands between the HTTP/2 server and grpc-js. Streams are looked at when everything that was read together with them has
 * been taken in: those that have been reset by then cost no more than that, and one connection with a thousand new streams
 * does not keep the one of another waiting. Then what is too much is refused or ended, before grpc-js makes a call of it.
 */
export function gateStreams(transport: Http2Server, { clientOf, expel, onReset, refuse }: StreamGateOptions): void {
  const [pass, ...others] = transport.listeners('stream') as unknown as StreamListener[];
  if (pass === undefined || others.length > 0) throw new Error('this version of grpc-js takes its streams in another way');
  const look = (arrived: StreamEvent, session: ServerHttp2Session): void => {
    const [stream, headers] = arrived;
    const client = clientOf(session);
    // With a connection that is lost all of its streams are; nobody has given them up.
    if (client === undefined || session.destroyed) return;
    const blame = (offence: Offence | undefined): boolean => {
      if (offence !== undefined) expel(session, offence, stream.id ?? 0);
      return offence !== undefined;
    };
    if (blame(client.conduct.begin())) return;
    if (stream.closed || stream.destroyed) {
      onReset();
      stream.destroy();
      return void blame(client.conduct.reset(true));
    }
    watchForReset(stream, session, () => {
      onReset();
      blame(clientOf(session)?.conduct.reset(false));
    });
    if (refuse(stream, headers, client.peer)) return;
    const ended = stream.readableEnded;
    pass(...arrived);
    // A request without any bytes has already said its end, while nobody listened.
    if (ended) stream.emit('end');
  };
  const enqueue = createQueue(look);
  transport.removeAllListeners('stream');
  const arrive: StreamListener = (...event) => {
    const [stream] = event;
    stream.on('error', ignore);
    if (stream.session !== undefined) enqueue(event, stream.session as ServerHttp2Session);
  };
  transport.on('stream', arrive as Parameters<typeof transport.on>[1]);
}
