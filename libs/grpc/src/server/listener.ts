import { createServer, type Socket } from 'node:net';
import { PortTakenError } from '#libs/runtime';

export interface ListenerOptions {
  host: string;
  /** 0 takes a free one. */
  port: number;
  /** Further connections of the same address are closed at once. */
  connectionsPerPeer: number;
  /** Addresses that speak for many peers and may have as many connections as they like. */
  isExempt: (address: string) => boolean;
  onRefused: (address: string) => void;
}

export interface Listener {
  readonly port: number;
  /** Takes no more connections; resolves when those that are there have ended. */
  close(): Promise<void>;
}

/** Counts the connections of each address and closes those beyond the limit, before a byte of them is read. */
function gatekeeper({ connectionsPerPeer, isExempt, onRefused }: ListenerOptions, admit: (socket: Socket) => void): (socket: Socket) => void {
  const counts = new Map<string, number>();
  const leave = (address: string): void => {
    const left = (counts.get(address) ?? 1) - 1;
    if (left === 0) counts.delete(address);
    else counts.set(address, left);
  };
  return (socket) => {
    const address = socket.remoteAddress ?? '';
    const count = (counts.get(address) ?? 0) + 1;
    if (count > connectionsPerPeer && !isExempt(address)) {
      onRefused(address);
      return void socket.destroy();
    }
    counts.set(address, count);
    socket.once('close', () => leave(address));
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
