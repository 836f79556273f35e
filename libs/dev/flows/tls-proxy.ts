import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { createSecureContext, TLSSocket } from 'node:tls';
import type { CertificateWithKey } from '#dev/cluster';

/** A server that takes connections by TLS only, in front of one that speaks plaintext. */
export interface TlsProxy {
  /** The port on 127.0.0.1. */
  port: number;
  /** How many connections came by TLS so far. */
  secured(): number;
  close(): Promise<void>;
}

/** What a client of PostgreSQL sends before TLS. */
const sslRequest = Buffer.from([0, 0, 0, 8, 4, 210, 22, 47]);

/** `target` is a URL. A client of PostgreSQL first asks whether TLS is spoken. */
export async function startTlsProxy(target: string, { certificate, key }: CertificateWithKey): Promise<TlsProxy> {
  const { hostname, port, protocol } = new URL(target);
  const secureContext = createSecureContext({ cert: certificate, key });
  const sockets = new Set<Socket>();
  let secured = 0;
  const keep = (socket: Socket): Socket => {
    sockets.add(socket);
    return socket.on('error', () => undefined).on('close', () => sockets.delete(socket));
  };
  const secure = (socket: Socket): void => {
    const inner = keep(new TLSSocket(socket, { isServer: true, secureContext }));
    const outer = keep(connect(Number(port), hostname));
    inner.once('secure', () => (secured += 1));
    inner.pipe(outer).pipe(inner);
    inner.on('close', () => outer.destroy());
    outer.on('close', () => inner.destroy());
  };
  const server = createServer((socket) => {
    keep(socket);
    if (!protocol.startsWith('postgres')) return secure(socket);
    socket.once('data', (first: Buffer) => {
      if (!sslRequest.equals(first)) return void socket.destroy();
      socket.write('S');
      secure(socket);
    });
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    secured: () => secured,
    close: async () => {
      const closed = once(server, 'close');
      server.close();
      sockets.forEach((socket) => socket.destroy());
      await closed;
    },
  };
}
