// Floors: what passing a call on costs at least. Bare http2 takes the call as gRPC-Web and answers it; bare http2 or
// grpc-js calls the service. Neither checks, limits, retries, counts or logs anything.
import { Client, credentials, Metadata } from '@grpc/grpc-js';
import {
  connect,
  createServer,
  type ClientHttp2Session,
  type IncomingHttpHeaders,
  type ServerHttp2Stream,
} from 'node:http2';
import type { AddressInfo } from 'node:net';
import { runServerProcess } from '#dev/bench';

export interface ForwarderSettings {
  /** host:port of the service. */
  target: string;
  by: 'http2' | 'grpc-js';
}

interface Call {
  path: string;
  authorization: string;
  /** A gRPC message with its header. */
  message: Buffer;
}

interface Outcome {
  /** Messages with their headers. */
  answer: Buffer;
  status: number;
}

type Forward = (call: Call, done: (outcome: Outcome) => void) => void;

const headerBytes = 5;
const timeoutMs = 5000;

function frame(flag: number, bytes: Buffer): Buffer {
  const framed = Buffer.allocUnsafe(headerBytes + bytes.length);
  framed.writeUInt8(flag, 0);
  framed.writeUInt32BE(bytes.length, 1);
  framed.set(bytes, headerBytes);
  return framed;
}

const metadataOf = ({ authorization }: Call) => ({
  authorization,
  'x-request-id': '6d0e6b53-7e4b-4b57-9d53-0f6cbb0d2a54',
  'x-forwarded-for': '127.0.0.1',
});

const forwardByHttp2 =
  (session: ClientHttp2Session): Forward =>
  (call, done) => {
    const stream = session.request({
      ':method': 'POST',
      ':path': call.path,
      'content-type': 'application/grpc',
      te: 'trailers',
      'grpc-timeout': `${timeoutMs}m`,
      ...metadataOf(call),
    });
    const parts: Buffer[] = [];
    let status = 2;
    const listen = ({ 'grpc-status': value }: IncomingHttpHeaders): void => {
      if (value !== undefined) status = Number(value);
    };
    stream.on('response', listen).on('trailers', listen);
    stream.on('data', (part: Buffer) => parts.push(part));
    stream.on('error', () => (status = 14));
    stream.on('close', () => done({ answer: Buffer.concat(parts), status }));
    stream.end(call.message);
  };

const asBytes = (bytes: Buffer): Buffer => bytes;

const forwardByGrpc =
  (client: Client): Forward =>
  (call, done) => {
    const metadata = new Metadata();
    for (const [name, value] of Object.entries(metadataOf(call))) metadata.set(name, value);
    const message = call.message.subarray(headerBytes);
    const deadline = Date.now() + timeoutMs;
    client.makeUnaryRequest(call.path, asBytes, asBytes, message, metadata, { deadline }, (error, answer) =>
      done({ answer: answer === undefined ? Buffer.alloc(0) : frame(0, answer), status: error?.code ?? 0 }),
    );
  };

const trailerFlag = 0x80;

function answer(stream: ServerHttp2Stream, { answer: messages, status }: Outcome): void {
  if (stream.destroyed) return;
  stream.respond({ ':status': 200, 'content-type': 'application/grpc-web+proto' });
  stream.end(Buffer.concat([messages, frame(trailerFlag, Buffer.from(`grpc-status: ${status}\r\n`))]));
}

function serve(forward: Forward): Promise<number> {
  const server = createServer();
  server.on('stream', (stream, { ':path': path = '', authorization = '' }) => {
    const parts: Buffer[] = [];
    stream.on('error', () => undefined);
    stream.on('data', (part: Buffer) => parts.push(part));
    stream.on('end', () => {
      const call = { path, authorization, message: Buffer.concat(parts) };
      forward(call, (outcome) => answer(stream as ServerHttp2Stream, outcome));
    });
  });
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port));
  });
}

runServerProcess(({ target, by }: ForwarderSettings) =>
  serve(
    by === 'http2'
      ? forwardByHttp2(connect(`http://${target}`))
      : forwardByGrpc(new Client(target, credentials.createInsecure())),
  ),
);
