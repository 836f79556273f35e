import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Scope } from '#client/auth';
import { policies } from '#libs/contract';
import { createPackedProject, inTree, type PackedProject } from './packed-project.ts';
import { startClientCluster, type ClientCluster } from './test-client.ts';

const publicServices = [
  ...new Set([...policies.values()].map(({ service }) => service.split('.').at(-1) ?? '')),
].filter((name) => !name.startsWith('Internal'));

const account = { email: 'ada@example.com', password: 'a long passphrase' };

let service: ClientCluster;
/** A project that has nothing to do with the tree. */
let project: PackedProject;

beforeAll(async () => {
  project = await createPackedProject();
  // 'preferred': services take TLS and plaintext.
  service = await startClientCluster({ services: ['auth', 'users', 'tasks', 'gateway'], tls: 'preferred' });
  await service.open().auth.register({ ...account, displayName: 'Ada' });
});
afterAll(async () => {
  await service?.stop();
  project?.remove();
});

/** The type check of a foreign project, with all of its own declarations. */
const typecheck = (file: string): Promise<string> =>
  project.run(process.execPath, [
    inTree('node_modules/typescript/bin/tsc'),
    ...['--noEmit', '--strict', '--module', 'nodenext', '--target', 'es2024', '--types', 'node'],
    ...['--exactOptionalPropertyTypes', '--verbatimModuleSyntax', file],
  ]);

/** As under a content security policy without `unsafe-eval`. */
const runStrictly = (file: string): Promise<string> =>
  project.run(process.execPath, ['--disallow-code-generation-from-strings', file]);

/** What stands in the README as an example, with what is so here. */
async function fillIn(text: string): Promise<string> {
  const { cluster } = service;
  const { auth } = service.open({ account });
  const hour = { seconds: 3600n, nanos: 0 };
  const request = { name: 'example', scopes: [Scope.TASKS_READ], ttl: hour };
  const { token } = text.includes('tfp_') ? await auth.createPersonalToken(request) : { token: '' };
  return text
    .replaceAll('localhost:8080', cluster.address('gateway'))
    .replaceAll('localhost:50051', cluster.address('auth'))
    .replaceAll('localhost:50053', cluster.address('tasks'))
    .replaceAll("'ca.crt'", `'${join(cluster.dir, 'certificates/ca.crt')}'`)
    .replaceAll('tfp_…', token);
}

/** What each example writes. */
const written = [
  ['Water the plants', 'INVALID_ARGUMENT INVALID_FIELD task.title', '1 tasks'],
  ['Sow Sow', 'Water Water', 'Reap Reap', '4n', 'tasks'],
  ['Reap', 'Water', 'Sow', 'Water the plants'],
];

describe('the packed package in a foreign project', () => {
  it('holds what it names, and nothing that only services may call', () => {
    const folder = join(project.folder, 'node_modules/@taskflow/client');
    const { exports, dependencies } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as {
      exports: Record<string, Record<string, string>>;
      dependencies: Record<string, string>;
    };
    for (const [name, range] of Object.entries(dependencies)) {
      const installed = readFileSync(inTree(`node_modules/${name}/package.json`), 'utf8');
      expect({ name, range }).toEqual({ name, range: `^${(JSON.parse(installed) as { version: string }).version}` });
    }
    const files = new Set(readdirSync(folder, { recursive: true, encoding: 'utf8' }));
    const named = Object.values(exports).flatMap((entry) => Object.values(entry));
    expect(named.filter((path) => !files.has(path.replace('./', '')))).toEqual([]);
    const code = [...files]
      .filter((name) => name.endsWith('.js'))
      .map((name) => readFileSync(join(folder, name), 'utf8'));
    expect(code.flatMap((text) => text.match(/export const \w+Service /g) ?? []).toSorted()).toEqual(
      publicServices.map((name) => `export const ${name} `).toSorted(),
    );
    expect([...files]).toContain('LICENSE');
    expect([...files]).toContain('README.md');
  });

  it('runs the examples of its README, type-checked, without code from strings', async () => {
    const readme = readFileSync(join(project.folder, 'node_modules/@taskflow/client/README.md'), 'utf8');
    const outputs: string[] = [];
    for (const [index, [, example = '']] of [...readme.matchAll(/```ts\n([\s\S]*?)```/g)].entries()) {
      const file = `example-${index}.ts`;
      writeFileSync(join(project.folder, file), await fillIn(example));
      await typecheck(file);
      outputs.push(await runStrictly(file));
    }
    expect(outputs).toEqual(written.map((lines) => [...lines, ''].join('\n')));
  });

  it('is small when little of it is used', async () => {
    const connectAlone = await bundle(
      'connect-alone',
      `import { createClient } from '@connectrpc/connect';
       import { createConnectTransport } from '@connectrpc/connect-web';
       import { TasksService } from '@taskflow/client/tasks';
       const transport = createConnectTransport({ baseUrl: 'https://tasks.example.com' });
       console.log(createClient(TasksService, transport).getTask);`,
    );
    const oneService = await bundle(
      'one-service',
      `import { personalToken } from '@taskflow/client';
       import { connect } from '@taskflow/client/web';
       import { TasksService } from '@taskflow/client/tasks';
       const connection = connect({ address: 'https://tasks.example.com' }).as(personalToken('tfp_'));
       console.log(connection.service(TasksService).getTask);`,
    );
    const everything = await bundle(
      'everything',
      `import { createTaskFlow } from '@taskflow/client/web';
       console.log(createTaskFlow({ address: 'https://tasks.example.com' }).tasks.getTask);`,
    );
    expect(await runStrictly('one-service.js')).toContain('AsyncFunction');
    // What Connect and its messages need anyway, and the policies.
    expect(oneService / connectAlone).toBeLessThan(1.25);
    expect(oneService / everything).toBeLessThan(0.85);
  });
});

/** Its compressed size. */
async function bundle(name: string, source: string): Promise<number> {
  await project.bundle(name, source);
  return gzipSync(readFileSync(join(project.folder, `${name}.js`))).length;
}
