import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { createDecompressor, maxMessageBytes, toLibraryError } from '#libs/grpc';

/** The compressions of requests and answers. */
export const encodings = ['identity', 'gzip'] as const;

/** Smaller answers do not become smaller on the wire. */
const minBytes = 1024;

const pack = promisify(gzip);
const unpack = createDecompressor(maxMessageBytes);

/** Unpacks a message with its header. Throws REQUEST_TOO_LARGE and MALFORMED_REQUEST. */
export async function decompress(enveloped: Buffer, encoding: string): Promise<Buffer> {
  try {
    return await unpack(enveloped, encoding);
  } catch (fault) {
    const { code, details } = fault as { code: number; details: string };
    throw toLibraryError(code, details);
  }
}

export const acceptsGzip = (accepted: string): boolean =>
  accepted.split(',').some((part) => /^\s*gzip\s*(;\s*q\s*=\s*(1|0?\.\d*[1-9]\d*))?\s*$/i.test(part));

/** The message as it is sent; the original when packing does not pay or the client would not understand. */
export async function compress(data: Uint8Array, accepted: string): Promise<{ data: Uint8Array; isPacked: boolean }> {
  if (data.length < minBytes || !acceptsGzip(accepted)) return { data, isPacked: false };
  return { data: await pack(data), isPacked: true };
}
