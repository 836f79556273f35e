import { createServer, type Socket } from 'node:net';
import { PortTakenError } from '#libs/runtime';
import type { ConnectionRefusal, Peers } from './peers.ts';

export interface ListenerOptions {
  host: string;
  /** 0 takes a free one. */
  port: number;
  peers: Peers;
  onRefused: (address: string, why: ConnectionRefusal) => void;
}

export interface Listener {
  readonly port: number;
  /** Takes no more connections; resolves when those that are there have ended. */
  close(): Promise<void>;
}

/** Closes the connections that a peer may not have, before a byte of them is read. */
function gatekeeper({ peers, onRefused }: ListenerOptions, admit: (socket: Socket) => void): (socket: Socket) => void {
  return (socket) => {
    const address = socket.remoteAddress ?? '';
    const refusal = peers.enter(address);
    if (refusal !== undefined) {
      onRefused(address, refusal);
      return void socket.destroy();
    }
    socket.once('close', () => peers.leave(address));
    admit(socket);
  };
}

/** Listens itself, because grpc-js would take any number of connections. Throws runtime's PortTakenError. */
export async function listen(admit: (socket: Socket) => void, options: ListenerOptions): Promise<Listener> {
  const sockets = createServer(gatekeeper(options, admit));
  await new Promise<void>((resolve, reject) => {
    sockets.once('error', (error: NodeJS.ErrnoException) => reject(error.code === 'EADDRINUSE' ? new PortTakenError('grpc', options.port) : error));
    sockets.listen({ host: options.host, port: options.port }, resolve);
  });
  sockets.on('error', () => undefined);
  const address = sockets.address();
  return { port: typeof address === 'object' && address !== null ? address.port : options.port, close: () => new Promise((resolve) => sockets.close(() => resolve())) };
}
