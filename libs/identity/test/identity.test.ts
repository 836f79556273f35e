import { describe, expect, it, jest } from '@jest/globals';
import { CompactSign, generateKeyPair, exportJWK, SignJWT, importJWK, type CryptoKey } from 'jose';
import type { GetJwksResponse } from '#contract/auth/v1/auth';
import { AppError } from '#libs/errors';
import type { Clock } from '#libs/runtime';
import { createAuthenticator, createRemoteAccessKeys, type AccessKeys } from '#libs/identity';
import {
  accessKeys,
  recordingLogger,
  servicePrivateKey,
  servicePublicKeys,
  userPublicKey,
  userToken,
  type TokenChanges,
} from '../../grpc/test/cluster.ts';

const authenticatorWith = (keys: AccessKeys, clock?: Clock) =>
  createAuthenticator({ service: 'users', accessKeys: keys, servicePublicKeys, ...(clock && { clock }) });
const authenticate = authenticatorWith(accessKeys);

async function refusal(promise: Promise<unknown>): Promise<unknown[]> {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  return error instanceof AppError ? [error.kind, error.reason, error.message] : [error];
}

/** Other spellings of the same bytes: unused bits, padding, extra characters, the other alphabet. */
function respell(token: string): string[] {
  const [header = '', claims = '', signature = ''] = token.split('.');
  const last = signature.at(-1) ?? '';
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
  // A signature of 64 bytes leaves four bits of its last character unused.
  const others = Array.from({ length: 15 }, (_, index) => alphabet[alphabet.indexOf(last) + index + 1]);
  return [
    ...others.map((character) => token.slice(0, -1) + character),
    ...[`${token}=`, `${token}==`, `${header}=.${claims}.${signature}`, `${header}.${claims}.~${signature}`],
    `${header}.${claims}.${signature.slice(0, 40)}~${signature.slice(40)}`,
    `${header}.${claims}.${signature.replaceAll('-', '+').replaceAll('_', '/')}`,
  ].filter((spelling) => spelling !== token);
}

const invalid = ['unauthenticated', 'TOKEN_INVALID', 'the token is not valid'];
const now = (): number => Math.floor(Date.now() / 1000);

describe('an access token', () => {
  it('names the user, the role and the session', async () => {
    expect(await authenticate({ authorization: `Bearer ${await userToken({ claims: { role: 'admin' } })}` })).toEqual({
      user: { kind: 'user', userId: 'user-1', role: 'admin', sessionId: 'session-1' },
    });
  });

  const cases: [string, () => TokenChanges | Promise<TokenChanges>][] = [
    ['has expired', () => ({ claims: { exp: now() - 10 } })],
    ['is of another issuer', () => ({ claims: { iss: 'somebody' } })],
    ['is for another audience', () => ({ claims: { aud: 'somebody' } })],
    ['has another type', () => ({ header: { typ: 'JWT' } })],
    ['names no key', () => ({ header: { kid: undefined } })],
    ['names an unknown key', () => ({ header: { kid: 'other' } })],
    ['has an unknown role', () => ({ claims: { role: 'root' } })],
    ['has an empty subject', () => ({ claims: { sub: '' } })],
    [
      'is signed with another key',
      async () => ({ key: await exportJWK((await generateKeyPair('EdDSA', { extractable: true })).privateKey) }),
    ],
    ['is signed by a service', () => ({ key: servicePrivateKey('auth') })],
    ...['sub', 'sid', 'role', 'exp', 'iat', 'jti', 'iss', 'aud'].map((name): [string, () => TokenChanges] => [
      `lacks ${name}`,
      () => ({ without: [name] }),
    ]),
  ];
  it.each(cases)('that %s is refused with the one message', async (_name, changes) => {
    expect(await refusal(authenticate({ authorization: `Bearer ${await userToken(await changes())}` }))).toEqual(
      invalid,
    );
  });

  it('has one spelling only, before and after it is cached', async () => {
    const verify = authenticatorWith(accessKeys);
    const token = await userToken();
    for (let round = 0; round < 2; round += 1) {
      for (const spelling of respell(token))
        expect(await refusal(verify({ authorization: `Bearer ${spelling}` }))).toEqual(invalid);
      await verify({ authorization: `Bearer ${token}` });
    }
  });

  it('is refused when it is unsigned or signed symmetrically', async () => {
    const [, payload] = (await userToken()).split('.');
    const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
    const unsigned = `${encode({ alg: 'none', typ: 'at+jwt', kid: 'user-key' })}.${payload}.`;
    expect(await refusal(authenticate({ authorization: `Bearer ${unsigned}` }))).toEqual(invalid);
    const symmetric = await new SignJWT({ sub: 'user-1' })
      .setProtectedHeader({ alg: 'HS256', typ: 'at+jwt', kid: 'user-key' })
      .sign(Buffer.from(String(userPublicKey.x), 'base64url'));
    expect(await refusal(authenticate({ authorization: `Bearer ${symmetric}` }))).toEqual(invalid);
  });

  it('of more than 8 KiB is refused without decoding it', async () => {
    let asked = 0;
    const verify = authenticatorWith({ get: async (kid) => (asked++, accessKeys.get(kid)) });
    const token = await userToken({ claims: { padding: 'x'.repeat(9000) } });
    expect(await refusal(verify({ authorization: `Bearer ${token}` }))).toEqual(invalid);
    expect(asked).toBe(0);
  });

  it('is verified once and cached until it expires', async () => {
    let asked = 0;
    const verify = authenticatorWith({ get: async (kid) => (asked++, accessKeys.get(kid)) });
    const authorization = `Bearer ${await userToken()}`;
    const first = await verify({ authorization });
    expect(await verify({ authorization })).toEqual(first);
    expect(asked).toBe(1);
  });

  it('that cannot be checked yet is UNAVAILABLE', async () => {
    const unavailable = new AppError('unavailable', 'KEYS_UNAVAILABLE', 'tokens cannot be checked yet');
    const verify = authenticatorWith({ get: async () => Promise.reject(unavailable) });
    expect(await refusal(verify({ authorization: `Bearer ${await userToken()}` }))).toEqual([
      'unavailable',
      'KEYS_UNAVAILABLE',
      unavailable.message,
    ]);
  });
});

