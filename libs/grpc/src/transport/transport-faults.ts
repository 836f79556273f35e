import type { Http2Server, ServerHttp2Session } from 'node:http2';

/** How a client broke the protocol, so that Node ended its connection. */
export type ConnectionFault = 'not_http2' | 'continuations' | 'protocol';

interface TransportFaultsOptions {
  /** Node ended the connection and all its streams. */
  onBroken: (session: ServerHttp2Session, fault: ConnectionFault, message: string) => void;
  /** Node has refused streams of the connection without an event. */
  onUnseen: (session: ServerHttp2Session, count: number) => void;
}

interface TransportFaults {
  /** A stream has arrived. */
  arrived(session: ServerHttp2Session, streamId: number): void;
  /** Finds refused streams after which no other arrived. To be called regularly. */
  sweep(sessions: Iterable<ServerHttp2Session>): void;
}

/** By the error numbers of nghttp2. Other errors are "protocol", for instance a field longer than 64 KiB. */
const faults: Readonly<Record<number, ConnectionFault>> = { [-903]: 'not_http2', [-905]: 'continuations' };

/**
 * Detects streams and connections that Node ends without an event: a stream with malformed headers, or with more than
 * are advertised, is reset before it is reported. Its id is missing in the sequence afterwards.
 */
export function watchTransportFaults(
  transport: Http2Server,
  { onBroken, onUnseen }: TransportFaultsOptions,
): TransportFaults {
  const seen = new WeakMap<ServerHttp2Session, number>();
  const noticed = new WeakMap<ServerHttp2Session, number>();
  transport.on('sessionError', (error: NodeJS.ErrnoException, session: ServerHttp2Session) => {
    if (error.code === 'ERR_HTTP2_ERROR') onBroken(session, faults[error.errno ?? 0] ?? 'protocol', error.message);
  });
  /** Reports the ids that are missing before `upTo`. */
  const note = (session: ServerHttp2Session, upTo: number): void => {
    // Clients number their streams 1, 3, 5 …
    const missing = (upTo - (seen.get(session) ?? -1)) / 2 - 1;
    seen.set(session, Math.max(upTo, seen.get(session) ?? -1));
    if (missing > 0) onUnseen(session, missing);
  };
  return {
    arrived: note,
    sweep: (sessions) => {
      for (const session of sessions) {
        const last = session.state.lastProcStreamID ?? 0;
        if (last <= (seen.get(session) ?? -1) || last % 2 === 0) continue;
        // At the first sight the headers of the last stream may still be arriving.
        if (noticed.get(session) === last) {
          note(session, last + 2);
          seen.set(session, last);
        } else noticed.set(session, last);
      }
    },
  };
}
