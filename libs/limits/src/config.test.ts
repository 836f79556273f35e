import { describe, expect, it } from '@jest/globals';
import { ConfigError, loadConfig } from '#libs/runtime';
import { limitsEntries, toLimitsConfig, type LimitsConfig } from './config.ts';

const methods = new Map([
  ['/shop.v1.Shop/Buy', { rateLimit: {} }],
  ['/shop.v1.Shop/Sweep', { rateLimit: undefined }],
]);

function read(env: Record<string, string>): LimitsConfig {
  return toLimitsConfig(loadConfig(limitsEntries(methods, env), env));
}

function faultsOf(env: Record<string, string>): readonly string[] {
  try {
    read(env);
  } catch (error) {
    if (error instanceof ConfigError) return error.faults;
    throw error;
  }
  return [];
}

const url = 'redis://127.0.0.1:6379';

describe('the configuration of limits', () => {
  it('takes the Redis of the queues unless there is one for limits', () => {
    expect(read({ TASKFLOW_REDIS_URL: url })).toEqual({
      redisUrl: url,
      prefix: 'taskflow',
      overrides: {},
      timeoutMs: 45,
    });
    expect(read({ TASKFLOW_REDIS_URL: url, TASKFLOW_LIMITS_REDIS_URL: `${url}/1` }).redisUrl).toBe(`${url}/1`);
    expect(read({ TASKFLOW_LIMITS_REDIS_URL: `${url}/1` }).redisUrl).toBe(`${url}/1`);
    expect(faultsOf({})).toEqual(['TASKFLOW_REDIS_URL: is missing']);
  });

  it('takes limits in place of those of the contract', () => {
    const overrides = {
      'shop.v1.Shop/Buy': { requests: 600, perSeconds: 60 },
      'shop.v1.Shop/Sweep': 'unlimited',
      '*': 'unlimited',
    };
    expect(read({ TASKFLOW_REDIS_URL: url, TASKFLOW_RATE_LIMITS: JSON.stringify(overrides) }).overrides).toEqual(
      overrides,
    );
  });

  it.each([
    ['{', 'must be JSON'],
    [
      '[]',
      'must be an object of limits by method, such as { "taskflow.auth.v1.AuthService/Login": { "requests": 60, "perSeconds": 60 }, "*": "unlimited" }',
    ],
    [
      '{"shop.v1.Shop/Buy":{"requests":5,"seconds":1},"*":7}',
      '"shop.v1.Shop/Buy" is {"requests":5,"seconds":1}, but must be "unlimited" or { "requests": 1 or more, "perSeconds": 1 to 86400 }; "*" is 7, but must be "unlimited" or { "requests": 1 or more, "perSeconds": 1 to 86400 }',
    ],
    ['{"shop.v1.Shop/Sell":"unlimited"}', 'names shop.v1.Shop/Sell, which the contract does not declare'],
    [
      '{"shop.v1.Shop/Sweep":{"requests":1,"perSeconds":1}}',
      'limits shop.v1.Shop/Sweep, which the contract leaves unlimited',
    ],
    [
      '{"*":{"requests":0,"perSeconds":1}}',
      '"*" is {"requests":0,"perSeconds":1}, but must be "unlimited" or { "requests": 1 or more, "perSeconds": 1 to 86400 }',
    ],
    [
      '{"*":{"requests":1,"perSeconds":1,"key":"user"}}',
      '"*" is {"requests":1,"perSeconds":1,"key":"user"}, but must be "unlimited" or { "requests": 1 or more, "perSeconds": 1 to 86400 }',
    ],
  ])('refuses %s', (text, fault) => {
    expect(faultsOf({ TASKFLOW_REDIS_URL: url, TASKFLOW_RATE_LIMITS: text })).toEqual([
      `TASKFLOW_RATE_LIMITS: ${fault}`,
    ]);
  });
});