describe('a service token', () => {
  const sign = async (claims: Record<string, unknown>, kid: 'auth' | 'tasks' = 'tasks', typ = 'service+jwt') =>
    new SignJWT({ iss: 'tasks', aud: 'users', iat: now(), exp: now() + 60, ...claims })
      .setProtectedHeader({ alg: 'EdDSA', typ, kid })
      .sign((await importJWK(servicePrivateKey(kid), 'EdDSA')) as CryptoKey);

  it('proves the calling service', async () => {
    expect(await authenticate({ serviceToken: await sign({}) })).toEqual({ service: 'tasks' });
  });

  it('has one spelling only', async () => {
    for (const serviceToken of respell(await sign({})))
      expect(await refusal(authenticate({ serviceToken }))).toEqual(invalid);
  });

  it('does not prove another service than the one that signed it', async () => {
    expect(await refusal(authenticate({ serviceToken: await sign({ iss: 'scheduler' }) }))).toEqual(invalid);
  });

  it.each<[string, () => object]>([
    ['is old', () => ({ iat: now() - 300, exp: now() + 3600 })],
    ['is a little older than its lifetime', () => ({ iat: now() - 62, exp: now() + 30 })],
    ['claims a longer lifetime than allowed', () => ({ exp: now() + 3600 })],
    ['was issued in the future', () => ({ iat: now() + 60, exp: now() + 120 })],
  ])('that %s is refused', async (_name, claims) => {
    expect(await refusal(authenticate({ serviceToken: await sign({ ...claims() }) }))).toEqual(invalid);
  });

  it.each(['"exp":1e999', '"exp":1e300', '"exp":-1e999', '"iat":1e999', '"iat":-1e999', '"exp":"60"', '"exp":null'])(
    'with %s is refused',
    async (claim) => {
      // JSON can contain these, but no library signs them.
      const name = claim.slice(1, 4);
      const rest = Object.entries({ iss: 'tasks', aud: 'users', iat: now(), exp: now() + 60 }).filter(
        ([key]) => key !== name,
      );
      const payload = JSON.stringify(Object.fromEntries(rest)).replace('{', `{${claim},`);
      const token = await new CompactSign(Buffer.from(payload))
        .setProtectedHeader({ alg: 'EdDSA', typ: 'service+jwt', kid: 'tasks' })
        .sign((await importJWK(servicePrivateKey('tasks'), 'EdDSA')) as CryptoKey);
      expect(await refusal(authenticate({ serviceToken: token }))).toEqual(invalid);
      expect(await refusal(authenticate({ serviceToken: token }))).toEqual(invalid);
    },
  );

  it('is not accepted for longer than a minute because it is cached', async () => {
    let aheadMs = 0;
    const verify = authenticatorWith(accessKeys, { now: () => new Date(Date.now() + aheadMs) });
    const serviceToken = await sign({ exp: now() + 64 });
    expect(await verify({ serviceToken })).toEqual({ service: 'tasks' });
    aheadMs = 55_000;
    expect(await verify({ serviceToken })).toEqual({ service: 'tasks' });
    aheadMs = 61_000;
    expect(await refusal(verify({ serviceToken }))).toEqual(invalid);
  });

  it('is no access token, nor the reverse', async () => {
    expect(await refusal(authenticate({ serviceToken: await userToken() }))).toEqual(invalid);
    expect(await refusal(authenticate({ authorization: `Bearer ${await sign({})}` }))).toEqual(invalid);
  });
});

