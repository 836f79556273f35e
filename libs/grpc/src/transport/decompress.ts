import { promisify } from 'node:util';
import { gunzip, inflate, type InputType, type ZlibOptions } from 'node:zlib';
import { status as Code } from '@grpc/grpc-js';
import type { Decompress } from '../wire/grpc-js-internals.ts';

/** An error that grpc-js turns into the status of the call. */
interface Fault {
  code: Code;
  details: string;
}

const headerBytes = 5;
/** The number of zlib threads. More at a time would only use more memory. */
const atATime = 4;
/** The chunk size for output of unknown size. With smaller chunks garbage collection takes longer than unpacking. */
const pieceBytes = 256 * 1024;
/** The minimum of zlib. */
const minPieceBytes = 64;
/** The highest compression of deflate. */
const maxRatio = 1032;

type Unpack = (packed: InputType, options: ZlibOptions) => Promise<Buffer>;
const codecs: Readonly<Record<string, Unpack>> = { gzip: promisify(gunzip), deflate: promisify(inflate) };

const tooLarge = (maxBytes: number): Fault => ({
  code: Code.RESOURCE_EXHAUSTED,
  details: `Received message that decompresses to a size larger than ${maxBytes}`,
});
const damaged: Fault = { code: Code.INVALID_ARGUMENT, details: 'the message cannot be unpacked' };
const wrongFlag: Fault = {
  code: Code.INVALID_ARGUMENT,
  details: 'the flag of the message says that it is compressed, and grpc-encoding does not say how',
};

/** The size that gzip states at its end, of its last member; undefined when there is none or it is impossible. */
function claimOf(packed: Buffer, encoding: string): number | undefined {
  if (encoding !== 'gzip' || packed.length < 4) return undefined;
  const claim = packed.readUInt32LE(packed.length - 4);
  return claim > packed.length * maxRatio ? undefined : claim;
}

const isExceeded = (error: unknown): boolean => (error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE';

async function unpackAtMost(unpack: Unpack, packed: Buffer, maxBytes: number): Promise<Buffer> {
  try {
    return await unpack(packed, { maxOutputLength: maxBytes, chunkSize: pieceBytes });
  } catch (error) {
    throw isExceeded(error) ? tooLarge(maxBytes) : damaged;
  }
}

/** Unpacks into one piece of the stated size; undefined when there is more, from other members or by a false size. */
async function unpackClaimed(unpack: Unpack, packed: Buffer, claim: number): Promise<Buffer | undefined> {
  try {
    const chunkSize = Math.max(claim + 1, minPieceBytes);
    return await unpack(packed, { maxOutputLength: Math.max(claim, 1), chunkSize });
  } catch (error) {
    if (isExceeded(error)) return undefined;
    throw damaged;
  }
}

/** Runs at most `count` tasks at a time, in their order. */
function createLanes(count: number): <T>(work: () => Promise<T>) => Promise<T> {
  let free = count;
  const waiting: (() => void)[] = [];
  return async (work) => {
    if (free > 0) free -= 1;
    else await new Promise<void>((resolve) => waiting.push(resolve));
    try {
      return await work();
    } finally {
      const next = waiting.shift();
      if (next === undefined) free += 1;
      else next();
    }
  };
}

/**
 * Unpacks messages of at most `maxBytes`, outside the event loop. A message that unpacks to a thousand times its size
 * costs the time for `maxBytes`, or nothing when it states its size. gzip may have several members.
 */
export function createDecompressor(maxBytes: number): Decompress {
  const run = createLanes(atATime);
  const fail = (fault: Fault): Promise<never> => Promise.reject(fault);
  return (message, encoding) => {
    const packed = message.subarray(headerBytes);
    if (encoding === 'identity') return message[0] === 0 ? packed : fail(wrongFlag);
    const unpack = codecs[encoding];
    if (unpack === undefined)
      return fail({
        code: Code.UNIMPLEMENTED,
        details: `Received message compressed with unsupported encoding "${encoding}"`,
      });
    const claim = claimOf(packed, encoding);
    if (claim !== undefined && claim > maxBytes) return fail(tooLarge(maxBytes));
    return run(
      async () =>
        (claim === undefined ? undefined : await unpackClaimed(unpack, packed, claim)) ??
        (await unpackAtMost(unpack, packed, maxBytes)),
    );
  };
}
