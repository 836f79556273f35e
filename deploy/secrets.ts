/**
 * Creates the secrets of one installation in a folder, one sub-folder per reader:
 *
 *   node deploy/secrets.ts DIRECTORY [--postgres HOST:PORT] [--owner UID] [--rotate next|use|retire]
 *
 * It only adds what is absent, so running it again changes nothing, and it can finish a run that was cut off.
 * The public keys are always derived anew from the private ones, so the two cannot disagree.
 *
 * --rotate replaces all of them except the database administrator's, in three steps that rotating-secrets.md explains:
 * `next` adds new values that everybody must know, `use` puts them first, `retire` removes the old ones. Each step may be
 * repeated. It replaces existing values only: a mistyped folder must not become a second installation's.
 *
 * Arguments and folder are checked before anything is written. Exit status: 64 for wrong arguments, 1 for another
 * failure. The file needs only Node, because the image has it without the rest of the folder.
 */
import { createPrivateKey, createPublicKey, generateKeyPairSync, randomBytes } from 'node:crypto';
import type { webcrypto } from 'node:crypto';
import { chownSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

const services = ['auth', 'users', 'tasks', 'scheduler'] as const;
const encryptingServices = ['auth', 'scheduler'] as const;
const pageTokenServices = ['users', 'tasks', 'scheduler'] as const;

interface Target {
  directory: string;
  postgres: string;
  owner: number | undefined;
  step: Step | undefined;
}

const steps = ['next', 'use', 'retire'] as const;
type Step = (typeof steps)[number];

/** Each service's secrets; a secret is a list while it is replaced. Older installations have no `service-keys`. */
const rotatingPaths = [
  ...services.flatMap((service) => [`${service}/service-keys`, `${service}/database-url`]),
  ...encryptingServices.map((service) => `${service}/encryption-key`),
  ...pageTokenServices.map((service) => `${service}/page-token-key`),
];
const neededPaths = rotatingPaths.map((path) => path.replace(/service-keys$/, 'service-key.json'));

/** The arguments make no sense. The message says which. */
class UsageError extends Error {}

const usage = 'secrets.ts DIRECTORY [--postgres HOST:PORT] [--owner UID] [--rotate next|use|retire]';

function readPostgres(text: string): string {
  const address = `postgres://role@${text}/database`;
  const { hostname, host, port } = URL.canParse(address) ? new URL(address) : { hostname: '', host: '', port: '' };
  if (hostname === '' || port === '' || host !== text)
    throw new UsageError(`--postgres ${text}: must be HOST:PORT, such as db.example.net:5432`);
  return text;
}

function readOwner(text: string | undefined): number | undefined {
  // The largest number means "leave as it is" to chown.
  if (text !== undefined && (!/^\d+$/.test(text) || Number(text) >= 0xffff_ffff))
    throw new UsageError(`--owner ${text}: must be the number of a user, such as 1000`);
  return text === undefined ? undefined : Number(text);
}

function readStep(text: string | undefined): Step | undefined {
  const step = steps.find((name) => name === text);
  if (step === undefined && text !== undefined) throw new UsageError(`--rotate ${text}: must be next, use or retire`);
  return step;
}

function readTarget(): Target {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      postgres: { type: 'string', default: 'postgres:5432' },
      owner: { type: 'string' },
      rotate: { type: 'string' },
    },
  });
  const [directory = ''] = positionals;
  if (directory === '' || positionals.length > 1) throw new UsageError(`say which one folder; usage: ${usage}`);
  if (existsSync(directory) && !statSync(directory).isDirectory()) throw new UsageError(`${directory} is not a folder`);
  return {
    directory,
    postgres: readPostgres(values.postgres),
    owner: readOwner(values.owner),
    step: readStep(values.rotate),
  };
}

const valuesIn = (target: Target, path: string): string[] => {
  const file = join(target.directory, path);
  return existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n') : [];
};

/** Throws when the step cannot be made of what is there, before any of it is changed. */
function checkStep(target: Target): void {
  const { directory, step } = target;
  const missing = neededPaths.filter((path) => valuesIn(target, path).join('') === '');
  const advice = 'nothing was rotated. Name the folder of the installation';
  if (missing.length === neededPaths.length) throw new Error(`there are no secrets in ${directory}; ${advice}`);
  if (missing.length > 0)
    throw new Error(
      `${directory} lacks ${missing.join(', ')}; ${advice}, or make what is absent without --rotate first`,
    );
  for (const path of rotatingPaths) {
    const [next] = valuesIn(target, `${path}.next`);
    const values = valuesIn(target, path);
    if (step === 'retire' && next !== undefined)
      throw new Error(`${directory}/${path}: the next value is not in use yet: --rotate use comes first`);
    // Without a next value but with several it is in use already: the step is repeated.
    const isKnown = next === undefined ? values.length > 1 : values.includes(next);
    if (step === 'use' && !isKnown)
      throw new Error(`${directory}/${path} has no next value that is known yet: --rotate next comes first`);
  }
}

