import { expect, it } from '@jest/globals';
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { findPortHolder } from './port-holder.ts';

async function listen(host: string): Promise<{ port: number; stop: () => Promise<void> }> {
  const server = createServer((socket) => void socket.on('error', () => undefined).resume()).listen(0, host);
  await once(server, 'listening');
  const stop = async (): Promise<void> => {
    server.close();
    await once(server, 'close');
  };
  return { port: (server.address() as AddressInfo).port, stop };
}

async function open(host: string, port: number, localPort: number): Promise<Socket> {
  const socket = connect({ host, port, localPort, localAddress: '127.0.0.1' });
  await once(socket, 'connect');
  return socket.resume();
}

it('names the process of a connection whose port closed connections keep too', async () => {
  const chosen = await listen('127.0.0.1');
  await chosen.stop();
  // The side that closes first keeps its port for a minute, without a process.
  for (const host of ['127.0.0.2', '127.0.0.3', '127.0.0.4', '127.0.0.5']) {
    const closed = await listen(host);
    const socket = await open(host, closed.port, chosen.port);
    await once(socket.end(), 'close');
    await closed.stop();
  }
  const target = await listen('127.0.0.1');
  const socket = await open('127.0.0.1', target.port, chosen.port);

  expect(findPortHolder(chosen.port)).toEqual({ listens: false, pid: process.pid });

  socket.resetAndDestroy();
  await target.stop();
});
