import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from '@jest/globals';
import { checkoutRoot } from './instance.ts';
import { programOf } from './program.ts';

/** Its output when it fails, which it must. */
async function outputOf(args: readonly string[], env: NodeJS.ProcessEnv): Promise<string> {
  const failure = await promisify(execFile)(process.execPath, args, { env }).catch((error: unknown) => error);
  return (failure as { stderr: string }).stderr;
}

it('a program from the bundle names the lines of its sources in a stack', async () => {
  const { script, execArgv, env } = await programOf('services/tasks/src/main.ts');
  const breakSettings =
    "data:text/javascript,process.env = new Proxy({}, { get: (_, name) => { if (name.startsWith?.('TASKFLOW_')) throw new Error('broken'); } })";

  const output = await outputOf([...execArgv, `--import=${breakSettings}`, script], env);

  expect(script).toMatch(/bundles.*\/main\.js$/);
  const [, path = '', line] = /\((\S+\/services\/tasks\/src\/main\.ts):(\d+):\d+\)/.exec(output) ?? [];
  expect(readFileSync(path, 'utf8').split('\n')[Number(line) - 1]).toMatch(/^await serve\(/);
  expect(output).toContain(`at serve (${join(checkoutRoot, 'libs/runtime/src/serve.ts')}:`);
});

it('the folder that becomes an image has everything that its entrypoint runs, and names what is not bundled', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'taskflow-image-'));
  try {
    const bundler = join(checkoutRoot, 'libs/dev/cluster/bin/bundle.ts');
    await promisify(execFile)(process.execPath, [bundler, folder, 'scheduler']);
    const entrypoint = readFileSync(join(checkoutRoot, 'deploy/entrypoint.sh'), 'utf8');
    const scripts = [...entrypoint.matchAll(/dist\/(\S+\.js)/g)].map(([, path = '']) => path);

    const missing = scripts.filter((path) => !existsSync(join(folder, path.replace('$SERVICE', 'scheduler'))));
    const { dependencies } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as { dependencies: object };
    const output = await outputOf([join(folder, 'services/scheduler/src/main.js')], {});

    // Only auth has accounts that an operator must help.
    expect({ scripts: scripts.length, missing }).toEqual({ scripts: 8, missing: ['services/$SERVICE/src/admin.js'] });
    expect(dependencies).toEqual({});
    expect(existsSync(join(folder, 'services/tasks'))).toBe(false);
    expect(output).toContain('TASKFLOW_SCHEDULER_DATABASE_URL: is missing');
  } finally {
    rmSync(folder, { recursive: true });
  }
});
