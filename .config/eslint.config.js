import { fileURLToPath } from 'node:url';
import importX from 'eslint-plugin-import-x';
import reactHooks from 'eslint-plugin-react-hooks';
import tseslint from 'typescript-eslint';

const root = fileURLToPath(new URL('..', import.meta.url));

/** Tools for development, but for what bin/ needs before anything is installed. */
const tools = {
  regex: '^#dev/|/dev/(?!cluster/boot/)',
  message: 'what ships knows no tools of development (libs/dev)',
};

/** Forbids imports by regular expressions on the specifier. Nothing that ships imports a tool. */
const forbid = (files, message, ...patterns) => ({
  files,
  ignores: ['**/*.test.ts', 'libs/*/test/**'],
  rules: {
    'no-restricted-imports': [
      'error',
      { patterns: [tools, ...patterns.map((each) => (typeof each === 'string' ? { regex: each, message } : each))] },
    ],
  },
});

const libs = (...names) => `^#libs/(${names.join('|')})$`;
const orm = '^@mikro-orm/';
const redis = '^(bullmq|ioredis|rate-limiter-flexible)';
const rpcStack = '^(@grpc/|opossum)';
const stubs = '^#contract/';
/** What sends statements. */
const sql = {
  regex: '^#libs/db$',
  importNames: ['runStatement', 'afterCommit', 'finalStatement', 'EntityManager', 'SqlReader', 'Statement'],
  message: 'only db/ sends statements',
};
const sqlText = '/^\\s*(select\\s.+\\sfrom|insert into|update\\s.+\\sset|delete from|with\\s.+\\sas)\\s/is';

/** A layer of a service, whose files stand in it or are folded by noun, and the layers that it may not import. */
const layer = (name, message, layers, ...patterns) =>
  ['', '*/'].map((noun) =>
    forbid(
      [`services/*/src/${name}/${noun}*.ts`],
      message,
      `^(\\.\\./){${noun === '' ? 1 : 2}}(${layers.join('|')})/`,
      ...patterns,
    ),
  );

