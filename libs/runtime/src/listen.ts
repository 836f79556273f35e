import type { AddressInfo, Server } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';

/** What a port speaks; the settings of ports are named after it. */
type Protocol = 'grpc' | 'http' | 'rpc';

/** The port belongs to another process. */
export class PortTakenError extends Error {
  override readonly name = 'PortTakenError';
  readonly protocol: Protocol;
  readonly port: number;

  constructor(protocol: Protocol, port: number) {
    super(`the ${protocol} port ${port} is taken`);
    this.protocol = protocol;
    this.port = port;
  }
}

export interface ListenOptions {
  protocol: Protocol;
  host: string;
  /** 0 takes a free port. */
  port: number;
}

/**
 * How long to wait for a taken port. The default ports lie in the range that Linux uses for outgoing connections, so a
 * short connection may hold one for a moment.
 */
const waitMs = 3_000;

function tryListen(server: Server, { host, port }: ListenOptions): Promise<NodeJS.ErrnoException | undefined> {
  return new Promise((resolve) => {
    const settle = (error?: NodeJS.ErrnoException): void => {
      server.off('error', settle).off('listening', settle);
      resolve(error);
    };
    server.once('error', settle).once('listening', settle).listen({ host, port });
  });
}

/** Makes the server listen and returns the port. Throws PortTakenError when another process keeps the port. */
export async function listenOn(server: Server, options: ListenOptions): Promise<number> {
  const giveUp = performance.now() + waitMs;
  for (;;) {
    const error = await tryListen(server, options);
    if (error === undefined) return (server.address() as AddressInfo).port;
    if (error.code !== 'EADDRINUSE') throw error;
    if (performance.now() > giveUp) throw new PortTakenError(options.protocol, options.port);
    await pause(100);
  }
}
