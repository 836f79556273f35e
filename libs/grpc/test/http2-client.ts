import { once } from 'node:events';
import { connect, type ClientHttp2Session, type ClientHttp2Stream, type OutgoingHttpHeaders } from 'node:http2';
import { userToken } from './cluster.ts';
import { paths } from './services.ts';

/** An HTTP/2 client, for requests that no gRPC client sends. */
export interface Http2Client {
  session: ClientHttp2Session;
  /** Begins a call of GetMe without a message. */
  begin(headers?: OutgoingHttpHeaders): ClientHttp2Stream;
  /** Makes a call of GetMe with this body. Resolves with its status. */
  send(body: Buffer, headers?: Record<string, string>): Promise<{ code: string; message: string }>;
  close(): void;
}

/** One gRPC message: a flag, its length, its bytes. */
export function frame(bytes: Buffer, compressed = false): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt8(compressed ? 1 : 0, 0);
  head.writeUInt32BE(bytes.length, 1);
  return Buffer.concat([head, bytes]);
}

export interface Http2Answer {
  /** Headers and trailers. */
  headers: Record<string, string | undefined>;
  body: string;
  /** NGHTTP2_NO_ERROR (0) unless the stream was reset. */
  resetCode: number;
}

/** The complete answer of a stream. */
export async function answerOf(stream: ClientHttp2Stream): Promise<Http2Answer> {
  const headers: Http2Answer['headers'] = {};
  const take = (received: Record<string, unknown>): void => {
    for (const [key, value] of Object.entries(received)) headers[key] = String(value);
  };
  const pieces: Buffer[] = [];
  stream
    .on('response', take)
    .on('trailers', take)
    .on('error', () => undefined);
  stream.on('data', (piece: Buffer) => pieces.push(piece));
  await new Promise((resolve) => stream.once('close', resolve));
  return { headers, body: Buffer.concat(pieces).toString(), resetCode: stream.rstCode ?? 0 };
}

/** The status of a stream; "reset" when it was reset without one. */
export async function statusOf(stream: ClientHttp2Stream): Promise<{ code: string; message: string }> {
  return new Promise((resolve) => {
    const look = (headers: Record<string, unknown>): void => {
      const code = headers['grpc-status'];
      if (code !== undefined) resolve({ code: String(code), message: String(headers['grpc-message'] ?? '') });
    };
    stream
      .on('response', look)
      .on('trailers', look)
      .on('error', () => undefined);
    stream.once('close', () => resolve({ code: 'reset', message: '' }));
    stream.resume();
  });
}

export async function openHttp2(address: string): Promise<Http2Client> {
  // By default Node's clients refuse to send that many headers, some of them twice, and to send more than 10 MB at once.
  const lenient = { maxSendHeaderBlockLength: 10_000_000, strictSingleValueFields: false, maxSessionMemory: 1000 };
  const session = connect(`http://${address}`, lenient);
  session.on('error', () => undefined);
  await Promise.race([once(session, 'remoteSettings'), once(session, 'close')]);
  const authorization = `Bearer ${await userToken()}`;
  const begin: Http2Client['begin'] = (headers = {}) =>
    session.request({
      ':method': 'POST',
      ':path': paths.getMe,
      'content-type': 'application/grpc',
      te: 'trailers',
      authorization,
      ...headers,
    });
  return {
    session,
    begin,
    send: (body, headers) => {
      const stream = begin(headers);
      const answered = statusOf(stream);
      stream.end(body);
      return answered;
    },
    close: () => session.destroy(),
  };
}
