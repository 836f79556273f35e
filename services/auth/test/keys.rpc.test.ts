import { randomBytes } from 'node:crypto';
import { afterAll, describe, expect, it } from '@jest/globals';
import { decodeJwt, decodeProtectedHeader, importJWK, jwtVerify } from 'jose';
import { refresh, registerAccount } from './factories.ts';
import { startAuth, startForTest, useAfterTest } from './start-auth.ts';

useAfterTest();

const service = await startAuth();
afterAll(service.stop);

describe('access tokens', () => {
  it('carry every claim, and can be checked with what GetJwks publishes', async () => {
    const { account, tokens } = await registerAccount(service);
    const { keys, maxAge } = await service.auth.getJwks({});
    expect(Number(maxAge?.seconds)).toBeGreaterThan(0);
    expect(keys).toEqual([
      {
        kid: expect.stringMatching(/^[\w-]{16}$/),
        kty: 'OKP',
        crv: 'Ed25519',
        alg: 'EdDSA',
        use: 'sig',
        x: expect.stringMatching(/^[\w-]{43}$/),
      },
    ]);
    const [key] = keys;
    const { payload, protectedHeader } = await jwtVerify(tokens.accessToken, await importJWK({ ...key }, 'EdDSA'), {
      issuer: 'taskflow-auth',
      audience: 'taskflow',
      typ: 'at+jwt',
    });
    expect(protectedHeader).toEqual({ alg: 'EdDSA', typ: 'at+jwt', kid: key?.kid });
    expect(payload).toEqual({
      iss: 'taskflow-auth',
      aud: 'taskflow',
      sub: account.id,
      sid: expect.stringMatching(/^[0-9a-f-]{36}$/),
      role: 'user',
      iat: expect.any(Number),
      exp: (payload.iat ?? 0) + 600,
      jti: expect.stringMatching(/^[\w-]{22}$/),
    });
    expect(tokens.accessTokenExpireTime?.getTime()).toBe((payload.exp ?? 0) * 1000);
  });

  it('keep the session and get a new jti at a refresh', async () => {
    const { tokens } = await registerAccount(service);
    const { tokens: next } = await refresh(service, { tokens });
    const [before, after] = [decodeJwt(tokens.accessToken), decodeJwt(next?.accessToken ?? '')];
    expect(after['sid']).toBe(before['sid']);
    expect(after.jti).not.toBe(before.jti);
  });
});

describe('signing keys', () => {
  it('are one for all replicas that start on an empty database at the same time', async () => {
    await service.sql('delete from signing_keys');
    const replicas = await Promise.all(Array.from({ length: 4 }, () => startForTest({ replicaOf: service })));
    const kids = await Promise.all(
      replicas.map(async (replica) => decodeProtectedHeader((await registerAccount(replica)).tokens.accessToken).kid),
    );
    expect(new Set(kids).size).toBe(1);
    expect(await service.sql('select kid from signing_keys')).toEqual([{ kid: kids[0] }]);
  });

  it('are stored encrypted: with another encryption key the service reports it and does not become ready', async () => {
    const config = { encryptionKeys: [randomBytes(32)] };
    const other = await startForTest({ replicaOf: service, config, awaitReady: false });
    await expect(other.auth.getJwks({})).rejects.toMatchObject({ kind: 'internal', reason: 'INTERNAL' });
    expect(other.logLines.join('')).toContain('it was stored under another TASKFLOW_AUTH_ENCRYPTION_KEY');
    const readiness = await fetch(`http://127.0.0.1:${other.app.httpPort}/readyz`);
    expect(readiness.status).toBe(503);
  });
});
