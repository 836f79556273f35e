import { generateKeyPairSync } from 'node:crypto';

/** The required settings. */
export function environment(): NodeJS.ProcessEnv {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  const key = Buffer.alloc(32, 1).toString('base64');
  return {
    TASKFLOW_SCHEDULER_DATABASE_URL: 'postgres://scheduler:pw@127.0.0.1/scheduler',
    TASKFLOW_REDIS_URL: 'redis://127.0.0.1/3',
    TASKFLOW_PAGE_TOKEN_KEY: key,
    TASKFLOW_SCHEDULER_ENCRYPTION_KEY: key,
    TASKFLOW_SERVICE_KEY: JSON.stringify(privateKey.export({ format: 'jwk' })),
    TASKFLOW_SERVICE_PUBLIC_KEYS: JSON.stringify({
      keys: [{ ...publicKey.export({ format: 'jwk' }), kid: 'scheduler' }],
    }),
  };
}
