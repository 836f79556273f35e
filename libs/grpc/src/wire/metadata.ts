import type { Metadata } from '@grpc/grpc-js';

/** The value of a text key; undefined when it is absent or was sent more than once with several values. */
export function textOf(metadata: Metadata, key: string): string | undefined {
  const values = metadata.get(key);
  return values.length === 1 ? String(values[0]) : undefined;
}
