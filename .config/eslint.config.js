import { fileURLToPath } from 'node:url';
import importX from 'eslint-plugin-import-x';
import tseslint from 'typescript-eslint';

const root = fileURLToPath(new URL('..', import.meta.url));

/** What a folder may not import; each entry is a regular expression on the specifier. */
const forbid = (files, message, ...patterns) => ({
  files,
  ignores: ['**/*.test.ts'],
  rules: {
    'no-restricted-imports': ['error', { patterns: patterns.map((regex) => ({ regex, message })) }],
  },
});

const libs = (...names) => `^#libs/(${names.join('|')})$`;
const orm = '^@mikro-orm/';
const redis = '^(bullmq|ioredis|rate-limiter-flexible|bentocache)';
const rpcStack = '^(@grpc/|opossum)';
const folder = (...names) => `^\\.\\.?/(.*/)?(${names.join('|')})/`;
const stubs = '^#contract/';

export default tseslint.config(
  { ignores: ['**/gen/**', 'libs/errors/src/reasons.ts'] },
  ...tseslint.configs.recommended,
  {
    files: ['**/*.ts'],
    languageOptions: { parserOptions: { project: '.config/tsconfig.json', tsconfigRootDir: root } },
    plugins: { 'import-x': importX },
    rules: {
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-misused-promises': 'error',
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_' }],
      'import-x/no-default-export': 'error',
      'no-console': 'error',
      complexity: ['error', 10],
      'max-params': ['error', 4],
      'max-lines': ['error', { max: 250, skipBlankLines: false }],
      'max-lines-per-function': ['error', { max: 60 }],
    },
  },
  {
    files: ['**/*.test.ts', '**/test/**/*.ts'],
    rules: { 'max-lines': ['error', { max: 400 }], 'max-lines-per-function': 'off' },
  },
  { files: ['**/migrations/*.ts'], rules: { 'max-lines-per-function': 'off' } },
  // Libraries import only downwards.
  forbid(['libs/contract/**'], 'contract imports nothing', '^#libs/'),
  forbid(['libs/errors/**'], 'errors imports nothing', '^#', orm, redis, rpcStack),
  forbid(['libs/runtime/**'], 'runtime imports only errors', libs('contract', 'grpc', 'db', 'events', 'jobs', 'redis', 'limits', 'cache', 'devcluster'), stubs, orm, redis, rpcStack),
  forbid(['libs/grpc/**'], 'grpc imports runtime, errors, contract', libs('db', 'events', 'jobs', 'redis', 'limits', 'cache', 'devcluster'), orm, redis),
  forbid(['libs/db/**'], 'db imports runtime, errors', libs('contract', 'grpc', 'events', 'jobs', 'redis', 'limits', 'cache', 'devcluster'), redis, rpcStack),
  forbid(['libs/jobs/**'], 'jobs imports runtime, errors', libs('contract', 'grpc', 'db', 'events', 'redis', 'limits', 'cache', 'devcluster'), orm, rpcStack, '^(rate-limiter-flexible|bentocache)'),
  forbid(['libs/redis/**'], 'redis imports runtime', libs('contract', 'grpc', 'db', 'events', 'jobs', 'limits', 'cache', 'devcluster'), stubs, orm, rpcStack, '^(bullmq|rate-limiter-flexible|bentocache)'),
  forbid(['libs/limits/**'], 'limits imports redis, runtime, errors', libs('contract', 'grpc', 'db', 'events', 'jobs', 'cache', 'devcluster'), stubs, orm, rpcStack, '^(bullmq|bentocache)'),
  forbid(['libs/cache/**'], 'cache imports redis, runtime', libs('contract', 'grpc', 'db', 'events', 'jobs', 'limits', 'devcluster'), stubs, orm, rpcStack, '^(bullmq|ioredis|rate-limiter-flexible)'),
  forbid(['libs/events/**'], 'events imports db, jobs, runtime, errors', libs('contract', 'grpc', 'redis', 'limits', 'cache', 'devcluster'), redis, rpcStack),
  forbid(['libs/bench/**'], 'bench imports devcluster and knows no service', libs('db', 'events', 'jobs', 'redis', 'limits', 'cache'), '^#contract/(auth|users|tasks|scheduler)/', orm, redis),
  // Inside a service: handlers translate, use-cases tell the story, the domain knows nobody.
  forbid(['services/*/src/main.ts'], 'main.ts imports app, config, runtime', libs('contract', 'errors', 'grpc', 'db', 'events', 'jobs', 'redis', 'limits', 'cache'), orm, redis, rpcStack),
  forbid(['services/*/src/rpc/**'], 'rpc imports use-cases, domain, contract, errors', libs('jobs', 'events', 'redis', 'limits', 'cache'), folder('db', 'jobs', 'clients'), orm, redis, rpcStack),
  forbid(['services/*/src/use-cases/**'], 'use-cases import domain, deps, errors', libs('grpc', 'contract', 'jobs', 'redis', 'limits', 'cache'), folder('rpc', 'jobs', 'clients', 'db'), orm, redis, rpcStack),
  forbid(['services/*/src/domain/**'], 'the domain imports errors and the entity definitions', libs('grpc', 'contract', 'jobs', 'redis', 'limits', 'cache', 'runtime'), folder('rpc', 'jobs', 'clients', 'use-cases', 'db'), redis, rpcStack),
  forbid(['services/*/src/jobs/**'], 'jobs import use-cases and the jobs library', libs('grpc', 'db', 'redis', 'limits', 'cache'), folder('rpc', 'db'), orm, redis, rpcStack),
  forbid(['services/*/src/clients/**'], 'clients import contract, grpc, errors, cache', libs('db', 'jobs', 'events', 'redis', 'limits'), folder('use-cases', 'db', 'rpc'), orm, redis),
  { files: ['**/bin/**', 'libs/devcluster/**'], rules: { 'no-console': 'off' } },
);
