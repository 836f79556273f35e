// Regenerates everything that is derived from proto/: stubs, descriptor set, reasons, API reference, access.txt.
import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createFileRegistry, fromBinary } from '@bufbuild/protobuf';
import { FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt';
import { takeFolder } from '../../runtime/command-line/command-line.mjs';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const buf = join(root, 'node_modules/.bin/buf');
const proto = join(root, 'proto');
/** Another place than the checkout, for the drift check. */
const out = takeFolder('proto:generate') ?? root;

function run(...args: string[]): void {
  execFileSync(buf, args, { cwd: proto, stdio: ['ignore', 'inherit', 'inherit'] });
}

interface Reason {
  name: string;
  code: string;
  meaning: string;
}

const reasonsFile = 'taskflow/policy/v1/reasons.proto';
const reasonsSource = readFileSync(join(proto, reasonsFile), 'utf8');

function readReasons(): Reason[] {
  const rows = reasonsSource.matchAll(
    / {2}\/\/ ([A-Z_]+): ([^\n]*(?:\n {2}\/\/ [^\n]*)*)\n {2}ERROR_REASON_([A-Z_]+) = /g,
  );
  return [...rows].map(([, code = '', text = '', name = '']) => ({
    name,
    code,
    meaning: text.replaceAll(/\n {2}\/\//g, ''),
  }));
}

const generated = `// Generated from proto/${reasonsFile} by \`npm run proto:generate\`. Do not edit.`;

/** The domain of the reasons, as code. */
function domainLines(): string[] {
  const [, domain] = / domain is always "([^"]+)"/.exec(reasonsSource.replaceAll(/\n *\/\//g, '')) ?? [];
  if (domain === undefined) throw new Error('reasons.proto does not say the domain of the reasons');
  return ['/** The domain of every google.rpc.ErrorInfo. */', `export const errorDomain = '${domain}';`, ''];
}

/** The reasons as plain data, so that libs/errors needs no generated code. */
function writeReasons(): void {
  const entries = readReasons().map(
    ({ name, code, meaning }) => `  ${name}: { code: '${code}', meaning: ${JSON.stringify(meaning)} },`,
  );
  const lines = [
    generated,
    '',
    ...domainLines(),
    '/** Every reason of an error with its gRPC code and its meaning for a client. */',
    'export const reasons = {',
    ...entries,
    '} as const;',
    '',
    'export type ErrorReason = keyof typeof reasons;',
    '',
  ];
  mkdirSync(join(out, 'libs/errors/src'), { recursive: true });
  writeFileSync(join(out, 'libs/errors/src/reasons.ts'), lines.join('\n'));
}

/**
 * Corrects ts-proto's conversions of times. One adds fractions of a millisecond to a number too large to hold them, so
 * the last instant of 9999 became the first of 10000. The other gives times before 1970 negative nanoseconds, which a
 * Timestamp must not have. Throws when the generated conversions have changed.
 */
function mendTimes(folder: string): void {
  const mended: readonly (readonly [string, string])[] = [
    [
      `  let millis = (globalThis.Number(t.seconds.toString()) || 0) * 1_000;
  millis += (t.nanos || 0) / 1_000_000;
  return new globalThis.Date(millis);`,
      `  return new globalThis.Date(globalThis.Number(t.seconds) * 1_000 + globalThis.Math.floor(t.nanos / 1_000_000));`,
    ],
    [
      `  const seconds = BigInt(Math.trunc(date.getTime() / 1_000));
  const nanos = (date.getTime() % 1_000) * 1_000_000;
  return { seconds, nanos };`,
      `  const seconds = globalThis.Math.floor(date.getTime() / 1_000);
  return { seconds: BigInt(seconds), nanos: (date.getTime() - seconds * 1_000) * 1_000_000 };`,
    ],
  ];
  for (const file of readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) =>
    name.endsWith('.ts'),
  )) {
    const path = join(folder, file);
    const generated = readFileSync(path, 'utf8');
    const text = mended.reduce((source, [before, after]) => source.replace(before, after), generated);
    const functions = generated.match(/^function (from|to)Timestamp\(/gm)?.length ?? 0;
    const changed = mended.filter(([, after]) => text.includes(after)).length;
    if (changed !== functions) throw new Error(`${file}: ts-proto converts times in another way than it did`);
    writeFileSync(path, text);
  }
}

/** Messages that the client package unpacks from the details of errors, besides what its services need. */
const errorDetails = [
  'BadRequest',
  'ErrorInfo',
  'PreconditionFailure',
  'QuotaFailure',
  'RequestInfo',
  'ResourceInfo',
  'RetryInfo',
].map((name) => `google.rpc.${name}`);

/** Services that programs outside the cluster may call. */
function publicServices(): string[] {
  const set = fromBinary(FileDescriptorSetSchema, readFileSync(join(out, 'libs/contract/src/gen/descriptors.binpb')));
  return [...createFileRegistry(set)].flatMap((type) =>
    type.kind === 'service' && /^taskflow\./.test(type.typeName) && !type.name.startsWith('Internal')
      ? [type.typeName]
      : [],
  );
}

/** The messages and descriptors of the client package, and the reasons as a type. */
function writeClient(): void {
  const types = [...publicServices(), ...errorDetails].flatMap((type) => ['--type', type]);
  run('generate', '--template', 'buf.gen.client.yaml', '--output', join(out, 'proto'), ...types);
  const members = readReasons().map(({ name, code, meaning }) => `  /** ${code}: ${meaning} */\n  | '${name}'`);
  const lines = [
    generated,
    '',
    ...domainLines(),
    '/** Why a call did not succeed. */',
    'export type ErrorReason =',
    ...members,
  ];
  writeFileSync(join(out, 'libs/client/src/gen/reasons.ts'), `${lines.join('\n')};\n`);
}

/** The API reference, from the descriptors that have just been written. */
async function writeReference(): Promise<void> {
  const { writeReference: write } = await import('./reference/write.ts');
  write(out === root ? join(proto, 'docs') : join(out, 'docs'));
}

/** Committed, so that a change of access shows in a review. */
async function writeAccess(): Promise<void> {
  const { policies } = await import('../src/policy.ts');
  const { toAccessText } = await import('./access-rows.ts');
  writeFileSync(join(out === root ? proto : out, 'access.txt'), toAccessText(policies.values()));
}

run('generate', '--output', join(out, 'proto'));
mendTimes(join(out, 'libs/contract/src/gen'));
run('build', '--output', join(out, 'libs/contract/src/gen/descriptors.binpb'));
writeReasons();
writeClient();
await writeReference();
await writeAccess();