describe('the keys of auth', () => {
  const maxAgeMs = 300_000;
  const jwk = { kty: 'OKP', crv: 'Ed25519', alg: 'EdDSA', use: 'sig', x: String(userPublicKey.x) };
  const answer = (...kids: string[]): GetJwksResponse => ({
    keys: kids.map((kid) => ({ ...jwk, kid })),
    maxAge: { seconds: BigInt(maxAgeMs / 1000), nanos: 0 },
  });
  const { logger } = recordingLogger();

  it('are fetched at start, and an unknown kid does not fetch again within 30 seconds', async () => {
    let fetches = 0;
    const keys = createRemoteAccessKeys({ fetch: async () => (fetches++, answer('a')), logger });
    await keys.start();
    expect(await keys.get('a')).toBeDefined();
    expect(await Promise.all([keys.get('b'), keys.get('c'), keys.get('b')])).toEqual([undefined, undefined, undefined]);
    expect(fetches).toBe(1);
    await keys.check();
    await keys.stop();
  });

  it('are refreshed in the background before they expire, so that a new key is known before it signs', async () => {
    let fetches = 0;
    const fetch = async (): Promise<GetJwksResponse> => {
      fetches += 1;
      return answer('a', ...(fetches > 1 ? ['b'] : []));
    };
    const keys = createRemoteAccessKeys({ fetch, logger });
    jest.useFakeTimers({ doNotFake: ['nextTick', 'queueMicrotask', 'setImmediate'] });
    try {
      await keys.start();
      jest.advanceTimersByTime(maxAgeMs - 1);
      expect(fetches).toBe(2);
      expect(await keys.get('b')).toBeDefined();
      await keys.stop();
    } finally {
      jest.useRealTimers();
    }
  });

  it('are fetched once for all calls that wait for them', async () => {
    let fetches = 0;
    const { promise, resolve: open } = Promise.withResolvers<GetJwksResponse>();
    const keys = createRemoteAccessKeys({ fetch: () => (fetches++, promise), logger });
    const waiting = Promise.all([keys.get('a'), keys.get('a'), keys.get('unknown')]);
    open(answer('a'));
    const [first, second, third] = await waiting;
    expect([first !== undefined, second !== undefined, third, fetches]).toEqual([true, true, undefined, 1]);
    await keys.stop();
  });

  it('may be unreachable at start: calls are UNAVAILABLE until auth answers', async () => {
    const answered = Promise.withResolvers<void>();
    let up = false;
    const fetch = async (): Promise<GetJwksResponse> => {
      if (!up) throw new AppError('unavailable', 'DEPENDENCY_UNAVAILABLE', 'auth did not answer');
      answered.resolve();
      return answer('a');
    };
    const keys = createRemoteAccessKeys({ fetch, logger });
    await keys.start();
    await expect(keys.check()).rejects.toThrow('no access keys yet');
    expect((await refusal(keys.get('a'))).slice(0, 2)).toEqual(['unavailable', 'KEYS_UNAVAILABLE']);
    up = true;
    // The library fetches again by itself.
    await answered.promise;
    expect(await keys.get('a')).toBeDefined();
    await keys.stop();
  });
});
