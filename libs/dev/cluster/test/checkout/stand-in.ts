// Programs that keep the process contract of a service and do nothing else: what they are tests of is libs/dev/cluster.
import { createServer } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import { Server, ServerCredentials, type sendUnaryData } from '@grpc/grpc-js';
import { Client } from 'pg';
import { HealthService } from '../../../../contract/src/gen/grpc/health/v1/health.ts';

const setting = (service: string, name: string): string =>
  process.env[`TASKFLOW_${service.toUpperCase()}_${name}`] ?? '';

async function query(url: string, statement: string): Promise<void> {
  const client = new Client({ connectionString: url });
  await client.connect();
  await client.query(statement);
  await client.end();
}

export async function migrate(service: string): Promise<void> {
  await query(setting(service, 'DATABASE_URL'), 'CREATE TABLE IF NOT EXISTS started (at timestamptz)');
}

export async function serve(service: string): Promise<void> {
  const log = (fields: object): void => void process.stdout.write(`${JSON.stringify(fields)}\n`);
  if (process.env['STAND_IN_FAILS'] === service) throw new Error('TASKFLOW_SECRET is not set');
  await query(setting(service, 'DATABASE_URL'), 'INSERT INTO started VALUES (now())');
  const server = new Server();
  const isStuck = process.env['STAND_IN_WAITS'] === service;
  const check = (_call: unknown, callback: sendUnaryData<object>) =>
    callback(null, { status: isStuck ? 'NOT_SERVING' : 'SERVING' });
  server.addService(HealthService, { check });
  const port = Number(setting(service, 'GRPC_PORT'));
  await new Promise<void>((resolve, reject) => {
    server.bindAsync(`127.0.0.1:${port}`, ServerCredentials.createInsecure(), (error) =>
      error === null ? resolve() : reject(error),
    );
  });
  const stop = async (why: string): Promise<void> => {
    log({ msg: 'draining', why });
    await pause(50);
    server.forceShutdown();
    process.exit(0);
  };
  process.on('SIGTERM', () => void stop('SIGTERM'));
  process.on('disconnect', () => void stop('its parent ended'));
  log(isStuck ? { msg: 'still waiting for its database' } : { msg: 'serving', grpcPort: port });
  process.send?.({ type: 'serving', grpcPort: port, httpPort: Number(setting(service, 'HTTP_PORT')) });
}

export async function serveGateway(): Promise<void> {
  const [rpcPort, httpPort] = [Number(setting('gateway', 'RPC_PORT')), Number(setting('gateway', 'HTTP_PORT'))];
  const server = createServer((_request, response) => response.end('ok'));
  await new Promise<void>((resolve) => server.listen(httpPort, '127.0.0.1', resolve));
  process.on('SIGTERM', () => process.exit(0));
  process.on('disconnect', () => process.exit(0));
  process.send?.({ type: 'serving', rpcPort, httpPort });
}
