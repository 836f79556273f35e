import { createPublicKey, randomUUID } from 'node:crypto';
import { afterAll, describe, expect, it } from '@jest/globals';
import { AuthServiceService, type TokenPair } from '#contract/auth/v1/auth';
import { TasksServiceService } from '#contract/tasks/v1/tasks';
import { InternalUsersServiceService, UsersServiceService } from '#contract/users/v1/users';
import { readServiceKey } from '#dev/cluster';
import { createServiceIdentity } from '#libs/identity';
import { CallError, openStub, type StubCallOptions } from '#dev/stubs';
import { registration } from './factories.ts';
import { encode, flipBit, foreignKey, openForger } from './forge.ts';
import { startAuthCluster } from './start-cluster.ts';

type Call = (options: StubCallOptions) => Promise<unknown>;

const started = await startAuthCluster();
afterAll(started.stop);
const { cluster, open } = started;
const auth = started.auth(0);
const users = open(UsersServiceService, 'users');
const tasks = open(TasksServiceService, 'tasks');
const services: Record<'auth' | 'users' | 'tasks', Call> = {
  auth: (options) => auth.listSessions({}, options),
  users: (options) => users.getMe({}, options),
  tasks: (options) => tasks.listTasks({}, options),
};
const registered = await auth.register(registration());
const tokens = registered.tokens as TokenPair;
const forger = await openForger(started, registered.account?.id ?? '');

const seconds = (): number => Math.floor(Date.now() / 1000);
const outside = foreignKey();
const longKid = 'k'.repeat(3000);

function forgeries(): [string, string][] {
  const { token, symmetric, unsigned, publicJwk, kid } = forger;
  const good = token();
  const [header = '', claims = '', signature = ''] = good.split('.');
  const pem = createPublicKey({ key: { ...publicJwk }, format: 'jwk' }).export({ type: 'spki', format: 'pem' });
  const badClaims: Record<string, Record<string, unknown>> = {
    'of another issuer': { iss: 'somebody' },
    'for another audience': { aud: 'somebody' },
    'that has expired': { exp: seconds() - 1 },
    'that is not valid yet': { nbf: seconds() + 60 },
    'whose expiry is a text': { exp: String(seconds() + 600) },
    'of the role root': { role: 'root' },
    'of two roles': { role: ['user', 'admin'] },
    'whose subject is a number': { sub: 1 },
    'with an empty session': { sid: '' },
    ...Object.fromEntries(
      ['exp', 'iat', 'sub', 'sid', 'role', 'jti', 'iss', 'aud'].map((name) => [
        `without ${name}`,
        { [name]: undefined },
      ]),
    ),
  };
  const badHeaders: Record<string, Record<string, unknown>> = {
    'without a type': { typ: undefined },
    'of the type JWT': { typ: 'JWT' },
    'of the type of service tokens': { typ: 'service+jwt' },
    'without a kid': { kid: undefined },
    'with an empty kid': { kid: '' },
    'with a kid that is a number': { kid: 1 },
    'with an unknown kid': { kid: 'unknown' },
    'with a path for a kid': { kid: '../../../../dev/null' },
    'with SQL for a kid': { kid: `' union select '${publicJwk.x}' --` },
    'with a very long kid': { kid: longKid },
    'with __proto__ for a kid': { kid: '__proto__' },
    'with an unknown critical header': { crit: ['admin'], admin: true },
    'with an empty list of critical headers': { crit: [] },
    'with an unencoded payload': { b64: false, crit: ['b64'] },
  };
  const badSigned = {
    jwk: outside.publicJwk,
    jku: 'http://127.0.0.1:1/keys',
    x5u: 'http://127.0.0.1:1/cert',
    x5c: ['MIIB'],
  };
  return [
    ...Object.entries(badClaims).map(([name, changed]): [string, string] => [name, token({ claims: changed })]),
    ...Object.entries(badHeaders).map(([name, changed]): [string, string] => [name, token({ header: changed })]),
    ...['none', 'None', 'nOnE', 'NONE', ''].map((alg): [string, string] => [
      `unsigned, alg "${alg}"`,
      unsigned({ alg }),
    ]),
    ['unsigned, with the signature of another', unsigned({ alg: 'none' }, signature)],
    ['unsigned, EdDSA all the same', unsigned({})],
    ...['RS256', 'ES256', 'PS256', 'HS512', 'dir'].map((alg): [string, string] => [
      `that says ${alg}`,
      unsigned({ alg }, signature),
    ]),
    ['HS256 with the public key as JWK', symmetric(JSON.stringify(publicJwk))],
    ['HS256 with the public key as bytes', symmetric(Buffer.from(publicJwk.x, 'base64url'))],
    ['HS256 with the public key as text', symmetric(publicJwk.x)],
    ['HS256 with the public key as PEM', symmetric(pem)],
    ['HS256 with no secret', symmetric('')],
    ['HS256 with the kid', symmetric(kid)],
    ['signed with another key', token({ key: outside.privateKey })],
    ...Object.entries(badSigned).map(([name, value]): [string, string] => [
      `signed with another key, given as ${name}`,
      token({ key: outside.privateKey, header: { [name]: value } }),
    ]),
    ...([0, 1, 2] as const).map((part): [string, string] => [
      `with one bit flipped in part ${part}`,
      flipBit(good, part),
    ]),
    ['with other claims', `${header}.${encode({ role: 'admin' })}.${signature}`],
    ['without its signature', `${header}.${claims}.`],
    ['of two parts', `${header}.${claims}`],
    ['of four parts', `${good}.${signature}`],
    ['with doubled dots', good.replaceAll('.', '..')],
    ['of dots', '..'],
    ['that is no JSON', `${encode('{')}.${claims}.${signature}`],
    ['whose claims are a list', `${header}.${encode([])}.${signature}`],
    ['cut short', good.slice(0, -4)],
    ['of 9 KiB, well signed', token({ claims: { padding: 'x'.repeat(9000) } })],
    ['that is a refresh token', tokens.refreshToken],
  ];
}

