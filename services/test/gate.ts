import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

/** A way to a service that a test opens and shuts for one caller; shut at the beginning. */
export interface Gate {
  /** host:port */
  address: string;
  openTo(target: string): void;
  /** Ends all connections and refuses new ones. */
  shut(): void;
  /** New connections are taken and never answered. */
  freeze(): void;
  stop(): Promise<void>;
}

export async function startGate(): Promise<Gate> {
  const sockets = new Set<Socket>();
  let target: string | undefined;
  let frozen = false;
  const hold = (socket: Socket): void => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => sockets.delete(socket));
  };
  const server = createServer((inner) => {
    hold(inner);
    if (frozen) return;
    const [host, port] = (target ?? '').split(':');
    if (target === undefined) return void inner.destroy();
    const outer = connect(Number(port), host);
    hold(outer);
    inner.pipe(outer).pipe(inner);
    inner.on('close', () => outer.destroy());
    outer.on('close', () => inner.destroy());
  });
  const become = (next: { target?: string; frozen?: boolean }): void => {
    target = next.target;
    frozen = next.frozen ?? false;
    sockets.forEach((socket) => socket.destroy());
  };
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    openTo: (address) => become({ target: address }),
    shut: () => become({}),
    freeze: () => become({ frozen: true }),
    stop: async () => {
      become({});
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
