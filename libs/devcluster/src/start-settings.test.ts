import { describe, expect, it } from '@jest/globals';
import { createServer, type AddressInfo } from 'node:net';
import { once } from 'node:events';
import { checkServicePorts, readStartSettings } from './start-settings.ts';

describe('npm start', () => {
  it('names the taken port and the setting that changes it', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const free = Object.fromEntries(['AUTH', 'USERS', 'TASKS', 'SCHEDULER'].flatMap((name) => [[`TASKFLOW_${name}_GRPC_PORT`, '0'], [`TASKFLOW_${name}_HTTP_PORT`, '0']]));

    await expect(checkServicePorts(free)).resolves.toBeUndefined();
    await expect(checkServicePorts({ ...free, TASKFLOW_TASKS_GRPC_PORT: String(port) })).rejects.toThrow(
      `port ${port} is taken by another program; set TASKFLOW_TASKS_GRPC_PORT to another port`,
    );
    server.close();
  });

  it('wants the URLs of all four databases or of none', () => {
    expect(() => readStartSettings([], { TASKFLOW_AUTH_DATABASE_URL: 'postgres://a' })).toThrow(/TASKFLOW_USERS_DATABASE_URL.*too, or none/);
  });

  it('hands no database URL to every service', () => {
    const { env } = readStartSettings([], { TASKFLOW_ADMIN_DATABASE_URL: 'postgres://root', TASKFLOW_LOG_LEVEL: 'debug', HOME: '/root' });

    expect(env).toEqual({ TASKFLOW_LOG_LEVEL: 'debug' });
  });

  it('refuses an argument that it does not know', () => {
    expect(() => readStartSettings(['--nodemo'], {})).toThrow('npm start does not know --nodemo');
  });
});
