import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { processNames, serviceNames } from '#dev/cluster';
import { password, startCliCluster, type CliCluster } from './start-cli.ts';

/** Without the addresses that the tests give to every command. */
const noAddresses = Object.fromEntries(serviceNames.map((name) => [`TASKFLOW_${name.toUpperCase()}_ADDRESS`, '']));

let cli: CliCluster;

beforeAll(async () => {
  cli = await startCliCluster({ services: processNames, tls: 'required' });
});

afterAll(() => cli?.stop());

it('calls by TLS whom the authority of TASKFLOW_TLS_CA_FILE knows', async () => {
  const env = cli.cluster.clientEnv;

  expect(await cli.run(['register', 'ada@example.com'], { env })).toMatchObject({ code: 0 });
  expect(await cli.run(['add', 'Over TLS'], { env })).toMatchObject({ code: 0 });
  expect(await cli.run(['ls'])).toMatchObject({ code: 14, errors: expect.stringContaining('tasks does not answer') });
});

it('calls by TLS whom the authority of a profile knows', async () => {
  const ca = cli.cluster.clientEnv['TASKFLOW_TLS_CA_FILE'] ?? '';
  const addresses = serviceNames.flatMap((name) => [`--${name}`, cli.cluster.address(name)]);
  const env = { ...noAddresses, TASKFLOW_PROFILE: 'secure', TASKFLOW_PASSWORD: password };
  await cli.run(['profile', 'set', 'secure', '--ca', ca, ...addresses]);

  expect(await cli.run(['login', 'ada@example.com'], { env })).toMatchObject({ code: 0 });
  expect(await cli.run(['ls'], { env })).toMatchObject({ code: 0, output: expect.stringContaining('Over TLS') });
});

it('does the same through the gateway', async () => {
  const env = { ...noAddresses, TASKFLOW_PROFILE: 'web' };
  const ca = cli.cluster.clientEnv['TASKFLOW_TLS_CA_FILE'] ?? '';
  await cli.run(['profile', 'set', 'web', '--ca', ca, '--gateway', cli.cluster.address('gateway')]);

  expect(await cli.run(['login', 'ada@example.com'], { env })).toMatchObject({ code: 0 });
  expect(await cli.run(['ls'], { env })).toMatchObject({ code: 0, output: expect.stringContaining('Over TLS') });
  expect(await cli.run(['doctor'], { env })).toMatchObject({ code: 0 });
  expect(await cli.run(['watch', '--all', '--limit', '1'], { env })).toMatchObject({
    code: 0,
    output: expect.stringContaining('Over TLS'),
  });
});

it('speaks gRPC with the one address of a profile, whatever addresses the environment has', async () => {
  const ca = cli.cluster.clientEnv['TASKFLOW_TLS_CA_FILE'] ?? '';
  const { output } = await cli.run(['token', 'create', 'one', '--scope', 'tasks:read'], { env: cli.cluster.clientEnv });
  await cli.run(['profile', 'set', 'one', '--ca', ca, '--address', cli.cluster.address('tasks')]);
  const elsewhere = Object.fromEntries(Object.keys(noAddresses).map((name) => [name, '127.0.0.1:9']));
  const env = { ...elsewhere, TASKFLOW_PROFILE: 'one', TASKFLOW_TOKEN: output.trim() };

  expect(await cli.run(['ls'], { env })).toMatchObject({ code: 0, output: expect.stringContaining('Over TLS') });
});

it('does not tell a token that cannot be one', async () => {
  const env = { ...cli.cluster.clientEnv, TASKFLOW_TOKEN: 'tfp_secret\nx' };
  const { code, errors } = await cli.run(['ls', '--json'], { env });

  expect({ code, tells: errors.includes('secret') }).toEqual({ code: 64, tells: false });
});
