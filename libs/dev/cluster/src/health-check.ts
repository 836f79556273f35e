import { Client } from '@grpc/grpc-js';
import { channelCredentials } from '#libs/grpc';
import type { Certificates } from '#libs/runtime';

/**
 * Whether the gRPC server at the address reports SERVING for itself as a whole. The two messages of grpc.health.v1 are
 * small enough to stand here as bytes: the request is empty, the answer's field 1 is the status, 1 = SERVING.
 */
export async function isServing(
  address: string,
  { deadlineMs = 2_000, certificates }: { deadlineMs?: number; certificates?: Certificates | undefined } = {},
): Promise<boolean> {
  const { credentials, options } = channelCredentials(certificates, address);
  const client = new Client(address, credentials, { ...options, 'grpc.use_local_subchannel_pool': 1 });
  try {
    return await new Promise<boolean>((resolve) => {
      client.makeUnaryRequest<Uint8Array, Buffer>(
        '/grpc.health.v1.Health/Check',
        (bytes) => Buffer.from(bytes),
        (bytes) => bytes,
        new Uint8Array(),
        { deadline: Date.now() + deadlineMs },
        (error, answer) => resolve(error === null && answer?.[0] === 0x08 && answer[1] === 0x01),
      );
    });
  } finally {
    client.close();
  }
}

/** Whether the HTTP port of a process says that it is ready. */
export async function isReady(address: string): Promise<boolean> {
  return fetch(`${address}/readyz`).then(
    ({ ok }) => ok,
    () => false,
  );
}