/** The whole answer, byte for byte, of a call that has to fail. */
async function answerTo(call: Call, options: StubCallOptions): Promise<unknown> {
  const error = await call({ requestId: 'forged', ...options }).then(
    () => new Error('it succeeded'),
    (reason: unknown) => reason,
  );
  if (!(error instanceof CallError)) throw error;
  return {
    kind: error.kind,
    reason: error.reason,
    message: (error.cause as Error & { details: string }).details,
    status: error.statusBytes?.toString('hex'),
  };
}

describe.each(['auth', 'users', 'tasks'] as const)('%s', (name) => {
  it('gives every forged token the same answer, byte for byte, and goes on serving good ones', async () => {
    const call = services[name];
    const usual = await answerTo(call, { token: 'nonsense' });
    expect(usual).toMatchObject({
      kind: 'unauthenticated',
      reason: 'TOKEN_INVALID',
      message: 'the token is not valid',
    });
    const answers: [string, unknown][] = [];
    for (const [forgery, token] of forgeries()) answers.push([forgery, await answerTo(call, { token })]);
    const serviceToken = await createServiceIdentity({
      service: 'tasks',
      privateKey: readServiceKey(cluster.dir, 'tasks'),
    }).tokenFor(name);
    answers.push(['that a service proves itself with', await answerTo(call, { token: serviceToken })]);
    const authorizations = [
      '',
      'Bearer',
      'bearer nonsense',
      `Basic ${tokens.accessToken}`,
      `Token ${tokens.accessToken}`,
      tokens.accessToken,
      `Bearer ${tokens.accessToken} x`,
      `Bearer "${tokens.accessToken}"`,
    ];
    for (const authorization of authorizations)
      answers.push([authorization, await answerTo(call, { metadata: { authorization } })]);
    expect(answers).toEqual(answers.map(([forgery]) => [forgery, usual]));
    expect(answers.length).toBeGreaterThan(70);

    await call({ token: tokens.accessToken });
    // What the forger makes without changing anything is as good as auth's own.
    await call({ token: forger.token() });
    // RFC 7235: the name of a scheme has no case.
    await call({ metadata: { authorization: `bearer ${tokens.accessToken}` } });
  });

  it('survives a token of 1 MiB', async () => {
    const attacker = openStub(
      name === 'auth' ? AuthServiceService : name === 'users' ? UsersServiceService : TasksServiceService,
      cluster.address(name),
    );
    const huge = 'x'.repeat(1024 * 1024);
    const calls = Object.values(attacker).slice(0, 3) as Call[];
    for (const call of calls)
      await expect(
        (call as (request: object, options: StubCallOptions) => Promise<unknown>)({}, { token: huge, timeoutMs: 5000 }),
      ).rejects.toBeInstanceOf(CallError);
    attacker.close();
    await services[name]({ token: tokens.accessToken });
  });
});

describe('an internal method', () => {
  it('accepts as proof of a service neither an access token nor the token of another service', async () => {
    const internal = open(InternalUsersServiceService, 'users');
    const ask: Call = (options) => internal.batchGetUsers({ userIds: [randomUUID()] }, options);
    const as = (token: string) => ({ metadata: { 'x-taskflow-service': token } });
    const tasksIdentity = createServiceIdentity({ service: 'tasks', privateKey: readServiceKey(cluster.dir, 'tasks') });
    await ask(as(await tasksIdentity.tokenFor('users')));
    const posing = createServiceIdentity({ service: 'tasks', privateKey: readServiceKey(cluster.dir, 'auth') });
    const refused = [
      tokens.accessToken,
      tokens.refreshToken,
      forger.token({ header: { typ: 'service+jwt', kid: 'tasks' }, claims: { iss: 'tasks', aud: 'users' } }),
      await tasksIdentity.tokenFor('auth'),
      await posing.tokenFor('users'),
      'tasks',
      '',
    ];
    const usual = await answerTo(ask, as('nonsense'));
    expect(usual).toMatchObject({ kind: 'unauthenticated', reason: 'TOKEN_INVALID' });
    for (const token of refused) expect(await answerTo(ask, as(token))).toEqual(usual);
    expect(await answerTo(ask, { token: tokens.accessToken })).toMatchObject({
      kind: 'permission_denied',
      reason: 'SERVICE_IDENTITY_REQUIRED',
    });
  });
});
