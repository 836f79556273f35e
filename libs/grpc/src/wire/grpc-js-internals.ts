import type { Http2Server, IncomingHttpHeaders, ServerHttp2Stream, Settings } from 'node:http2';
import type { Server, ServerInterceptingCall, ServerInterceptingCallInterface } from '@grpc/grpc-js';

/*
 * The private parts of @grpc/grpc-js that this library uses. The test names the version for which they were checked,
 * and fails on another.
 */

export type StreamEvent = [
  stream: ServerHttp2Stream,
  headers: IncomingHttpHeaders,
  flags: number,
  rawHeaders: string[],
];
export type StreamListener = (...event: StreamEvent) => void;

/** Unpacks one message with its five bytes of header. Rejects with the code and details of the call's status. */
export type Decompress = (message: Buffer, encoding: string) => Buffer | Promise<Buffer>;

interface PrivateServer {
  http2Servers: ReadonlyMap<Http2Server, unknown>;
  commonServerOptions: object & { settings?: Settings };
  handlers: ReadonlyMap<string, unknown>;
}

interface PrivateCall {
  stream: ServerHttp2Stream;
  /** `readState` is 0 between messages. */
  decoder: { readState: number; readPartialMessage: Buffer[] };
  decompressMessage: Decompress;
}

const insideServer = (server: Server): PrivateServer => server as unknown as PrivateServer;
const insideCall = (call: ServerInterceptingCallInterface): PrivateCall => call as unknown as PrivateCall;

function moved(what: string): Error {
  return new Error(`this version of @grpc/grpc-js keeps ${what} elsewhere`);
}

/** Sets options for HTTP/2 servers that are created later. `settings` are added to those of grpc-js. */
export function addHttp2Options(server: Server, options: object, settings: Settings): void {
  const { commonServerOptions } = insideServer(server);
  Object.assign(commonServerOptions, options, { settings: { ...commonServerOptions.settings, ...settings } });
}

/** The only HTTP/2 server that a connection injector of this server has created. */
export function http2ServerOf(server: Server): Http2Server {
  const [http2Server] = insideServer(server).http2Servers.keys();
  if (http2Server === undefined) throw moved('its HTTP/2 servers');
  return http2Server;
}

/** All methods of a server, by path. */
export function methodsOf(server: Server): ReadonlyMap<string, unknown> {
  const { handlers } = insideServer(server);
  if (!(handlers instanceof Map)) throw moved('its methods');
  return handlers;
}

/** Removes and returns the listener that turns streams of an HTTP/2 server into calls. */
export function takeStreamListener(http2Server: Http2Server): StreamListener {
  const [listener, ...others] = http2Server.listeners('stream') as unknown as StreamListener[];
  if (listener === undefined || others.length > 0) throw moved('the listener for streams');
  http2Server.removeAllListeners('stream');
  return listener;
}

export function streamOf(call: ServerInterceptingCallInterface): ServerHttp2Stream {
  return insideCall(call).stream;
}

/** Whether bytes have arrived after the last complete message. grpc-js does not report that. */
export function endsInsideMessage(call: ServerInterceptingCallInterface): boolean {
  return insideCall(call).decoder.readState !== 0;
}

/** Frees what has arrived of a message. For calls that have ended: grpc-js keeps it until the stream has, too. */
export function dropPartialMessage(call: ServerInterceptingCallInterface): void {
  insideCall(call).decoder.readPartialMessage = [];
}

/**
 * Replaces the decompression of a call's messages. grpc-js collects chunks of 16 KiB by events: a message that exceeds
 * the limit when it is unpacked took 12 ms of CPU, most of it in the garbage collector, which blocks all calls.
 */
export function setDecompress(call: ServerInterceptingCallInterface, decompress: Decompress): void {
  insideCall(call).decompressMessage = decompress;
}

/**
 * Types a call as the wrapper that an interceptor must return; grpc-js only uses its methods. A real wrapper costs each
 * call as much as all stages of this library together, so interceptors replace methods of the call itself.
 */
export function withoutWrapper(call: ServerInterceptingCallInterface): ServerInterceptingCall {
  return call as ServerInterceptingCall;
}

/** The beginnings of client errors that report a lost or ended connection, whatever their code. */
export const clientErrors = {
  resetWithoutError: 'Received RST_STREAM with code 0',
  notStarted: 'Failed to start HTTP/2 stream',
  refused: 'Write error: Stream closed with error code NGHTTP2_REFUSED_STREAM',
} as const;
