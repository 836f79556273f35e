import { Client, credentials, Metadata, type ClientUnaryCall, type MetadataValue } from '@grpc/grpc-js';
import { BadRequest, ErrorInfo, RequestInfo, RetryInfo } from '#google/rpc/error_details';
import { Status } from '#google/rpc/status';

export interface RawCallOptions {
  metadata?: Record<string, string>;
  deadlineMs?: number;
}

const codecs = { ErrorInfo, RequestInfo, BadRequest, RetryInfo } as const;
type Details = { [N in keyof typeof codecs]?: ReturnType<(typeof codecs)[N]['decode']> };

export interface RawAnswer {
  code: number;
  message: string;
  bytes: Buffer | undefined;
  header: Record<string, MetadataValue>;
  trailer: Record<string, MetadataValue>;
  details: Details;
}

function readDetails(metadata: Metadata): Details {
  const [bytes] = metadata.get('grpc-status-details-bin');
  if (!(bytes instanceof Buffer)) return {};
  const found = Status.decode(bytes).details.map((any) => {
    const name = any.typeUrl.split('.').at(-1) as keyof typeof codecs;
    return [name, codecs[name]?.decode(any.value)];
  });
  return Object.fromEntries(found) as Details;
}

const identity = (bytes: Buffer): Buffer => bytes;

/** A client that knows nothing of the contract: it sends and receives bytes. */
export class RawClient {
  readonly #client: Client;

  constructor(address: string) {
    this.#client = new Client(address, credentials.createInsecure());
  }

  call(path: string, bytes: Uint8Array, options: RawCallOptions = {}): Promise<RawAnswer> {
    return this.start(path, bytes, options).answer;
  }

  /** The same, with the call itself, to cancel it. */
  start(path: string, bytes: Uint8Array, { metadata = {}, deadlineMs }: RawCallOptions = {}): { call: ClientUnaryCall; answer: Promise<RawAnswer> } {
    const sent = new Metadata();
    for (const [key, value] of Object.entries(metadata)) sent.set(key, value);
    let header: Record<string, MetadataValue> = {};
    let response: Buffer | undefined;
    const options = deadlineMs === undefined ? {} : { deadline: Date.now() + deadlineMs };
    const call = this.#client.makeUnaryRequest<Buffer, Buffer>(path, identity, identity, Buffer.from(bytes), sent, options, (_error, received) => {
      response = received;
    });
    call.on('metadata', (received: Metadata) => (header = received.getMap()));
    const answer = new Promise<RawAnswer>((resolve) => {
      call.on('status', ({ code, details: message, metadata: trailer }) => {
        // The callback runs right before or after this event.
        setImmediate(() => resolve({ code, message, bytes: response, header, trailer: trailer.getMap(), details: readDetails(trailer) }));
      });
    });
    return { call, answer };
  }

  get client(): Client {
    return this.#client;
  }

  close(): void {
    this.#client.close();
  }
}
