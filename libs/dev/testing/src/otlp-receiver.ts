import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gunzipSync } from 'node:zlib';
import { BinaryReader, WireType } from '@bufbuild/protobuf/wire';

/** A span as it arrived, with the service that sent it. */
export interface ReceivedSpan {
  service: string;
  traceId: string;
  spanId: string;
  /** '' for the first of a trace. */
  parentId: string;
  name: string;
  /** 1 internal, 2 server, 3 client, 4 producer, 5 consumer. */
  kind: number;
  attributes: Record<string, string | number | boolean>;
  events: string[];
  /** The ids of the spans that it links to. */
  links: string[];
  failed: boolean;
}

/** Takes what services export by OTLP (http/protobuf), as a collector would. */
export interface OtlpReceiver {
  url: string;
  spans: readonly ReceivedSpan[];
  /** Everything that was received, as bytes one behind the other. */
  received(): Buffer;
  stop(): Promise<void>;
}

type Fields = Map<number, (Uint8Array | bigint | number)[]>;

function readField(reader: BinaryReader, type: WireType): Uint8Array | bigint | number {
  switch (type) {
    case WireType.Varint:
      return BigInt(reader.int64());
    case WireType.Bit64:
      return BigInt(reader.fixed64());
    case WireType.Bit32:
      return reader.fixed32();
    default:
      return reader.bytes();
  }
}

/** The fields of a message by their numbers; the meaning of the numbers: opentelemetry-proto, trace/v1/trace.proto. */
function fieldsOf(bytes: Uint8Array): Fields {
  const reader = new BinaryReader(bytes);
  const fields: Fields = new Map();
  while (reader.pos < reader.len) {
    const [number, type] = reader.tag();
    fields.set(number, [...(fields.get(number) ?? []), readField(reader, type)]);
  }
  return fields;
}

const bytesOf = (fields: Fields, number: number): Uint8Array[] =>
  (fields.get(number) ?? []).filter((value) => value instanceof Uint8Array);
const textOf = (fields: Fields, number: number): string =>
  Buffer.from(bytesOf(fields, number)[0] ?? []).toString('utf8');
const hexOf = (fields: Fields, number: number): string => Buffer.from(bytesOf(fields, number)[0] ?? []).toString('hex');
const numberOf = (fields: Fields, number: number): number => Number(fields.get(number)?.[0] ?? 0);
const messages = (fields: Fields, number: number): Fields[] => bytesOf(fields, number).map(fieldsOf);

function valueOf(value: Fields | undefined): string | number | boolean {
  if (value?.has(2) === true) return numberOf(value, 2) === 1;
  if (value?.has(3) === true) return numberOf(value, 3);
  return value === undefined ? '' : textOf(value, 1);
}

function attributesOf(fields: Fields, number: number): ReceivedSpan['attributes'] {
  return Object.fromEntries(
    messages(fields, number).map((entry) => [textOf(entry, 1), valueOf(messages(entry, 2)[0])]),
  );
}

function toSpan(service: string, span: Fields): ReceivedSpan {
  return {
    service,
    traceId: hexOf(span, 1),
    spanId: hexOf(span, 2),
    parentId: hexOf(span, 4),
    name: textOf(span, 5),
    kind: numberOf(span, 6),
    attributes: attributesOf(span, 9),
    events: messages(span, 11).map((event) => textOf(event, 2)),
    links: messages(span, 13).map((link) => hexOf(link, 2)),
    failed: messages(span, 15).some((status) => numberOf(status, 3) === 2),
  };
}

function spansOf(body: Buffer): ReceivedSpan[] {
  return messages(fieldsOf(body), 1).flatMap((resourceSpans) => {
    const [resource = new Map()] = messages(resourceSpans, 1);
    const service = String(attributesOf(resource, 1)['service.name'] ?? '');
    return messages(resourceSpans, 2).flatMap((scopeSpans) =>
      messages(scopeSpans, 2).map((span) => toSpan(service, span)),
    );
  });
}

export async function startOtlpReceiver(): Promise<OtlpReceiver> {
  const spans: ReceivedSpan[] = [];
  const bodies: Buffer[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const raw = Buffer.concat(chunks);
      const body = request.headers['content-encoding'] === 'gzip' ? gunzipSync(raw) : raw;
      const expected =
        request.method === 'POST' &&
        request.url === '/v1/traces' &&
        request.headers['content-type'] === 'application/x-protobuf';
      if (expected) {
        bodies.push(body);
        spans.push(...spansOf(body));
      }
      response.writeHead(expected ? 200 : 404, { 'content-type': 'application/x-protobuf' }).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    spans,
    received: () => Buffer.concat(bodies),
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
