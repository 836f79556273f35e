import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import type { ConfigError } from '#libs/runtime';
import { readConfig } from './config.ts';

const { privateKey, publicKey } = generateKeyPairSync('ed25519');

describe('the configuration of users', () => {
  it('needs the database, Redis and the keys, everything else has a default', () => {
    const config = readConfig({
      TASKFLOW_USERS_DATABASE_URL: 'postgres://users:pw@127.0.0.1/users',
      TASKFLOW_LIMITS_REDIS_URL: 'redis://127.0.0.1/3',
      TASKFLOW_PAGE_TOKEN_KEY: Buffer.alloc(32, 1).toString('base64'),
      TASKFLOW_SERVICE_KEY: JSON.stringify(privateKey.export({ format: 'jwk' })),
      TASKFLOW_SERVICE_PUBLIC_KEYS: JSON.stringify({ keys: [{ ...publicKey.export({ format: 'jwk' }), kid: 'users' }] }),
    });
    expect(config).toMatchObject({ service: 'users', grpcPort: 50_052, httpPort: 9466, authAddress: '127.0.0.1:50051', pageTokenKey: Buffer.alloc(32, 1) });
  });

  it('reports all faults at once', () => {
    try {
      readConfig({ TASKFLOW_USERS_GRPC_PORT: 'many', TASKFLOW_PAGE_TOKEN_KEY: 'x' });
      throw new Error('no fault was found');
    } catch (error) {
      const names = ['USERS_GRPC_PORT', 'USERS_DATABASE_URL', 'SERVICE_KEY', 'SERVICE_PUBLIC_KEYS', 'REDIS_URL', 'PAGE_TOKEN_KEY'];
      expect((error as ConfigError).faults.map((fault) => fault.split(':')[0])).toEqual(names.map((name) => `TASKFLOW_${name}`));
    }
  });
});
