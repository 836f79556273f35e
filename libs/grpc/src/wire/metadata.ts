import type { Metadata } from '@grpc/grpc-js';

/** The metadata key for the token of a calling service. */
export const serviceTokenKey = 'x-taskflow-service';

/** What the client calls itself when another program sends its call. gRPC-Web uses this key too. */
export const forwardedUserAgentKey = 'x-user-agent';

/** The value of a text key; undefined when there is none or more than one. */
export function textOf(metadata: Metadata, key: string): string | undefined {
  const values = metadata.get(key);
  return values.length === 1 ? String(values[0]) : undefined;
}
