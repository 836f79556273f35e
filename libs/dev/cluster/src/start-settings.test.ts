import { describe, expect, it } from '@jest/globals';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { once } from 'node:events';
import { checkServicePorts, readStartSettings } from './start-settings.ts';

const free = Object.fromEntries(
  ['AUTH', 'USERS', 'TASKS', 'SCHEDULER'].flatMap((name) => [
    [`TASKFLOW_${name}_GRPC_PORT`, '0'],
    [`TASKFLOW_${name}_HTTP_PORT`, '0'],
  ]),
);

describe('npm start', () => {
  it('names the taken port and the setting that changes it', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    await expect(checkServicePorts(free)).resolves.toBeUndefined();
    await expect(checkServicePorts({ ...free, TASKFLOW_TASKS_GRPC_PORT: String(port) })).rejects.toThrow(
      new RegExp(
        `port ${port} is taken: process ${process.pid} \\(.+\\) listens there; set TASKFLOW_TASKS_GRPC_PORT to another port`,
      ),
    );
    server.close();
  });

  describe('a port that somebody’s outgoing connection got by chance', () => {
    const open = async (): Promise<{ port: number; client: Socket; close: () => void }> => {
      const server = createServer((socket) => void socket.on('error', () => undefined)).listen(0, '127.0.0.1');
      await once(server, 'listening');
      const client = connect((server.address() as AddressInfo).port, '127.0.0.1');
      await once(client, 'connect');
      // Without the side that closes first keeping the port for a minute.
      const close = (): void => void (client.resetAndDestroy(), server.close());
      return { port: client.localPort as number, client, close };
    };

    it('is waited for', async () => {
      const { port, close } = await open();
      const checked = checkServicePorts({ ...free, TASKFLOW_TASKS_GRPC_PORT: String(port) });
      setImmediate(close);

      await expect(checked).resolves.toBeUndefined();
    });

    it('is named with its holder when the connection stays', async () => {
      const { port, close } = await open();

      await expect(checkServicePorts({ ...free, TASKFLOW_TASKS_GRPC_PORT: String(port) })).rejects.toThrow(
        `this side of a connection of process ${process.pid}`,
      );
      close();
    });
  });

  it('wants the URLs of all four databases or of none', () => {
    expect(() => readStartSettings([], { TASKFLOW_AUTH_DATABASE_URL: 'postgres://a' })).toThrow(
      /TASKFLOW_USERS_DATABASE_URL.*too, or none/,
    );
  });

  it('hands no database URL to every service', () => {
    const { env } = readStartSettings([], {
      TASKFLOW_ADMIN_DATABASE_URL: 'postgres://root',
      TASKFLOW_LOG_LEVEL: 'debug',
      HOME: '/root',
    });

    expect(env).toEqual({ TASKFLOW_LOG_LEVEL: 'debug' });
  });

  it('refuses an argument that it does not know', () => {
    expect(() => readStartSettings(['--nodemo'], {})).toThrow('npm start does not know --nodemo');
  });
});
