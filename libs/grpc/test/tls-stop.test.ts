import { once } from 'node:events';
import { connect as connectPlain, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { beforeAll, describe, it } from '@jest/globals';
import { createAuthority, type Authority } from '#dev/cluster';
import { openFiles } from './certificate-files.ts';
import { startTestServer } from './cluster.ts';
import { usersBinding } from './services.ts';
import { stopAfterEach } from '../../dev/testing/src/stop-after-each.ts';

const afterTest = stopAfterEach();
let authority: Authority;

beforeAll(async () => {
  authority = await createAuthority();
});

const settings = Buffer.from('000000040000000000', 'hex');
const goaway = Buffer.from('0000080700', 'hex');

function secure(socket: Socket): Socket {
  return connectTls({ socket, ca: authority.certificate, servername: 'users', ALPNProtocols: ['h2'] });
}

const leavings: Readonly<Record<string, (connection: Socket, carrier: Socket) => void>> = {
  'ends its connection': (connection) => connection.end(),
  'breaks its connection off': (connection) => connection.destroy(),
  'resets its connection': (_connection, carrier) => carrier.resetAndDestroy(),
};

/** A client that leaves as soon as it is asked to, without an answer to the server's ping. */
async function join(port: number, isSecured: boolean, how: string): Promise<void> {
  const carrier = connectPlain(port, '127.0.0.1').on('error', () => undefined);
  const socket = isSecured ? secure(carrier).on('error', () => undefined) : carrier;
  socket.write(Buffer.concat([Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'), settings]));
  await once(socket, 'data');
  socket.on('data', (part: Buffer) => part.includes(goaway) && leavings[how]?.(socket, carrier));
}

describe.each(Object.keys(leavings))('a client that %s when it is asked to leave', (how) => {
  it.each([
    ['by TLS', true],
    ['in plaintext', false],
  ])('does not keep the server from stopping, %s', async (_how, isSecured) => {
    const files = await openFiles(authority, { dnsNames: ['users'] }, { mode: 'preferred' });
    afterTest(files.remove);
    // Far longer than a test may take: a server that waits for its grace period fails it.
    const options = { bindings: [usersBinding()], certificates: files.certificates, graceMs: 600_000 };
    for (let count = 0; count < 10; count += 1) {
      const { server } = await startTestServer(options);
      await join(server.port, isSecured, how);
      await server.stop();
    }
  });
});
