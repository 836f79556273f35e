import { createServer, type Socket } from 'node:net';
import { listenOn } from '#libs/runtime';
import type { ConnectionRefusal, Peers } from './peers.ts';

export interface ListenerOptions {
  /** The address to listen on: "0.0.0.0", "127.0.0.1", "::". */
  host: string;
  /** 0 takes a free one. */
  port: number;
  /** Default: grpc. */
  protocol?: 'grpc' | 'rpc';
  peers: Peers;
  onRefused: (address: string, why: ConnectionRefusal) => void;
}

export interface Listener {
  readonly port: number;
  /** Accepts no more connections. Resolves when the open ones have ended. */
  close(): Promise<void>;
}

/** Closes connections beyond the limits of their peer before reading from them. */
function limitConnections(
  { peers, onRefused }: ListenerOptions,
  accept: (socket: Socket) => void,
): (socket: Socket) => void {
  return (socket) => {
    const address = socket.remoteAddress ?? '';
    const refusal = peers.enter(address);
    if (refusal !== undefined) {
      onRefused(address, refusal);
      return void socket.destroy();
    }
    socket.once('close', () => peers.leave(address));
    accept(socket);
  };
}

/** Listens instead of grpc-js or Node's HTTP servers, which would accept any number of connections. Throws runtime's PortTakenError. */
export async function listen(accept: (socket: Socket) => void, options: ListenerOptions): Promise<Listener> {
  const sockets = createServer(limitConnections(options, accept));
  const { protocol = 'grpc', host, port: wanted } = options;
  const port = await listenOn(sockets, { protocol, host, port: wanted });
  sockets.on('error', () => undefined);
  return { port, close: () => new Promise((resolve) => sockets.close(() => resolve())) };
}
