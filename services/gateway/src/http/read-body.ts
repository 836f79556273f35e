import { AppError } from '#libs/errors';
import { maxMessageBytes, overloaded, type Permit } from '#libs/grpc';
import { headerBytes } from '../protocol/envelope.ts';
import type { HttpRequest } from './answer.ts';

/** A message and the header before it. */
const maxBytes = maxMessageBytes + headerBytes;

const tooLarge = (): AppError => new AppError('resource_exhausted', 'REQUEST_TOO_LARGE', 'the request is too large');

const brokenOff = (): AppError =>
  new AppError('cancelled', 'CANCELLED', 'the caller gave up before the request was complete');

/** Reads the whole body. Throws REQUEST_TOO_LARGE, OVERLOADED, and CANCELLED when the client goes away. */
export function readBody(request: HttpRequest, permit: Pick<Permit, 'receive'>): Promise<Buffer> {
  if (Number(request.headers['content-length'] ?? 0) > maxBytes) return Promise.reject(tooLarge());
  return new Promise((resolve, reject) => {
    const parts: Buffer[] = [];
    let size = 0;
    const finish = (settle: () => void): void => {
      request.off('data', onData).off('end', onEnd).off('error', onBroken).off('close', onBroken);
      settle();
    };
    const onData = (part: Buffer): void => {
      size += part.length;
      if (size > maxBytes) finish(() => reject(tooLarge()));
      else if (!permit.receive(part.length)) finish(() => reject(overloaded()));
      else parts.push(part);
    };
    const onEnd = (): void => finish(() => resolve(parts.length === 1 ? (parts[0] as Buffer) : Buffer.concat(parts)));
    const onBroken = (): void => finish(() => reject(brokenOff()));
    request.on('data', onData).on('end', onEnd).on('error', onBroken).on('close', onBroken);
    request.resume();
  });
}
