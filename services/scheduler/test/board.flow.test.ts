import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { AuthServiceService } from '#contract/auth/v1/auth';
import { until } from '#libs/devcluster';
import { openPublicClient } from '#libs/grpc';
import { startSchedulerCluster, type SchedulerCluster } from './start-cluster.ts';

let world: SchedulerCluster;
beforeAll(async () => {
  world = await startSchedulerCluster();
});
afterAll(() => world.stop());

it('the board of a real cluster is closed to a token once its session has ended', async () => {
  const { cluster } = world;
  const auth = openPublicClient(AuthServiceService, cluster.address('auth'));
  const { tokens } = await auth.login({ email: cluster.admin.email, password: cluster.admin.password });
  const token = tokens?.accessToken ?? '';
  const look = () => fetch(`${cluster.httpAddress('scheduler')}/board/api/queues`, { headers: { authorization: `Bearer ${token}` } });
  await until(look, ({ status }) => status === 200);
  await auth.logout({ refreshToken: tokens?.refreshToken ?? '' }, { token });
  expect(await (await until(look, ({ status }) => status !== 200)).json()).toEqual({ error: 'TOKEN_INVALID', message: 'the token is not valid' });
  auth.close();
});
