// Regenerates everything that is derived from proto/: stubs, descriptor set, reasons, API reference.
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const buf = join(root, 'node_modules/.bin/buf');
const proto = join(root, 'proto');
/** Another place than the checkout, for the drift check. */
const out = process.argv[2] ?? root;

function run(...args: string[]): void {
  execFileSync(buf, args, { cwd: proto, stdio: ['ignore', 'inherit', 'inherit'] });
}

/** The reasons as plain data, so that libs/errors needs no generated code. */
function writeReasons(): void {
  const source = readFileSync(join(proto, 'taskflow/policy/v1/reasons.proto'), 'utf8');
  const rows = [...source.matchAll(/ {2}\/\/ ([A-Z_]+): ([^\n]*(?:\n {2}\/\/ [^\n]*)*)\n {2}ERROR_REASON_([A-Z_]+) = /g)];
  const entries = rows.map(([, code, text, name]) => `  ${name}: { code: '${code}', meaning: ${JSON.stringify(text?.replaceAll(/\n {2}\/\//g, ''))} },`);
  const lines = [
    '// Generated from proto/taskflow/policy/v1/reasons.proto by `npm run proto:generate`. Do not edit.',
    '',
    '/** Every reason of an error with its gRPC code and its meaning for a client. */',
    'export const reasons = {',
    ...entries,
    '} as const;',
    '',
    'export type ErrorReason = keyof typeof reasons;',
    '',
  ];
  writeFileSync(join(out, 'libs/errors/src/reasons.ts'), lines.join('\n'));
}

/** The API reference, from the descriptors that have just been written. */
async function writeReference(): Promise<void> {
  const { writeReference: write } = await import('./reference/write.ts');
  write(out === root ? join(proto, 'docs') : join(out, 'docs'));
}

run('generate', '--output', join(out, 'proto'));
run('build', '--output', join(out, 'libs/contract/src/gen/descriptors.binpb'));
writeReasons();
await writeReference();
