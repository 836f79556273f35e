import { AppError } from '#libs/errors';

/** One byte of flags and four of length stand before each message of a stream. */
export const headerBytes = 5;
export const compressedFlag = 1;

export function envelope(flags: number, data: Uint8Array): Buffer {
  const bytes = Buffer.allocUnsafe(headerBytes + data.length);
  bytes.writeUInt8(flags, 0);
  bytes.writeUInt32BE(data.length, 1);
  bytes.set(data, headerBytes);
  return bytes;
}

/** The only message of a request, header included. Throws MALFORMED_REQUEST. */
export function openEnvelope(body: Buffer): Buffer {
  const isWhole = body.length >= headerBytes && body.readUInt32BE(1) === body.length - headerBytes;
  if (!isWhole || (body[0] ?? 0) > compressedFlag) {
    throw new AppError('invalid_argument', 'MALFORMED_REQUEST', 'the request is not exactly one complete message');
  }
  return body;
}
