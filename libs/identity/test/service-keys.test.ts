import { describe, expect, it } from '@jest/globals';
import type { ServiceName } from '#libs/contract';
import { createAuthenticator, createServiceIdentity } from '#libs/identity';
import { accessKeys, keyPair } from '../../grpc/test/cluster.ts';

const [first, second, ofTasks, disguised] = (await Promise.all(
  ['auth', 'auth.2', 'tasks', 'authority'].map(keyPair),
)) as [Key, Key, Key, Key];
type Key = Awaited<ReturnType<typeof keyPair>>;

const authenticateWith = (...keys: Key[]) =>
  createAuthenticator({
    service: 'users',
    accessKeys,
    servicePublicKeys: { keys: keys.map(({ publicKey }) => publicKey) },
  });
const tokenOf = (service: ServiceName, { privateKey }: Key) =>
  createServiceIdentity({ service, privateKey }).tokenFor('users');

describe('the keys of a service', () => {
  it('are accepted as long as they are configured', async () => {
    const during = authenticateWith(first, second, ofTasks);
    for (const key of [first, second])
      expect(await during({ serviceToken: await tokenOf('auth', key) })).toEqual({ service: 'auth' });
    await expect(
      authenticateWith(second, ofTasks)({ serviceToken: await tokenOf('auth', first) }),
    ).rejects.toMatchObject({ reason: 'TOKEN_INVALID' });
  });

  it('prove no other service, not even one with the same prefix', async () => {
    const authenticate = authenticateWith(first, second, ofTasks, disguised);
    for (const token of [
      await tokenOf('auth', ofTasks),
      await tokenOf('tasks', second),
      await tokenOf('auth', disguised),
    ]) {
      await expect(authenticate({ serviceToken: token })).rejects.toMatchObject({ reason: 'TOKEN_INVALID' });
    }
  });
});
