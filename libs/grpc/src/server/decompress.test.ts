import { deflateSync, gzipSync } from 'node:zlib';
import { describe, expect, it } from '@jest/globals';
import { status } from '@grpc/grpc-js';
import { createDecompressor } from './decompress.ts';

const maxBytes = 4 * 1024 * 1024;
const decompress = createDecompressor(maxBytes);
const header = Buffer.alloc(5);
const unpack = async (packed: Buffer, encoding = 'gzip'): Promise<Buffer> => decompress(Buffer.concat([header, packed]), encoding);

/** gzip says at its end how much it holds; this one says something else. */
function claiming(bytes: number, packed: Buffer): Buffer {
  const copy = Buffer.from(packed);
  copy.writeUInt32LE(bytes, copy.length - 4);
  return copy;
}

describe('unpacking a message', () => {
  it.each(['gzip', 'deflate'])('gives back what was packed by %s, up to the limit, many at a time', async (encoding) => {
    const pack = encoding === 'gzip' ? gzipSync : deflateSync;
    const messages = [0, 1, 1000, 100_000, maxBytes].map((length) => Buffer.alloc(length, 'text'));
    const unpacked = await Promise.all([...messages, ...messages].map(async (message) => unpack(pack(message), encoding)));
    expect(unpacked.map((bytes, index) => bytes.equals(messages[index % messages.length] ?? header))).toEqual(unpacked.map(() => true));
  });

  it.each([
    ['gzip', gzipSync(Buffer.alloc(maxBytes + 1))],
    ['deflate', deflateSync(Buffer.alloc(maxBytes + 1))],
    ['gzip', gzipSync(Buffer.alloc(16 * maxBytes))],
    ['gzip', claiming(0xffff_ffff, gzipSync(Buffer.alloc(16 * maxBytes)))],
  ])('refuses more than the limit by %s', async (encoding, packed) => {
    await expect(unpack(packed, encoding)).rejects.toMatchObject({ code: status.RESOURCE_EXHAUSTED });
  });

  it.each([10, 0])('takes gzip that holds more than the %i bytes it claims for damaged', async (claim) => {
    await expect(unpack(claiming(claim, gzipSync(Buffer.alloc(16 * maxBytes))))).rejects.toMatchObject({ code: status.INTERNAL });
  });

  it('refuses what cannot be unpacked, and goes on with the next', async () => {
    const damaged = Array.from({ length: 10 }, (_, count) => unpack(count % 2 === 0 ? Buffer.from('no gzip at all') : gzipSync(Buffer.alloc(1000, 'text')).subarray(0, -6)));
    for (const one of await Promise.allSettled(damaged)) expect(one).toMatchObject({ status: 'rejected', reason: { code: status.INTERNAL } });
    await expect(unpack(gzipSync(Buffer.alloc(1)), 'br')).rejects.toMatchObject({ code: status.UNIMPLEMENTED });
    expect(await unpack(gzipSync(Buffer.from('a')))).toEqual(Buffer.from('a'));
  });
});
