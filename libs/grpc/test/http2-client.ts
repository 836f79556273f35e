import { once } from 'node:events';
import { connect, type ClientHttp2Session, type ClientHttp2Stream } from 'node:http2';
import { userToken } from './cluster.ts';
import { paths } from './services.ts';

/** A client below gRPC, to do what no gRPC client does. */
export interface Http2Client {
  session: ClientHttp2Session;
  /** Begins a call of GetMe and sends no message. */
  begin(headers?: Record<string, string>): ClientHttp2Stream;
  /** Begins a call of GetMe with this body; resolves with the status that the server answers. */
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

/** The status that a stream is answered with; "reset" when it is broken off. */
export async function statusOf(stream: ClientHttp2Stream): Promise<{ code: string; message: string }> {
  return new Promise((resolve) => {
    const look = (headers: Record<string, unknown>): void => {
      const code = headers['grpc-status'];
      if (code !== undefined) resolve({ code: String(code), message: String(headers['grpc-message'] ?? '') });
    };
    stream.on('response', look).on('trailers', look).on('error', () => undefined);
    stream.once('close', () => resolve({ code: 'reset', message: '' }));
    stream.resume();
  });
}

export async function openHttp2(address: string): Promise<Http2Client> {
  const session = connect(`http://${address}`);
  session.on('error', () => undefined);
  await Promise.race([once(session, 'remoteSettings'), once(session, 'close')]);
  const authorization = `Bearer ${await userToken()}`;
  const begin: Http2Client['begin'] = (headers = {}) =>
    session.request({ ':method': 'POST', ':path': paths.getMe, 'content-type': 'application/grpc', te: 'trailers', authorization, ...headers });
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
