import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import type { ConfigError } from '#libs/runtime';
import { readConfig } from './config.ts';

const { privateKey, publicKey } = generateKeyPairSync('ed25519');

const keySet = (...kids: string[]): string =>
  JSON.stringify({ keys: kids.map((kid) => ({ ...publicKey.export({ format: 'jwk' }), kid })) });
const ownKey = (kid?: string): string => JSON.stringify({ ...privateKey.export({ format: 'jwk' }), kid });
const complete = {
  TASKFLOW_USERS_DATABASE_URL: 'postgres://users:pw@127.0.0.1/users',
  TASKFLOW_LIMITS_REDIS_URL: 'redis://127.0.0.1/3',
  TASKFLOW_PAGE_TOKEN_KEY: Buffer.alloc(32, 1).toString('base64'),
  TASKFLOW_SERVICE_KEY: ownKey(),
  TASKFLOW_SERVICE_PUBLIC_KEYS: keySet('users'),
};

describe('the configuration of users', () => {
  it('needs the database, Redis and the keys, everything else has a default', () => {
    const config = readConfig(complete);
    expect(config).toMatchObject({
      service: 'users',
      grpcPort: 50_052,
      httpPort: 9466,
      authAddress: '127.0.0.1:50051',
      tasksAddress: '127.0.0.1:50053',
      discoverable: false,
      pageTokenKeys: [Buffer.alloc(32, 1)],
    });
  });

  it('refuses an unpublished service key, one of another service, and two keys of one id', () => {
    const faultsWith = (key: string, keys: string): readonly string[] => {
      try {
        readConfig({ ...complete, TASKFLOW_SERVICE_KEY: key, TASKFLOW_SERVICE_PUBLIC_KEYS: keys });
        return [];
      } catch (error) {
        return (error as ConfigError).faults;
      }
    };
    const unknown =
      'TASKFLOW_SERVICE_KEY: is not among TASKFLOW_SERVICE_PUBLIC_KEYS, which every service must know before this one uses it';
    expect(faultsWith(ownKey('users.2'), keySet('users', 'users.2'))).toEqual([]);
    expect(faultsWith(ownKey('users.2'), keySet('users'))).toEqual([unknown]);
    expect(faultsWith(ownKey('tasks'), keySet('users', 'tasks'))).toEqual([
      'TASKFLOW_SERVICE_KEY: its kid is not of users',
    ]);
    expect(faultsWith(ownKey(), keySet('users', 'users'))).toEqual([
      'TASKFLOW_SERVICE_PUBLIC_KEYS: has two keys of the same kid',
    ]);
  });

  it('reports all faults at once', () => {
    try {
      readConfig({ TASKFLOW_USERS_GRPC_PORT: 'many', TASKFLOW_PAGE_TOKEN_KEY: 'x' });
      throw new Error('no fault was found');
    } catch (error) {
      const names = [
        'USERS_GRPC_PORT',
        'USERS_DATABASE_URL',
        'SERVICE_KEY',
        'SERVICE_PUBLIC_KEYS',
        'REDIS_URL',
        'PAGE_TOKEN_KEY',
      ];
      expect((error as ConfigError).faults.map((fault) => fault.split(':')[0])).toEqual(
        names.map((name) => `TASKFLOW_${name}`),
      );
    }
  });
});
