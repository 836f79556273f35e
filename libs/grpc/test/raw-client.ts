import { Client, credentials, Metadata, status, type ClientUnaryCall, type MetadataValue } from '@grpc/grpc-js';
import { BadRequest, ErrorInfo, RequestInfo, RetryInfo } from '#google/rpc/error_details';
import { Status } from '#google/rpc/status';

interface RawCallOptions {
  metadata?: Record<string, string>;
  deadlineMs?: number;
}

const codecs = { ErrorInfo, RequestInfo, BadRequest, RetryInfo } as const;
type Details = { [N in keyof typeof codecs]?: ReturnType<(typeof codecs)[N]['decode']> };

export interface RawAnswer {
  code: number;
  /** The name of the code, and the reason in ErrorInfo. */
  outcome: [code: string | undefined, reason: string | undefined];
  message: string;
  bytes: Buffer | undefined;
  header: Record<string, MetadataValue>;
  trailer: Record<string, MetadataValue>;
  details: Details;
}

/** The details of a serialized google.rpc.Status, by their names. */
export function decodeDetails(bytes: unknown): Details {
  if (!(bytes instanceof Buffer)) return {};
  const found = Status.decode(bytes).details.map((any) => {
    const name = any.typeUrl.split('.').at(-1) as keyof typeof codecs;
    return [name, codecs[name]?.decode(any.value)];
  });
  return Object.fromEntries(found) as Details;
}

const identity = (bytes: Buffer): Buffer => bytes;

/** A client without the contract: it sends and receives bytes. */
export class RawClient {
  readonly client: Client;

  constructor(address: string) {
    this.client = new Client(address, credentials.createInsecure());
  }

  call(path: string, bytes: Uint8Array, options: RawCallOptions = {}): Promise<RawAnswer> {
    return this.start(path, bytes, options).answer;
  }

  /** The same, with the call, to cancel it. */
  start(
    path: string,
    bytes: Uint8Array,
    { metadata = {}, deadlineMs }: RawCallOptions = {},
  ): { call: ClientUnaryCall; answer: Promise<RawAnswer> } {
    const sent = new Metadata();
    for (const [key, value] of Object.entries(metadata)) sent.set(key, value);
    const options = deadlineMs === undefined ? {} : { deadline: Date.now() + deadlineMs };
    let header: RawAnswer['header'] = {};
    let response: Buffer | undefined;
    const onResponse = (_error: unknown, received?: Buffer): void => void (response = received);
    const body = Buffer.from(bytes);
    const call = this.client.makeUnaryRequest(path, identity, identity, body, sent, options, onResponse);
    call.on('metadata', (received: Metadata) => (header = received.getMap()));
    const answer = new Promise<RawAnswer>((resolve) => {
      call.on('status', ({ code, details: message, metadata }) => {
        const details = decodeDetails(metadata.get('grpc-status-details-bin')[0]);
        const outcome: RawAnswer['outcome'] = [status[code], details.ErrorInfo?.reason];
        const trailer = metadata.getMap();
        // The callback runs right before or after this event.
        setImmediate(() => resolve({ code, outcome, message, bytes: response, header, trailer, details }));
      });
    });
    return { call, answer };
  }

  close(): void {
    this.client.close();
  }
}