/** Written aside and renamed: a reader sees the whole value or no file. */
function write(target: Target, path: string, value: string, mode: number): void {
  const file = join(target.directory, path);
  mkdirSync(join(file, '..'), { recursive: true });
  const unfinished = `${file}.unfinished`;
  try {
    writeFileSync(unfinished, value, { mode });
    if (target.owner !== undefined) chownSync(unfinished, target.owner, target.owner);
    renameSync(unfinished, file);
  } finally {
    rmSync(unfinished, { force: true });
  }
}

function readOrCreate(target: Target, path: string, create: () => string, mode = 0o400): string {
  const file = join(target.directory, path);
  if (!existsSync(file)) write(target, path, create(), mode);
  return readFileSync(file, 'utf8').trim();
}

/** How a secret is replaced: the file lists values, the newest first; the next one waits in a file beside it. */
function rotate(target: Target, path: string, create: (current: string) => string, mode?: number): void {
  const file = join(target.directory, path);
  const values = readOrCreate(target, path, () => create(''), mode).split('\n');
  const nextFile = `${file}.next`;
  if (target.step === 'next') {
    const next = readOrCreate(target, `${path}.next`, () => create(values[0] ?? ''), mode);
    write(target, path, [...new Set([...values, next])].join('\n'), mode ?? 0o400);
  }
  if (target.step === 'use' && existsSync(nextFile)) {
    const next = readFileSync(nextFile, 'utf8').trim();
    write(target, path, [...new Set([next, ...values])].join('\n'), mode ?? 0o400);
    rmSync(nextFile);
  }
  if (target.step === 'retire') write(target, path, values[0] ?? '', mode ?? 0o400);
}

/** The first key of a service has its name as its id; later ones have a number of random digits behind it. */
function newServiceKey(service: string, current: string): string {
  const { privateKey } = generateKeyPairSync('ed25519');
  const kid = current === '' ? service : `${service}.${randomBytes(6).toString('hex')}`;
  return JSON.stringify({ ...privateKey.export({ format: 'jwk' }), kid, alg: 'EdDSA', use: 'sig' });
}

function publicKeyOf(serviceKey: string): object {
  const jwk = JSON.parse(serviceKey) as webcrypto.JsonWebKey & { kid: string };
  return {
    ...createPublicKey(createPrivateKey({ key: jwk, format: 'jwk' })).export({ format: 'jwk' }),
    kid: jwk.kid,
    alg: 'EdDSA',
    use: 'sig',
  };
}

/**
 * A service signs with one key, so its file holds one. `service-keys` has the others that must be known beside it, in
 * the order of any other secret.
 */
function createIdentities(target: Target): void {
  const keys = services.flatMap((service) => {
    const first = readOrCreate(target, `${service}/service-key.json`, () => newServiceKey(service, ''));
    const list = `${service}/service-keys`;
    readOrCreate(target, list, () => first);
    rotate(target, list, (current) => newServiceKey(service, current));
    const known = readFileSync(join(target.directory, list), 'utf8').trim().split('\n');
    write(target, `${service}/service-key.json`, known[0] ?? first, 0o400);
    return known.map(publicKeyOf);
  });
  for (const service of services) {
    write(target, `${service}/service-public-keys.json`, JSON.stringify({ keys }), 0o444);
  }
}

function createEncryptionKeys(target: Target): void {
  const newKey = (): string => randomBytes(32).toString('base64');
  for (const service of encryptingServices) rotate(target, `${service}/encryption-key`, newKey);
  for (const service of pageTokenServices) rotate(target, `${service}/page-token-key`, newKey);
}

function createDatabaseUrls(target: Target): void {
  const newPassword = (): string => randomBytes(24).toString('base64url');
  for (const service of services) {
    const role = `taskflow_${service}`;
    const newUrl = (current: string): string =>
      current === ''
        ? `postgres://${role}:${newPassword()}@${target.postgres}/${role}`
        : Object.assign(new URL(current), { password: newPassword() }).href;
    rotate(target, `${service}/database-url`, newUrl);
  }
  if (target.step !== undefined) return;
  // Readable for all, because the database's container has a user of its own. Only it and provisioning mount the file.
  const password = readOrCreate(target, 'postgres/superuser-password', newPassword, 0o444);
  readOrCreate(
    target,
    'postgres/admin-database-url',
    () => `postgres://postgres:${password}@${target.postgres}/postgres`,
  );
}

function main(): void {
  const target = readTarget();
  if (target.step !== undefined) checkStep(target);
  createIdentities(target);
  createEncryptionKeys(target);
  createDatabaseUrls(target);
  process.stdout.write(`secrets are in ${target.directory}\n`);
}

try {
  main();
} catch (error) {
  const { message, code } = error as Error & { code?: unknown };
  const isUsage = error instanceof UsageError || String(code).startsWith('ERR_PARSE_ARGS');
  // Node says on further lines, or in further sentences, how an argument may begin with a dash.
  const line = isUsage ? message.split(/\n|\. To specify /)[0] : message;
  process.stderr.write(`secrets: ${line}\n${isUsage ? '"npm run secrets -- --help" tells what it takes\n' : ''}`);
  process.exitCode = isUsage ? 64 : 1;
}
