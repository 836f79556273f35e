import { BinaryReader } from '@bufbuild/protobuf/wire';
import { AppError } from '#libs/errors';
import type { MethodDefinition } from './binding.ts';
import type { Interceptor } from './chain.ts';

/**
 * Decodes a request so that nothing damaged passes. Generated code stops without complaint at a zero tag, so that the end of
 * the bytes must be checked; it takes a reader at run time, though the type of `requestDeserialize` says Buffer.
 */
function decodeStrictly(definition: MethodDefinition, bytes: Buffer): unknown {
  const reader = new BinaryReader(bytes);
  const request = definition.requestDeserialize(reader as unknown as Buffer);
  if (reader.pos !== reader.len) throw new Error(`${reader.len - reader.pos} bytes after the end of the message`);
  return request;
}

/** Turns the bytes of the request into its message, or refuses them. */
export function decode(): Interceptor {
  return async (call, next) => {
    try {
      call.request = decodeStrictly(call.method.definition, call.requestBytes);
    } catch (cause) {
      throw new AppError('invalid_argument', 'MALFORMED_REQUEST', 'the request is not a valid message of its type', { cause });
    }
    await next();
  };
}
