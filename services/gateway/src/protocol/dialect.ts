import { parseContentType as parseConnectType } from '@connectrpc/connect/protocol-connect';
import { parseContentType as parseWebType } from '@connectrpc/connect/protocol-grpc-web';

/** How a client talks: the framing of its messages, the names of its headers, and the form of messages. */
export interface Dialect {
  name: 'connect' | 'connect-stream' | 'grpc-web';
  /** Messages are protobuf, not JSON. */
  isBinary: boolean;
  /** The content type of answers. */
  contentType: string;
  timeoutKey: 'connect-timeout-ms' | 'grpc-timeout';
  /** Says how messages are compressed. */
  encodingKey: string;
  /** Says which compressions the client reads. */
  acceptKey: string;
}

const formatOf = (isBinary: boolean): string => (isBinary ? 'proto' : 'json');

/** Connect without streams, which is also what plain JSON is. */
export const unaryDialect = (isBinary: boolean): Dialect => ({
  name: 'connect',
  isBinary,
  contentType: `application/${formatOf(isBinary)}`,
  timeoutKey: 'connect-timeout-ms',
  encodingKey: 'content-encoding',
  acceptKey: 'accept-encoding',
});

const streamDialect = (isBinary: boolean): Dialect => ({
  name: 'connect-stream',
  isBinary,
  contentType: `application/connect+${formatOf(isBinary)}`,
  timeoutKey: 'connect-timeout-ms',
  encodingKey: 'connect-content-encoding',
  acceptKey: 'connect-accept-encoding',
});

const webDialect = (isBinary: boolean): Dialect => ({
  name: 'grpc-web',
  isBinary,
  contentType: `application/grpc-web+${formatOf(isBinary)}`,
  timeoutKey: 'grpc-timeout',
  encodingKey: 'grpc-encoding',
  acceptKey: 'grpc-accept-encoding',
});

const withCharset = /^\s*([^\s;]+)\s*;\s*charset\s*=\s*(?:utf-?8|"utf-?8")\s*;?\s*$/i;

/** "application/json" of `application/json; Charset="UTF-8"`. Others stay as they are. */
function withoutCharset(contentType: string): string {
  const [, type = ''] = withCharset.exec(contentType) ?? [];
  return /json$/i.test(type) ? type : contentType.trim();
}

/** undefined for a content type that no dialect has. */
export function findDialect(header: string): Dialect | undefined {
  const contentType = withoutCharset(header);
  const connect = parseConnectType(contentType);
  if (connect !== undefined) return (connect.stream ? streamDialect : unaryDialect)(connect.binary);
  const web = parseWebType(contentType);
  // The base64 form is for browsers of long ago.
  return web === undefined || web.text ? undefined : webDialect(web.binary);
}
