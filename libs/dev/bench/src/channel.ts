import {
  connect,
  constants,
  type ClientHttp2Session,
  type ClientHttp2Stream,
  type IncomingHttpHeaders,
} from 'node:http2';

/** What came of a call: the grpc-status that the server really sent, in the trailers or in headers alone. */
export interface Outcome {
  /** 2 (UNKNOWN) when the server sent none, 14 (UNAVAILABLE) when the connection broke. */
  readonly status: number;
  readonly message: string;
  /** Payload bytes of the answer. */
  readonly sizeBytes: number;
}

/** One HTTP/2 connection that speaks just enough gRPC to cost less than the servers it measures. */
export interface Channel {
  /** `body` is a whole gRPC message, see `frame`. `onData` is given the raw pieces of the answer, which are not kept. */
  call(
    path: string,
    body: Buffer,
    options: { headers: Readonly<Record<string, string>>; onData?: (piece: Buffer) => void },
    done: (outcome: Outcome) => void,
  ): void;
  close(): void;
}

const { HTTP2_HEADER_METHOD, HTTP2_HEADER_PATH, HTTP2_HEADER_CONTENT_TYPE, HTTP2_HEADER_TE } = constants;
const fixedHeaders = {
  [HTTP2_HEADER_METHOD]: 'POST',
  [HTTP2_HEADER_CONTENT_TYPE]: 'application/grpc',
  [HTTP2_HEADER_TE]: 'trailers',
  'grpc-timeout': '20S',
};

/** A message as it goes over the wire: a byte that says whether it is compressed, its length, itself. */
export function frame(message: Uint8Array, compressed = false): Buffer {
  const framed = Buffer.allocUnsafe(5 + message.length);
  framed.writeUInt8(compressed ? 1 : 0, 0);
  framed.writeUInt32BE(message.length, 1);
  framed.set(message, 5);
  return framed;
}

/** Resolves when the connection stands. `address` is host:port. */
export async function openChannel(address: string): Promise<Channel> {
  const session = connect(`http://${address}`, { settings: { enablePush: false, initialWindowSize: 4 * 1024 * 1024 } });
  await new Promise<void>((resolve, reject) => session.once('connect', () => resolve()).once('error', reject));
  // A lost connection shows in the calls it carried.
  session.on('error', () => undefined);
  session.setLocalWindowSize(16 * 1024 * 1024);
  return {
    call: (path, body, options, done) => call(session, { path, body, ...options }, done),
    close: () => session.close(),
  };
}

interface CallInput {
  path: string;
  body: Buffer;
  headers: Readonly<Record<string, string>>;
  onData?: (piece: Buffer) => void;
}

function call(
  session: ClientHttp2Session,
  { path, body, headers, onData }: CallInput,
  done: (outcome: Outcome) => void,
): void {
  if (session.destroyed)
    return void setImmediate(done, { status: 14, message: 'the connection is closed', sizeBytes: 0 });
  const stream: ClientHttp2Stream = session.request({ ...fixedHeaders, [HTTP2_HEADER_PATH]: path, ...headers });
  let trailers: IncomingHttpHeaders = {};
  let failure: Error | undefined;
  let sizeBytes = 0;
  let isWeb = false;
  const listen = (block: IncomingHttpHeaders): void => {
    if (block['grpc-status'] !== undefined) trailers = block;
    isWeb ||= block['content-type']?.startsWith('application/grpc-web') ?? false;
  };
  stream.on('response', listen);
  stream.on('trailers', listen);
  stream.on('data', (piece: Buffer) => {
    sizeBytes += piece.length;
    if (isWeb) trailers = trailersIn(piece) ?? trailers;
    onData?.(piece);
  });
  stream.on('error', (error) => (failure = error));
  stream.on('close', () => done({ ...toStatus(trailers, failure), sizeBytes }));
  stream.end(body);
}

/** gRPC-Web has the trailers in the body, in a message of its own, which comes in one piece. */
function trailersIn(piece: Buffer): IncomingHttpHeaders | undefined {
  const [, status] = /grpc-status: (\d+)\r\n/.exec(piece.toString('latin1')) ?? [];
  return status === undefined ? undefined : { 'grpc-status': status };
}

function toStatus(trailers: IncomingHttpHeaders, failure: Error | undefined): Pick<Outcome, 'status' | 'message'> {
  const status = trailers['grpc-status'];
  if (status !== undefined)
    return { status: Number(status), message: decodeURIComponent(String(trailers['grpc-message'] ?? '')) };
  return failure === undefined
    ? { status: 2, message: 'the answer has no grpc-status' }
    : { status: 14, message: failure.message };
}

/** One call on a connection of its own, with the message of its answer. Throws when its status is not OK. */
export async function callOnce(
  address: string,
  path: string,
  message: Uint8Array,
  headers: Readonly<Record<string, string>>,
): Promise<Buffer> {
  const channel = await openChannel(address);
  const pieces: Buffer[] = [];
  try {
    const outcome = await new Promise<Outcome>((resolve) =>
      channel.call(path, frame(message), { headers, onData: (piece) => pieces.push(piece) }, resolve),
    );
    if (outcome.status !== 0) throw new Error(`${path}: status ${outcome.status}, ${outcome.message}`);
    return Buffer.concat(pieces).subarray(5);
  } finally {
    channel.close();
  }
}
