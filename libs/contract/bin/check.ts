// The gate of the contract: lint, compatibility with the last release, drift of what is generated, and who may call
// what.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createFileRegistry, fromBinary } from '@bufbuild/protobuf';
import { FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt';
import { toAccessText } from './access-rows.ts';
import { takeNoArguments } from '../../runtime/command-line/command-line.mjs';
import { lintContract, toLine } from './lint/lint.ts';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const proto = join(root, 'proto');
const compatibility = JSON.stringify({ version: 'v2', breaking: { use: ['FILE'] } });
const faults: string[] = [];
takeNoArguments('proto:check');

function check(name: string, action: () => void): void {
  try {
    action();
    console.log(`ok    ${name}`);
  } catch (error) {
    const output = (error as { stdout?: Buffer }).stdout?.toString() ?? '';
    console.log(`FAIL  ${name}\n${output || (error as Error).message}`);
    faults.push(name);
  }
}

function buf(...args: string[]): void {
  execFileSync(join(root, 'node_modules/.bin/buf'), args, { cwd: proto, stdio: 'pipe' });
}

function filesBelow(folder: string): string[] {
  const found = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) =>
    statSync(join(folder, name)).isFile(),
  );
  return found.sort();
}

/** Generates everything again in a temporary copy and compares. */
function checkDrift(): void {
  const copy = mkdtempSync(join(tmpdir(), 'taskflow-contract-'));
  try {
    symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'));
    symlinkSync(proto, join(copy, 'proto'));
    execFileSync(process.execPath, [join(root, 'libs/contract/bin/generate.ts'), copy], { stdio: 'pipe' });
    const pairs = [
      ['libs/contract/src/gen', 'libs/contract/src/gen'],
      ['libs/client/src/gen', 'libs/client/src/gen'],
      ['libs/errors/src/reasons.ts', 'libs/errors/src/reasons.ts'],
      ['proto/docs', 'docs'],
    ] as const;
    const differing = pairs.flatMap(([path, fresh]) => differences(join(root, path), join(copy, fresh)));
    if (differing.length > 0)
      throw new Error(`run \`npm run proto:generate\`; these differ:\n  ${differing.join('\n  ')}`);
  } finally {
    rmSync(copy, { recursive: true, force: true });
  }
}

function differences(committed: string, fresh: string): string[] {
  if (statSync(fresh).isFile())
    return readFileSync(committed).equals(readFileSync(fresh)) ? [] : [relative(root, committed)];
  const names = [...new Set([...filesBelow(committed), ...filesBelow(fresh)])];
  return names.flatMap((name) => {
    const [a, b] = [join(committed, name), join(fresh, name)];
    return existsSync(a) && existsSync(b) && readFileSync(a).equals(readFileSync(b)) ? [] : [relative(root, a)];
  });
}

/** A change of access also changes proto/access.txt, so that a review sees it. */
async function accessText(): Promise<string> {
  const { policies } = await import('../src/policy.ts');
  return toAccessText(policies.values());
}

/** The rules that buf does not know, on the descriptors with their comments. */
function checkRules(): void {
  const set = fromBinary(FileDescriptorSetSchema, readFileSync(join(root, 'libs/contract/src/gen/descriptors.binpb')));
  const findings = lintContract(createFileRegistry(set));
  if (findings.length > 0) throw new Error(findings.map(toLine).join('\n'));
}

check('lint (buf STANDARD and COMMENTS)', () => buf('lint'));
check('lint (rules of proto/README.md)', checkRules);
check('generated code is up to date', checkDrift);
check('no breaking change against the last release', () =>
  buf(
    'breaking',
    '../libs/contract/src/gen/descriptors.binpb',
    '--against',
    'released.binpb',
    '--config',
    compatibility,
  ),
);
const access = await accessText().catch((error: unknown) => error as Error);
check('every method declares its policy', () => {
  if (access instanceof Error) throw access;
});
check('access is as agreed in proto/access.txt', () => {
  if (access !== readFileSync(join(proto, 'access.txt'), 'utf8'))
    throw new Error(`run \`npm run proto:generate\`; it would have to be:\n${String(access)}`);
});
process.exit(faults.length === 0 ? 0 : 1);
