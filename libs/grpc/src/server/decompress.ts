import { promisify } from 'node:util';
import { gunzip, inflate, type InputType, type ZlibOptions } from 'node:zlib';
import { status as Code, type ServerInterceptingCallInterface } from '@grpc/grpc-js';

/** What grpc-js takes for the status of a message that cannot be unpacked. */
interface Fault {
  code: Code;
  details: string;
}

/** Unpacks one message with its five bytes of header. Rejects with the status that the call ends with. */
export type Decompress = (message: Buffer, encoding: string) => Buffer | Promise<Buffer>;

const headerBytes = 5;
/** As many as there are threads for it: more at a time would only hold more memory. */
const atATime = 4;
/** Pieces of an output of unknown size: with smaller ones the garbage collector takes longer than the unpacking. */
const pieceBytes = 256 * 1024;
/** No smaller piece is possible. */
const minPieceBytes = 64;
/** No compression of deflate is higher. */
const maxRatio = 1032;

type Unpack = (packed: InputType, options: ZlibOptions) => Promise<Buffer>;
const codecs: Readonly<Record<string, Unpack>> = { gzip: promisify(gunzip), deflate: promisify(inflate) };

const tooLarge = (maxBytes: number): Fault => ({ code: Code.RESOURCE_EXHAUSTED, details: `Received message that decompresses to a size larger than ${maxBytes}` });
const damaged: Fault = { code: Code.INTERNAL, details: 'Failed to decompress message' };

/** gzip says at its end how much it holds. undefined: nothing is said, or what cannot be true. */
function claimOf(packed: Buffer, encoding: string): number | undefined {
  if (encoding !== 'gzip' || packed.length < 4) return undefined;
  const claim = packed.readUInt32LE(packed.length - 4);
  return claim > packed.length * maxRatio ? undefined : claim;
}

/** Unpacks no more than was claimed, so that nobody gains by a false claim. */
async function unpackAtMost(unpack: Unpack, packed: Buffer, { claim, maxBytes }: { claim: number | undefined; maxBytes: number }): Promise<Buffer> {
  try {
    if (claim === undefined) return await unpack(packed, { maxOutputLength: maxBytes, chunkSize: pieceBytes });
    return await unpack(packed, { maxOutputLength: Math.max(claim, 1), chunkSize: Math.max(claim + 1, minPieceBytes) });
  } catch (error) {
    const exceeded = (error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE';
    throw exceeded && claim === undefined ? tooLarge(maxBytes) : damaged;
  }
}

/** Runs so many at a time, the others in their order. */
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
 * Unpacks messages of at most so many bytes. A message that unpacks to a thousand times its size costs the time for the bytes
 * that are allowed, away from the event loop, or none when it says itself that it is too large.
 */
export function createDecompressor(maxBytes: number): Decompress {
  const run = createLanes(atATime);
  const fail = (fault: Fault): Promise<never> => Promise.reject(fault);
  return (message, encoding) => {
    const packed = message.subarray(headerBytes);
    if (encoding === 'identity') return packed;
    const unpack = codecs[encoding];
    if (unpack === undefined) return fail({ code: Code.UNIMPLEMENTED, details: `Received message compressed with unsupported encoding "${encoding}"` });
    const claim = claimOf(packed, encoding);
    if (claim !== undefined && claim > maxBytes) return fail(tooLarge(maxBytes));
    return run(() => unpackAtMost(unpack, packed, { claim, maxBytes }));
  };
}

/**
 * Has the messages of a call unpacked by it. grpc-js itself collects pieces of 16 KiB by events: a message that unpacks to more
 * than is allowed took 12 ms of CPU so, most of it in the garbage collector, which stops everybody.
 */
export function unpackBy(decompress: Decompress, call: ServerInterceptingCallInterface): void {
  (call as unknown as { decompressMessage: Decompress }).decompressMessage = decompress;
}
