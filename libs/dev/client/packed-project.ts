import { execFile } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { checkoutRoot } from '#dev/cluster';

export const inTree = (path: string): string => join(checkoutRoot, path);

/** What the package needs from npm, taken from the tree: this works without a registry. */
const fromTree = [
  '@bufbuild/protobuf',
  '@connectrpc/connect',
  '@connectrpc/connect-node',
  '@connectrpc/connect-web',
  '@types/node',
  'undici-types',
];

/** A project outside the tree that has the packed client installed. */
export interface PackedProject {
  folder: string;
  /** Runs a program in it; rejects with its output when it fails. */
  run(command: string, args: readonly string[]): Promise<string>;
  /** Writes NAME.js, what a browser loads, made of this module. */
  bundle(name: string, source: string): Promise<void>;
  remove(): void;
}

const env = { ...process.env, PATH: [inTree('node_modules/.bin'), process.env['PATH']].join(delimiter) };

async function runIn(cwd: string, command: string, args: readonly string[]): Promise<string> {
  try {
    const { stdout } = await promisify(execFile)(command, args, { cwd, env });
    return stdout;
  } catch (error) {
    const { stdout = '', stderr = '' } = error as { stdout?: string; stderr?: string };
    throw new Error(`${command} ${args.join(' ')} failed:\n${stdout}${stderr}`, { cause: error });
  }
}

/** Packs the client as `npm publish` would, and installs it. */
export async function createPackedProject(): Promise<PackedProject> {
  const folder = mkdtempSync(join(tmpdir(), 'taskflow-package-'));
  const run: PackedProject['run'] = (command, args) => runIn(folder, command, args);
  await runIn(inTree('libs/client'), 'npm', ['pack', '--pack-destination', folder]);
  const [tarball] = readdirSync(folder).filter((name) => name.endsWith('.tgz'));
  const dependencies = Object.fromEntries(fromTree.map((name) => [name, `file:${inTree(`node_modules/${name}`)}`]));
  const manifest = {
    type: 'module',
    private: true,
    dependencies: { ...dependencies, '@taskflow/client': `file:${tarball}` },
  };
  writeFileSync(join(folder, 'package.json'), JSON.stringify(manifest));
  await run('npm', ['install', '--offline', '--install-links', '--ignore-scripts']);
  return {
    folder,
    run,
    bundle: async (name, source) => {
      writeFileSync(join(folder, `${name}.source.ts`), source);
      const options = ['--platform', 'browser', '--minify', '--file', `${name}.js`];
      await run(process.execPath, [inTree('node_modules/rolldown/bin/cli.mjs'), `${name}.source.ts`, ...options]);
    },
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}
