import { createSocket } from 'node:dgram';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';

/**
 * Has grpc-js resolve names at the server in the target instead of the system's. It reads the variable of the same name
 * when it is loaded, which is before this file when other tests have run in this process.
 */
const resolution = createRequire(import.meta.url)('@grpc/grpc-js/build/src/environment.js') as {
  GRPC_NODE_USE_ALTERNATIVE_RESOLVER: boolean;
};

export interface Names {
  port: number;
  /** The answer, which a test may change. */
  addresses: string[];
  stop(): void;
}

/** A name server that answers all queries for IPv4 addresses with these addresses. */
export async function startNames(): Promise<Names> {
  const socket = createSocket('udp4');
  const stop = (): void => {
    resolution.GRPC_NODE_USE_ALTERNATIVE_RESOLVER = false;
    socket.close();
  };
  resolution.GRPC_NODE_USE_ALTERNATIVE_RESOLVER = true;
  const names: Names = { port: 0, addresses: [], stop };
  socket.on('message', (query, { port, address }) => {
    const end = query.indexOf(0, 12) + 5;
    const isIpv4 = query.readUInt16BE(end - 4) === 1;
    const answers = isIpv4 ? names.addresses : [];
    const head = Buffer.from(query.subarray(0, 12));
    head.writeUInt16BE(0x8180, 2);
    head.writeUInt16BE(answers.length, 6);
    head.writeUInt16BE(0, 8);
    head.writeUInt16BE(0, 10);
    const records = answers.map((ip) =>
      Buffer.from([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 0, 0, 4, ...ip.split('.').map(Number)]),
    );
    socket.send(Buffer.concat([head, query.subarray(12, end), ...records]), port, address);
  });
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
  names.port = (socket.address() as AddressInfo).port;
  return names;
}
