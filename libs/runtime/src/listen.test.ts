import { afterEach, describe, expect, it } from '@jest/globals';
import { once } from 'node:events';
import { createServer, type AddressInfo, type Server } from 'node:net';
import { listenOn, PortTakenError } from './listen.ts';

describe('listening on a port', () => {
  const servers: Server[] = [];
  const newServer = (): Server => {
    const server = createServer();
    servers.push(server);
    return server;
  };
  afterEach(() => servers.splice(0).forEach((server) => server.close()));

  async function takePort(): Promise<{ holder: Server; port: number }> {
    const holder = newServer().listen(0, '127.0.0.1');
    await once(holder, 'listening');
    return { holder, port: (holder.address() as AddressInfo).port };
  }

  it('waits a moment for a port that somebody else is about to leave', async () => {
    const { holder, port } = await takePort();
    const server = newServer();
    server.once('error', () => holder.close());

    expect(await listenOn(server, { protocol: 'http', host: '127.0.0.1', port })).toBe(port);
  });

  it('names the port that somebody else keeps', async () => {
    const { port } = await takePort();

    const error = await listenOn(newServer(), { protocol: 'grpc', host: '127.0.0.1', port }).catch(
      (reason: unknown) => reason,
    );

    expect(error).toBeInstanceOf(PortTakenError);
    expect(error).toMatchObject({ protocol: 'grpc', port });
  });

  it('does not wait when the address itself is wrong', async () => {
    await expect(listenOn(newServer(), { protocol: 'grpc', host: '192.0.2.1', port: 0 })).rejects.toMatchObject({
      code: 'EADDRNOTAVAIL',
    });
  });
});
