import { deflateSync, gzipSync } from 'node:zlib';
import { describe, expect, it } from '@jest/globals';
import { status } from '@grpc/grpc-js';
import { createDecompressor } from './decompress.ts';

const maxBytes = 4 * 1024 * 1024;
const decompress = createDecompressor(maxBytes);
const header = Buffer.alloc(5);
const unpack = async (packed: Buffer, encoding = 'gzip'): Promise<Buffer> =>
  decompress(Buffer.concat([header, packed]), encoding);

/** gzip whose end states another size. */
function claiming(bytes: number, packed: Buffer): Buffer {
  const copy = Buffer.from(packed);
  copy.writeUInt32LE(bytes, copy.length - 4);
  return copy;
}

describe('unpacking a message', () => {
  it.each(['gzip', 'deflate'])('restores what %s packed, up to the limit, many at a time', async (encoding) => {
    const pack = encoding === 'gzip' ? gzipSync : deflateSync;
    const messages = [0, 1, 1000, 100_000, maxBytes].map((length) => Buffer.alloc(length, 'text'));
    const unpacked = await Promise.all(
      [...messages, ...messages].map(async (message) => unpack(pack(message), encoding)),
    );
    expect(unpacked.map((bytes, index) => bytes.equals(messages[index % messages.length] ?? header))).toEqual(
      unpacked.map(() => true),
    );
  });

  it.each([
    ['gzip', gzipSync(Buffer.alloc(maxBytes + 1))],
    ['deflate', deflateSync(Buffer.alloc(maxBytes + 1))],
    ['gzip', gzipSync(Buffer.alloc(16 * maxBytes))],
    ['gzip', claiming(0xffff_ffff, gzipSync(Buffer.alloc(16 * maxBytes)))],
  ])('refuses more than the limit by %s', async (encoding, packed) => {
    await expect(unpack(packed, encoding)).rejects.toMatchObject({ code: status.RESOURCE_EXHAUSTED });
  });

  it('reads all members of gzip, and no more than the limit', async () => {
    const members = (sizes: number[]) => Buffer.concat(sizes.map((size) => gzipSync(Buffer.alloc(size, 'a'))));
    expect(await unpack(members([3, maxBytes / 2, 5]))).toEqual(Buffer.alloc(maxBytes / 2 + 8, 'a'));
    await expect(unpack(members([maxBytes, 5]))).rejects.toMatchObject({ code: status.RESOURCE_EXHAUSTED });
  });

  it.each([10, 0])('treats gzip that holds more than the %i bytes it states as damaged', async (claim) => {
    await expect(unpack(claiming(claim, gzipSync(Buffer.alloc(maxBytes / 2))))).rejects.toMatchObject({
      code: status.INVALID_ARGUMENT,
    });
  });

  it('refuses damaged messages, and goes on with the next', async () => {
    const damaged = Array.from({ length: 10 }, (_, count) =>
      unpack(count % 2 === 0 ? Buffer.from('no gzip at all') : gzipSync(Buffer.alloc(1000, 'text')).subarray(0, -6)),
    );
    for (const one of await Promise.allSettled(damaged))
      expect(one).toMatchObject({ status: 'rejected', reason: { code: status.INVALID_ARGUMENT } });
    await expect(unpack(gzipSync(Buffer.alloc(1)), 'br')).rejects.toMatchObject({ code: status.UNIMPLEMENTED });
    expect(await unpack(gzipSync(Buffer.from('a')))).toEqual(Buffer.from('a'));
  });

  it.each([1, 2, 255])('refuses a message with the flag %i and no compression', async (flag) => {
    await expect(decompress(Buffer.from([flag, 0, 0, 0, 1, 7]), 'identity')).rejects.toMatchObject({
      code: status.INVALID_ARGUMENT,
    });
    expect(decompress(Buffer.from([0, 0, 0, 0, 1, 7]), 'identity')).toEqual(Buffer.from([7]));
  });
});
