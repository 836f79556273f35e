import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

/** A TCP proxy in front of a server: takes the server away from those who go through it, or makes it slow for them. */
export interface TcpProxy {
  /** host:port of the proxy. */
  address: string;
  /** The given URL with the proxy's address. */
  url: string;
  /** Ends all connections and refuses new ones. */
  cut(): Promise<void>;
  /** Keeps connections open, but nothing passes any more. */
  freeze(): void;
  /** Requests pass, answers do not. */
  mute(): void;
  /** Everything takes so much longer, in each direction. */
  delay(ms: number): void;
  /** How many times a client has spoken while it was frozen. */
  unheard(): number;
  /** How many connections were taken so far. */
  connections(): number;
  /** After cut, freeze, mute or delay: as at the beginning. */
  restore(): Promise<void>;
  close(): Promise<void>;
}

const noTrouble = { frozen: false, muted: false, delayMs: 0 };

/** Passes bytes on after a delay, in order also when the delay becomes shorter in between. */
function forwardTo(receiver: Socket, delayMs: () => number): (bytes: Buffer | string) => void {
  let lastDueAt = 0;
  return (bytes) => {
    lastDueAt = Math.max(lastDueAt, performance.now() + delayMs());
    const waitMs = lastDueAt - performance.now();
    if (waitMs <= 0) receiver.write(bytes);
    else setTimeout(() => void (receiver.destroyed || receiver.write(bytes)), waitMs).unref();
  };
}

/** `target` is a URL or host:port. */
export async function startTcpProxy(target: string): Promise<TcpProxy> {
  const targetUrl = new URL(target.includes('://') ? target : `tcp://${target}`);
  const sockets = new Set<Socket>();
  let trouble = noTrouble;
  let unheard = 0;
  let connections = 0;

  const server = createServer((inner) => {
    connections += 1;
    const outer = connect(Number(targetUrl.port), targetUrl.hostname);
    for (const socket of [inner, outer]) {
      sockets.add(socket);
      socket.on('error', () => undefined);
      socket.on('close', () => {
        sockets.delete(socket);
        inner.destroy();
        outer.destroy();
      });
    }
    const toServer = forwardTo(outer, () => trouble.delayMs);
    const toClient = forwardTo(inner, () => trouble.delayMs);
    inner.on('data', (bytes) => {
      if (trouble.frozen) unheard += 1;
      else toServer(bytes);
    });
    outer.on('data', (bytes) => void (trouble.frozen || trouble.muted || toClient(bytes)));
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
    address: `127.0.0.1:${port}`,
    url: url.href,
    cut,
    freeze: () => void (trouble = { ...trouble, frozen: true }),
    mute: () => void (trouble = { ...trouble, muted: true }),
    delay: (ms) => void (trouble = { ...trouble, delayMs: ms }),
    unheard: () => unheard,
    connections: () => connections,
    restore: async () => {
      trouble = noTrouble;
      dropAll();
      if (!server.listening) await listen(port);
    },
    close: async () => {
      if (server.listening) await cut();
    },
  };
}
