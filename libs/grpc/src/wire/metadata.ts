import type { Metadata } from '@grpc/grpc-js';

/** The metadata key for the token of a calling service. */
export const serviceTokenKey = 'x-taskflow-service';

/** The value of a text key; undefined when there is none or more than one. */
export function textOf(metadata: Metadata, key: string): string | undefined {
  const values = metadata.get(key);
  return values.length === 1 ? String(values[0]) : undefined;
}