export default tseslint.config(
  { ignores: ['**/gen/**', 'libs/client/dist/**', 'libs/errors/src/reasons.ts'] },
  ...tseslint.configs.recommended,
  {
    files: ['**/*.ts', '**/*.tsx'],
    languageOptions: {
      parserOptions: {
        project: ['.config/tsconfig.json', 'services/gateway/console/tsconfig.json'],
        tsconfigRootDir: root,
      },
    },
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
    files: ['**/*.test.ts', '**/test/**/*.ts', 'libs/dev/{drill,effects,flows,soak,testing}/**'],
    rules: { 'max-lines': ['error', { max: 400 }], 'max-lines-per-function': 'off' },
  },
  { files: ['**/migrations/*.ts'], rules: { 'max-lines-per-function': 'off' } },
  forbid(['libs/*/src/**', 'services/*/src/**']),
  // Libraries import only downwards.
  forbid(['libs/contract/**'], 'contract imports nothing', '^#libs/'),
  forbid(['libs/errors/**'], 'errors imports text', '^#(?!libs/text$)', orm, redis, rpcStack),
  forbid(['libs/text/**'], 'text imports nothing', '^#', orm, redis, rpcStack),
  // The package stands alone, and browsers load all of it but two files.
  forbid(['libs/client/**'], 'the client imports nothing of the tree', '^#', orm, redis, rpcStack),
  {
    files: ['libs/client/src/**'],
    ignores: ['**/*.test.ts', 'libs/client/src/node.ts', 'libs/client/src/file-token-store.ts'],
    rules: {
      'no-restricted-imports': [
        'error',
        {
          patterns: ['^#', '^node:', '^@connectrpc/connect-node', orm, redis, rpcStack].map((regex) => ({
            regex,
            message: 'browsers load this file',
          })),
        },
      ],
    },
  },
  forbid(
    ['libs/runtime/**'],
    'runtime imports only errors',
    libs(
      'contract',
      'grpc',
      'identity',
      'service',
      'export',
      'audit',
      'db',
      'events',
      'jobs',
      'redis',
      'fields',
      'limits',
      'cache',
    ),
    stubs,
    orm,
    redis,
    rpcStack,
  ),
  forbid(
    ['libs/grpc/**'],
    'grpc imports runtime, errors, contract',
    libs('identity', 'service', 'export', 'audit', 'db', 'events', 'jobs', 'redis', 'fields', 'limits', 'cache'),
    orm,
    redis,
  ),
  forbid(
    ['libs/fields/**'],
    'fields imports runtime, errors, contract',
    libs('grpc', 'identity', 'service', 'audit', 'db', 'events', 'jobs', 'redis', 'limits', 'cache'),
    stubs,
    orm,
    redis,
    rpcStack,
  ),
  forbid(['libs/json/**'], 'json imports errors, contract', '^#(?!libs/(errors|contract)$)', orm, redis, rpcStack),
  forbid(
    ['libs/mcp/**'],
    'mcp imports client, json, errors',
    '^#(?!client/|libs/(json|errors)$)',
    orm,
    redis,
    rpcStack,
  ),
  forbid(
    ['libs/identity/**'],
    'identity imports grpc, runtime, errors, contract',
    libs('service', 'export', 'audit', 'db', 'events', 'jobs', 'redis', 'fields', 'limits', 'cache'),
    orm,
    redis,
    rpcStack,
  ),
  forbid(
    ['libs/audit/**'],
    'audit imports db, grpc, runtime, errors, contract',
    libs('identity', 'service', 'export', 'events', 'jobs', 'redis', 'limits', 'cache'),
    orm,
    redis,
    rpcStack,
  ),
  forbid(
    ['libs/export/**'],
    'export imports audit, db, grpc, runtime, errors, contract',
    libs('identity', 'service', 'events', 'jobs', 'redis', 'limits', 'cache'),
    orm,
    redis,
    rpcStack,
  ),
  forbid(
    ['libs/service/**'],
    'service imports export, audit, db, identity, grpc, runtime, errors, contract',
    libs('events', 'jobs', 'redis', 'limits', 'cache'),
    orm,
    redis,
    rpcStack,
  ),
  forbid(
    ['libs/db/**'],
    'db imports runtime, errors',
    libs(
      'contract',
      'grpc',
      'identity',
      'service',
      'export',
      'audit',
      'events',
      'jobs',
      'redis',
      'fields',
      'limits',
      'cache',
    ),
    redis,
    rpcStack,
  ),
  forbid(
    ['libs/jobs/**'],
    'jobs imports redis, runtime, errors',
    libs('contract', 'grpc', 'identity', 'service', 'export', 'audit', 'db', 'events', 'fields', 'limits', 'cache'),
    orm,
    rpcStack,
    '^rate-limiter-flexible',
  ),
  forbid(
    ['libs/redis/**'],
    'redis imports runtime',
    libs(
      'contract',
      'grpc',
      'identity',
      'service',
      'export',
      'audit',
      'db',
      'events',
      'jobs',
      'fields',
      'limits',
      'cache',
    ),
    stubs,
    orm,
    rpcStack,
    '^(bullmq|rate-limiter-flexible)',
  ),
  forbid(
    ['libs/limits/**'],
    'limits imports redis, runtime, errors',
    libs('contract', 'grpc', 'identity', 'service', 'export', 'audit', 'db', 'events', 'jobs', 'fields', 'cache'),
    stubs,
    orm,
    rpcStack,
    '^bullmq',
  ),
  forbid(
    ['libs/cache/**'],
    'cache imports redis, runtime',
    libs('contract', 'grpc', 'identity', 'service', 'export', 'audit', 'db', 'events', 'jobs', 'fields', 'limits'),
    stubs,
    orm,
    rpcStack,
    '^(bullmq|ioredis|rate-limiter-flexible)',
  ),
  forbid(
    ['libs/events/**'],
    'events imports db, jobs, runtime, errors',
    libs('contract', 'grpc', 'identity', 'service', 'export', 'audit', 'redis', 'fields', 'limits', 'cache'),
    redis,
    rpcStack,
  ),
  {
    files: ['libs/dev/bench/**'],
    ignores: ['**/*.test.ts'],
    rules: {
      'no-restricted-imports': [
        'error',
        {
          patterns: [
            libs('db', 'events', 'jobs', 'redis', 'limits', 'cache'),
            '^#contract/(auth|users|tasks|scheduler)/',
            orm,
            redis,
          ].map((regex) => ({ regex, message: 'bench imports the cluster and knows no service' })),
        },
      ],
    },
  },
  forbid(
    ['services/gateway/src/**'],
    'the gateway has no data, no key and no limits of its own',
    libs('audit', 'db', 'identity', 'events', 'jobs', 'redis', 'limits', 'cache'),
    orm,
    redis,
    rpcStack,
  ),
  forbid(
    ['services/gateway/console/src/**'],
    'the console knows the services by the client package alone',
    '^#(?!client/)',
    '^node:',
    orm,
    redis,
    rpcStack,
  ),
  {
    files: ['services/gateway/console/src/**'],
    plugins: { 'react-hooks': reactHooks },
    rules: { 'react-hooks/rules-of-hooks': 'error', 'react-hooks/exhaustive-deps': 'error' },
  },
  // Vite's own form.
  { files: ['services/gateway/console/vite.config.ts'], rules: { 'import-x/no-default-export': 'off' } },
  forbid(
    ['services/cli/{bin,src}/**', 'services/cli/main.ts'],
    'the command line knows the services by the client package alone',
    '^#(?!client/|libs/mcp$)',
    '/src/(rpc|use-cases|domain|db|jobs|clients)/',
    orm,
    redis,
    rpcStack,
  ),
  // Inside a service: handlers translate, use-cases tell the story, the domain knows nobody.
  forbid(
    ['services/*/src/main.ts'],
    'main.ts imports app, config, runtime',
    libs('contract', 'errors', 'grpc', 'identity', 'service', 'db', 'events', 'jobs', 'redis', 'limits', 'cache'),
    orm,
    redis,
    rpcStack,
  ),
  layer(
    'rpc',
    'rpc imports use-cases, domain, contract, errors',
    ['db', 'jobs', 'clients'],
    libs('identity', 'service', 'jobs', 'events', 'redis', 'limits', 'cache'),
    orm,
    redis,
    rpcStack,
    sql,
  ),
  layer(
    'use-cases',
    'use-cases import domain, deps, errors',
    ['rpc', 'jobs', 'clients', 'db'],
    libs('grpc', 'identity', 'service', 'contract', 'jobs', 'redis', 'limits', 'cache'),
    orm,
    redis,
    rpcStack,
    sql,
  ),
  layer(
    'domain',
    'the domain imports errors and the entity definitions',
    ['rpc', 'jobs', 'clients', 'use-cases', 'db'],
    libs('grpc', 'identity', 'service', 'contract', 'redis', 'limits', 'cache', 'runtime'),
    redis,
    rpcStack,
    sql,
    {
      regex: '^#libs/jobs$',
      allowImportNames: ['DeadJob', 'LiveJob', 'QueueState'],
      message: 'the domain knows only what jobs in Redis look like',
    },
  ),
  layer(
    'jobs',
    'jobs import use-cases and the jobs library',
    ['rpc', 'db'],
    libs('grpc', 'identity', 'service', 'db', 'redis', 'limits', 'cache'),
    orm,
    redis,
    rpcStack,
  ),
  layer(
    'clients',
    'clients import contract, grpc, errors, cache',
    ['use-cases', 'db', 'rpc'],
    libs('service', 'db', 'jobs', 'events', 'redis', 'limits'),
    orm,
    redis,
  ),
  {
    files: ['services/*/src/*/**/*.ts'],
    ignores: ['services/*/src/db/**', '**/*.test.ts'],
    rules: {
      'no-restricted-syntax': [
        'error',
        ...[`Literal[value=${sqlText}]`, `TemplateElement[value.raw=${sqlText}]`].map((selector) => ({
          selector,
          message: 'SQL stands in db/',
        })),
      ],
    },
  },
  { files: ['**/bin/**', 'libs/dev/**'], rules: { 'no-console': 'off' } },
);
