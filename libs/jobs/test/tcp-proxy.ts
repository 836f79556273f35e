import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

/** A TCP proxy in front of a server, to take the server away from one client only. */
export interface TcpProxy {
  /** The given URL with the proxy's address. */
  url: string;
  /** Ends all connections and refuses new ones. */
  cut(): Promise<void>;
  /** Keeps connections open, but nothing passes any more. */
  freeze(): void;
  /** How many times a client has spoken while it was frozen. */
  unheard(): number;
  /** After cut or freeze: as at the beginning. */
  restore(): Promise<void>;
  close(): Promise<void>;
}

export async function startTcpProxy(targetUrl: string): Promise<TcpProxy> {
  const target = new URL(targetUrl);
  const sockets = new Set<Socket>();
  let frozen = false;
  let unheard = 0;

  const server = createServer((inner) => {
    const outer = connect(Number(target.port), target.hostname);
    for (const socket of [inner, outer]) {
      sockets.add(socket);
      socket.on('error', () => undefined);
      socket.on('close', () => {
        sockets.delete(socket);
        inner.destroy();
        outer.destroy();
      });
    }
    inner.on('data', (bytes) => {
      if (frozen) unheard += 1;
      else outer.write(bytes);
    });
    outer.on('data', (bytes) => void (frozen || inner.write(bytes)));
  });

  const listen = (port: number) => new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  const dropAll = () => sockets.forEach((socket) => socket.destroy());
  const cut = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve());
      dropAll();
    });

  await listen(0);
  const { port } = server.address() as AddressInfo;
  const url = new URL(targetUrl);
  url.host = `127.0.0.1:${port}`;
  return {
    url: url.href,
    cut,
    freeze: () => void (frozen = true),
    unheard: () => unheard,
    restore: async () => {
      frozen = false;
      dropAll();
      if (!server.listening) await listen(port);
    },
    close: async () => {
      if (server.listening) await cut();
    },
  };
}
