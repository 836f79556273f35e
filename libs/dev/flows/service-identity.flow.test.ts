import { generateKeyPairSync, randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { importJWK, SignJWT, UnsecuredJWT, type JWK } from 'jose';
import type { GetMeResponse } from '#contract/users/v1/users';
import { policies, type MethodPolicy, type ServiceName } from '#libs/contract';
import { readServiceKey } from '#dev/cluster';
import { accessTable, registerPeople, type People } from './access-table.ts';
import { startTestCluster, type TestCluster } from './test-cluster.ts';
import { serviceOf, type Answer, type Credentials } from './wire.ts';

let testCluster: TestCluster;
let people: People;
beforeAll(async () => {
  testCluster = await startTestCluster();
  people = await registerPeople(testCluster);
});
afterAll(() => testCluster?.stop());

const internal = [...policies.values()].filter(({ access }) => access === 'service');
const identityRequired = 'PERMISSION_DENIED/SERVICE_IDENTITY_REQUIRED';

/** What a service gets that may call the method. */
const admitted = ({ path }: MethodPolicy): string => accessTable.get(path)?.answers?.owner ?? 'OK';

async function call({ path }: MethodPolicy, credentials: Credentials): Promise<Answer> {
  const request = await accessTable.get(path)?.request({ testCluster, people, caller: people.owner });
  return testCluster.wire.call(path, request ?? {}, credentials);
}

/** What a client could send to pass for somebody. */
const claims = (id: string): Record<string, string> => ({
  'x-user-id': id,
  'x-user-role': 'admin',
  'x-service-name': 'scheduler',
  'x-taskflow-user': id,
  'x-taskflow-role': 'admin',
  'x-forwarded-user': id,
  'x-forwarded-for': '127.0.0.1',
  'x-authenticated-userid': id,
  'x-client-cert': 'CN=scheduler',
});

interface TokenParts {
  iss: ServiceName;
  aud: string;
  kid?: string;
  typ?: string;
  issuedAt?: number;
  lifetimeSeconds?: number;
  key?: JWK;
}

async function sign({
  iss,
  aud,
  kid = iss,
  typ = 'service+jwt',
  issuedAt = Math.floor(Date.now() / 1000),
  lifetimeSeconds = 60,
  key,
}: TokenParts): Promise<string> {
  return new SignJWT()
    .setProtectedHeader({ alg: 'EdDSA', typ, kid })
    .setIssuer(iss)
    .setAudience(aud)
    .setIssuedAt(issuedAt)
    .setExpirationTime(issuedAt + lifetimeSeconds)
    .sign(await importJWK(key ?? readServiceKey(testCluster.cluster.dir, iss), 'EdDSA'));
}

/** Tokens that are almost good, for a method that the caller may call. */
async function badTokens(caller: ServiceName, callee: ServiceName): Promise<Record<string, string>> {
  const good = { iss: caller, aud: callee };
  const now = Math.floor(Date.now() / 1000);
  const stranger = generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' }) as JWK;
  const otherService: ServiceName = caller === 'tasks' ? 'users' : 'tasks';
  const signed = await sign(good);
  return {
    expired: await sign({ ...good, issuedAt: now - 3600 }),
    'long lived': await sign({ ...good, issuedAt: now - 3600, lifetimeSeconds: 7200 }),
    'not yet valid': await sign({ ...good, issuedAt: now + 3600 }),
    'for another service': await sign({ ...good, aud: callee === 'auth' ? 'users' : 'auth' }),
    'for everybody': await sign({ ...good, aud: '*' }),
    'of an unknown key': await sign({ ...good, key: stranger }),
    'of an unknown key id': await sign({ ...good, kid: randomUUID() }),
    'signed by another service': await sign({ ...good, key: readServiceKey(testCluster.cluster.dir, otherService) }),
    'signed by another service under its own key id': await sign({
      ...good,
      kid: otherService,
      key: readServiceKey(testCluster.cluster.dir, otherService),
    }),
    'of another type': await sign({ ...good, typ: 'at+jwt' }),
    unsigned: new UnsecuredJWT({}).setIssuer(caller).setAudience(callee).setIssuedAt().setExpirationTime('1m').encode(),
    damaged: `${signed.slice(0, -8)}${signed.slice(-8) === 'AAAAAAAA' ? 'BBBBBBBB' : 'AAAAAAAA'}`,
    'of a user': people.admin.token,
    empty: '',
    huge: 'a'.repeat(9000),
  };
}

describe('A14: the methods for services', () => {
  it.each(internal.map((policy) => [policy.path, policy] as const))(
    '%s refuses whoever does not prove to be a service',
    async (_, policy) => {
      const { owner, admin } = people;
      const serviceToken = await testCluster.serviceToken(policy.callers[0] as ServiceName, serviceOf(policy.path));
      const attempts: Record<string, Credentials> = {
        nobody: {},
        'a user': { token: owner.token },
        'an administrator': { token: admin.token },
        'a user who says to be somebody': { token: owner.token, metadata: claims(admin.id) },
        'nobody who says to be somebody': { metadata: claims(admin.id) },
        "a service token where the user's belongs": { token: serviceToken },
      };
      for (const [name, credentials] of Object.entries(attempts)) {
        expect([name, (await call(policy, credentials)).outcome]).toEqual([name, identityRequired]);
      }
      expect((await call(policy, { serviceToken })).outcome).toBe(admitted(policy));
    },
  );

  it.each(internal.map((policy) => [policy.path, policy] as const))(
    '%s takes no token but a good one, and tells nobody what was wrong',
    async (path, policy) => {
      const tokens = await badTokens(policy.callers[0] as ServiceName, serviceOf(path));
      const answers = new Set<string>();
      for (const [name, serviceToken] of Object.entries(tokens)) {
        const { outcome, error } = await call(policy, { serviceToken, metadata: { 'x-request-id': 'the-same' } });
        expect([name, outcome]).toEqual([name, 'UNAUTHENTICATED/TOKEN_INVALID']);
        answers.add(`${error?.message}${error?.statusBytes?.toString('base64')}`);
      }
      expect(answers.size).toBe(1);
    },
  );

  it('do not care for the user on whose behalf a service calls', async () => {
    for (const policy of internal) {
      const serviceToken = await testCluster.serviceToken(policy.callers[0] as ServiceName, serviceOf(policy.path));
      const outcome = admitted(policy);
      expect((await call(policy, { serviceToken, token: people.owner.token })).outcome).toBe(outcome);
      expect((await call(policy, { serviceToken, token: 'not.a.token' })).outcome).toBe(outcome);
    }
  });
});

describe('A14: the methods for users', () => {
  it('know the user by the access token alone', async () => {
    const { owner, admin } = people;
    const serviceToken = await testCluster.serviceToken('scheduler', 'users');
    for (const given of [{ metadata: claims(admin.id) }, { serviceToken }, { serviceToken: 'not.a.token' }]) {
      const { outcome, response } = await testCluster.wire.call(
        '/taskflow.users.v1.UsersService/GetMe',
        {},
        { token: owner.token, ...given },
      );
      expect([outcome, (response as GetMeResponse | undefined)?.user?.id]).toEqual(['OK', owner.id]);
      const listing = await testCluster.wire.call(
        '/taskflow.users.v1.UsersService/ListUsers',
        {},
        { token: owner.token, ...given },
      );
      expect(listing.outcome).toBe('PERMISSION_DENIED/ADMIN_REQUIRED');
    }
    const nobody = await testCluster.wire.call(
      '/taskflow.users.v1.UsersService/GetMe',
      {},
      { serviceToken, metadata: claims(owner.id) },
    );
    expect(nobody.outcome).toBe('UNAUTHENTICATED/CREDENTIALS_MISSING');
  });
});
