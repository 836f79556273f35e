import { constants, type Http2Server, type ServerHttp2Session, type ServerHttp2Stream } from 'node:http2';
import { takeStreamListener, type StreamEvent, type StreamListener } from '../wire/grpc-js-internals.ts';
import type { ConnectionLimiter, Violation } from './connection-limits.ts';
import type { RequestHeaders } from './request-headers.ts';

export interface ConnectedClient {
  /** address:port */
  peer: string;
  limiter: ConnectionLimiter;
}

export interface IncomingStreamsOptions {
  /** undefined when the connection has been ended; its streams are ignored. */
  clientOf: (session: ServerHttp2Session) => ConnectedClient | undefined;
  /** A stream has arrived on this connection. */
  onArrived: (session: ServerHttp2Session, streamId: number) => void;
  /** Ends the connection. Streams up to `lastStreamId` have been processed. */
  disconnect: (session: ServerHttp2Session, violation: Violation, lastStreamId: number) => void;
  /** A client has reset a stream before its answer. */
  onReset: () => void;
  /** Answers a stream that must not become a call and returns true; otherwise returns false. */
  refuse: (stream: ServerHttp2Stream, request: RequestHeaders, peer: string) => boolean;
}

/**
 * How long one turn of the event loop may spend on new streams. When streams had to wait, that is as long as the other
 * work of the last turn. Otherwise streams would pile up in a busy process and even refusals would be late.
 */
const turn = { minMs: 5, maxMs: 50 };
/** A later reset cancels a real call and is not counted. */
const earlyMs = 1000;

/** Whether the client has sent the complete request. */
export function isWhole(stream: ServerHttp2Stream): boolean {
  return stream.state.state === constants.NGHTTP2_STREAM_STATE_HALF_CLOSED_REMOTE;
}

/** Without a listener, a stream that fails while it waits would crash the process. */
const ignore = (): void => undefined;

function watchForReset(stream: ServerHttp2Stream, session: ServerHttp2Session, onReset: () => void): void {
  const began = performance.now();
  stream.once('close', () => {
    if (!stream.headersSent && !session.closed && !session.destroyed && performance.now() - began < earlyMs) onReset();
  });
}

/** Processes streams in turns, one of each connection. The rest waits for the next turn of the event loop. */
function createQueue(
  look: (arrived: StreamEvent, session: ServerHttp2Session) => void,
): (arrived: StreamEvent, session: ServerHttp2Session) => void {
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
 * Decides between the HTTP/2 server and grpc-js which streams become calls. A stream is processed only after everything
 * that was read together with it, so a stream that is reset by then costs nothing more, and a connection with a
 * thousand new streams does not delay the only stream of another. Excess streams are refused, or their connection is
 * ended.
 */
export function handleStreams(
  transport: Http2Server,
  { clientOf, onArrived, disconnect, onReset, refuse }: IncomingStreamsOptions,
): void {
  const pass = takeStreamListener(transport);
  const look = (arrived: StreamEvent, session: ServerHttp2Session): void => {
    const [stream, headers, , rawHeaders] = arrived;
    const client = clientOf(session);
    // The client of a lost connection has not reset its streams.
    if (client === undefined || session.destroyed) return;
    const disconnectOn = (violation: Violation | undefined): boolean => {
      if (violation !== undefined) disconnect(session, violation, stream.id ?? 0);
      return violation !== undefined;
    };
    if (disconnectOn(client.limiter.begin())) return;
    if (stream.closed || stream.destroyed) {
      onReset();
      stream.destroy();
      return void disconnectOn(client.limiter.reset(true));
    }
    watchForReset(stream, session, () => {
      onReset();
      disconnectOn(clientOf(session)?.limiter.reset(false));
    });
    if (refuse(stream, { headers, rawHeaders }, client.peer)) return;
    const ended = stream.readableEnded;
    pass(...arrived);
    // An empty request has ended before grpc-js listened.
    if (ended) stream.emit('end');
  };
  const enqueue = createQueue(look);
  const arrive: StreamListener = (...event) => {
    const [stream] = event;
    stream.on('error', ignore);
    const session = stream.session as ServerHttp2Session | undefined;
    if (session === undefined) return;
    onArrived(session, stream.id ?? 0);
    enqueue(event, session);
  };
  transport.on('stream', arrive as Parameters<typeof transport.on>[1]);
}
