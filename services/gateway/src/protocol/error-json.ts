import { fromBinary, toJson, type JsonValue } from '@bufbuild/protobuf';
import { ConnectError } from '@connectrpc/connect';
import { fileRegistry } from '#libs/contract';
import type { Status } from '#google/rpc/status';

const prefix = 'type.googleapis.com/';

/** A detail in words, for people and for programs that know no protobuf. */
function debugOf(type: string, value: Uint8Array): JsonValue | undefined {
  const message = fileRegistry.getMessage(type);
  if (message === undefined) return undefined;
  try {
    return toJson(message, fromBinary(message, value), { registry: fileRegistry });
  } catch {
    // The detail itself is passed on all the same.
    return undefined;
  }
}

/** A status in the form of Connect's library: the same code, message and details. */
export function toConnectError({ code, message, details }: Status): ConnectError {
  const error = new ConnectError(message, code);
  error.details = details.map(({ typeUrl, value }) => {
    const type = typeUrl.startsWith(prefix) ? typeUrl.slice(prefix.length) : typeUrl;
    const debug = debugOf(type, value);
    return { type, value: new Uint8Array(value), ...(debug !== undefined && { debug }) };
  });
  return error;
}
