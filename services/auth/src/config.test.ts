import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import type { ConfigError } from '#libs/runtime';
import { readConfig } from './config.ts';

const { privateKey, publicKey } = generateKeyPairSync('ed25519');
const complete = {
  TASKFLOW_REDIS_URL: 'redis://127.0.0.1/3',
  TASKFLOW_AUTH_DATABASE_URL: 'postgres://auth:pw@127.0.0.1/auth',
  TASKFLOW_AUTH_ENCRYPTION_KEY: Buffer.alloc(32, 1).toString('base64'),
  TASKFLOW_SERVICE_KEY: JSON.stringify(privateKey.export({ format: 'jwk' })),
  TASKFLOW_SERVICE_PUBLIC_KEYS: JSON.stringify({ keys: [{ ...publicKey.export({ format: 'jwk' }), kid: 'auth' }] }),
};

function faultsOf(env: NodeJS.ProcessEnv): readonly string[] {
  try {
    readConfig(env);
  } catch (error) {
    return (error as ConfigError).faults;
  }
  return [];
}

describe('the configuration of auth', () => {
  it('needs the database, Redis and the keys, everything else has a default', () => {
    expect(readConfig(complete)).toMatchObject({
      service: 'auth',
      grpcPort: 50_051,
      httpPort: 9465,
      usersAddress: '127.0.0.1:50052',
      administrator: undefined,
      limits: { redisUrl: 'redis://127.0.0.1/3', prefix: 'taskflow', overrides: {}, timeoutMs: 45 },
      passwordAttempts: { free: 5, firstWaitMs: 1000, longestWaitMs: 900_000 },
      refreshGraceMs: 10_000,
      schedulerAddress: '127.0.0.1:50054',
      recovery: {
        sendsMail: false,
        resetLifetimeMs: 15 * 60_000,
        verificationLifetimeMs: 24 * 3_600_000,
        mailsPerHour: 5,
        unverifiedMaySignIn: true,
      },
      sessionLifetimeMs: 30 * 24 * 3_600_000,
      jwksMaxAgeMs: 60_000,
      keyMarginMs: 30_000,
    });
  });

  it('refuses times that are too short for a new key to reach all replicas', () => {
    expect(
      faultsOf({ ...complete, TASKFLOW_AUTH_JWKS_MAX_AGE_MS: '999', TASKFLOW_AUTH_KEY_MARGIN_MS: '3999' }),
    ).toEqual([
      'TASKFLOW_AUTH_JWKS_MAX_AGE_MS: must be at least 1000',
      'TASKFLOW_AUTH_KEY_MARGIN_MS: must be at least 4000',
    ]);
  });

  it('demands a verified e-mail only where mail is sent', () => {
    const strict = { ...complete, TASKFLOW_AUTH_UNVERIFIED_SIGN_IN: 'refused' };
    const fault = 'TASKFLOW_AUTH_UNVERIFIED_SIGN_IN: may be refused only where TASKFLOW_MAIL sends mail';
    expect(faultsOf(strict)).toEqual([fault]);
    expect(faultsOf({ ...strict, TASKFLOW_MAIL: 'off' })).toEqual([fault]);
    expect(readConfig({ ...strict, TASKFLOW_MAIL: 'smtp' }).recovery).toMatchObject({
      sendsMail: true,
      unverifiedMaySignIn: false,
    });
  });

  it('reports all faults at once', () => {
    const faults = faultsOf({
      TASKFLOW_AUTH_ENCRYPTION_KEY: 'c2hvcnQ=',
      TASKFLOW_AUTH_REFRESH_GRACE_MS: '-1',
      TASKFLOW_AUTH_ADMIN_EMAIL: 'nobody',
    });
    const names = [
      'REDIS_URL',
      'SERVICE_KEY',
      'SERVICE_PUBLIC_KEYS',
      'AUTH_DATABASE_URL',
      'AUTH_ENCRYPTION_KEY',
      'AUTH_REFRESH_GRACE_MS',
      'AUTH_ADMIN_EMAIL',
      'AUTH_ADMIN_PASSWORD',
    ];
    for (const name of names) expect(faults).toContainEqual(expect.stringMatching(`^TASKFLOW_${name}: `));
    expect(faults).toHaveLength(names.length);
  });

  it('needs both e-mail and password of an administrator', () => {
    const administrator = {
      TASKFLOW_AUTH_ADMIN_EMAIL: 'Admin@Example.com',
      TASKFLOW_AUTH_ADMIN_PASSWORD: 'long enough',
    };
    expect(readConfig({ ...complete, ...administrator }).administrator).toEqual({
      email: 'admin@example.com',
      password: 'long enough',
    });
    expect(faultsOf({ ...complete, TASKFLOW_AUTH_ADMIN_PASSWORD: 'long enough' })).toEqual([
      'TASKFLOW_AUTH_ADMIN_EMAIL: is missing; the administrator needs both an e-mail and a password, or neither',
    ]);
    expect(faultsOf({ ...complete, ...administrator, TASKFLOW_AUTH_ADMIN_PASSWORD: 'short' })).toHaveLength(1);
  });
});
