import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { AuthServiceService } from '#contract/auth/v1/auth';
import { until } from '#libs/devcluster';
import { openPublicClient, type PublicClient } from '#libs/grpc';
import { startSchedulerCluster, type SchedulerCluster, type TestUser } from './start-cluster.ts';
import { watchInbox } from './watching.ts';

let world: SchedulerCluster;
let auth: PublicClient<typeof AuthServiceService>;
let session: { user: TestUser; refreshToken: string };
beforeAll(async () => {
  world = await startSchedulerCluster();
  auth = openPublicClient(AuthServiceService, world.cluster.address('auth'));
});
afterAll(async () => {
  auth?.close();
  await world?.stop();
});
beforeEach(async () => {
  const { email, password } = world.cluster.admin;
  const { account, tokens } = await auth.login({ email, password });
  session = { user: { userId: account?.id ?? '', as: { token: tokens?.accessToken ?? '' } }, refreshToken: tokens?.refreshToken ?? '' };
});

const logout = () => auth.logout({ refreshToken: session.refreshToken }, session.user.as);

describe('once a session has ended', () => {
  it('the board is closed to its token', async () => {
    const look = () => fetch(`${world.cluster.httpAddress('scheduler')}/board/api/queues`, { headers: { authorization: `Bearer ${session.user.as.token}` } });
    await until(look, ({ status }) => status === 200);
    await logout();
    expect(await (await until(look, ({ status }) => status === 401)).json()).toEqual({ error: 'TOKEN_INVALID', message: 'the token is not valid' });
  });

  it.each<[string, () => Promise<unknown>]>([
    ['itself', () => logout()],
    ['by another of the same person', async () => {
      const { tokens } = await auth.login(world.cluster.admin);
      return auth.revokeOtherSessions({}, { token: tokens?.accessToken ?? '' });
    }],
  ])('whoever watches an inbox with its token is told so, when it was ended %s', async (_name, end) => {
    const watching = await watchInbox(world, session.user);
    const ended = watching.until(() => false);
    await end();
    await expect(ended).rejects.toMatchObject({ kind: 'unauthenticated', reason: 'TOKEN_INVALID' });
    await expect(watchInbox(world, session.user)).rejects.toMatchObject({ kind: 'unauthenticated', reason: 'TOKEN_INVALID' });
  });

  it('others who watch are left alone', async () => {
    const ada = await world.newUser('Ada');
    const [watching, mine] = [await watchInbox(world, ada), await watchInbox(world, session.user)];
    await logout();
    await expect(mine.until(() => false)).rejects.toMatchObject({ kind: 'unauthenticated' });
    const bob = await world.newUser('Bob');
    await world.createTask(bob, { assigneeId: ada.userId });
    await watching.until(() => watching.notifications().length === 1);
    await watching.stop();
  });
});
