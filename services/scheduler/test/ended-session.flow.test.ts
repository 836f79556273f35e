import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { kindAndReason } from '#dev/testing';
import { AuthServiceService } from '#contract/auth/v1/auth';
import { openStub, type Stub } from '#dev/stubs';
import { startSchedulerCluster, type SchedulerCluster, type TestUser } from './start-cluster.ts';
import { watchInbox } from './watching.ts';

let service: SchedulerCluster;
let auth: Stub<typeof AuthServiceService>;
let session: { user: TestUser; refreshToken: string };
beforeAll(async () => {
  service = await startSchedulerCluster();
  auth = openStub(AuthServiceService, service.cluster.address('auth'));
});
afterAll(async () => {
  auth?.close();
  await service?.stop();
});
beforeEach(async () => {
  const { email, password } = service.cluster.admin;
  const { account, tokens } = await auth.login({ email, password });
  session = {
    user: { userId: account?.id ?? '', as: { token: tokens?.accessToken ?? '' } },
    refreshToken: tokens?.refreshToken ?? '',
  };
});

const logout = () => auth.logout({ refreshToken: session.refreshToken }, session.user.as);

describe('once a session has ended', () => {
  it.each<[string, () => Promise<unknown>]>([
    ['itself', () => logout()],
    [
      'by another of the same person',
      async () => {
        const { tokens } = await auth.login(service.cluster.admin);
        return auth.revokeOtherSessions({}, { token: tokens?.accessToken ?? '' });
      },
    ],
  ])('a watcher of an inbox with its token gets TOKEN_INVALID, when it was ended %s', async (_name, end) => {
    const watching = await watchInbox(service, session.user);
    const ended = watching.until(() => false);
    await end();
    await expect(ended).rejects.toMatchObject({ kind: 'unauthenticated', reason: 'TOKEN_INVALID' });
    expect(await kindAndReason(watchInbox(service, session.user))).toBe('unauthenticated/TOKEN_INVALID');
  });

  it('other watchers continue', async () => {
    const ada = await service.newUser('Ada');
    const [watching, mine] = [await watchInbox(service, ada), await watchInbox(service, session.user)];
    await logout();
    await expect(mine.until(() => false)).rejects.toMatchObject({ kind: 'unauthenticated' });
    const bob = await service.newUser('Bob');
    await service.createTask(bob, { assigneeId: ada.userId });
    await watching.until(() => watching.notifications().length === 1);
    await watching.stop();
  });
});
