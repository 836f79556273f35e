/**
 * Creates the secrets of one installation in a folder, one sub-folder per reader:
 *
 *   node deploy/secrets.ts DIRECTORY [--postgres HOST:PORT] [--owner UID]
 *
 * It only adds what is absent, so running it again changes nothing, and it can finish a run that was cut off.
 * The public keys are always derived anew from the private ones, so the two cannot disagree.
 */
import { createPrivateKey, createPublicKey, generateKeyPairSync, randomBytes } from 'node:crypto';
import type { webcrypto } from 'node:crypto';
import { chownSync, existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

const services = ['auth', 'users', 'tasks', 'scheduler'] as const;
const encryptingServices = ['auth', 'scheduler'] as const;
const pageTokenServices = ['users', 'tasks', 'scheduler'] as const;

interface Target {
  directory: string;
  postgres: string;
  owner: number | undefined;
}

function readTarget(): Target {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { postgres: { type: 'string', default: 'postgres:5432' }, owner: { type: 'string' } },
  });
  const [directory] = positionals;
  if (directory === undefined || positionals.length > 1) {
    process.stderr.write('usage: secrets.ts DIRECTORY [--postgres HOST:PORT] [--owner UID]\n');
    process.exit(64);
  }
  return { directory, postgres: values.postgres, owner: values.owner === undefined ? undefined : Number(values.owner) };
}

/** Written aside and renamed: a reader sees the whole value or no file. */
function write(target: Target, path: string, value: string, mode: number): void {
  const file = join(target.directory, path);
  mkdirSync(join(file, '..'), { recursive: true });
  const unfinished = `${file}.unfinished`;
  writeFileSync(unfinished, value, { mode });
  if (target.owner !== undefined) chownSync(unfinished, target.owner, target.owner);
  renameSync(unfinished, file);
}

function readOrCreate(target: Target, path: string, create: () => string, mode = 0o400): string {
  const file = join(target.directory, path);
  if (!existsSync(file)) write(target, path, create(), mode);
  return readFileSync(file, 'utf8').trim();
}

function newServiceKey(service: string): string {
  const { privateKey } = generateKeyPairSync('ed25519');
  return JSON.stringify({ ...privateKey.export({ format: 'jwk' }), kid: service, alg: 'EdDSA', use: 'sig' });
}

function publicKeyOf(service: string, serviceKey: string): object {
  const privateKey = createPrivateKey({ key: JSON.parse(serviceKey) as webcrypto.JsonWebKey, format: 'jwk' });
  return { ...createPublicKey(privateKey).export({ format: 'jwk' }), kid: service, alg: 'EdDSA', use: 'sig' };
}

function createIdentities(target: Target): void {
  const keys = services.map((service) =>
    publicKeyOf(service, readOrCreate(target, `${service}/service-key.json`, () => newServiceKey(service))),
  );
  for (const service of services) {
    write(target, `${service}/service-public-keys.json`, JSON.stringify({ keys }), 0o444);
  }
}

function createEncryptionKeys(target: Target): void {
  for (const service of encryptingServices) {
    readOrCreate(target, `${service}/encryption-key`, () => randomBytes(32).toString('base64'));
  }
  for (const service of pageTokenServices) {
    readOrCreate(target, `${service}/page-token-key`, () => randomBytes(32).toString('base64'));
  }
}

function createDatabaseUrls(target: Target): void {
  const newPassword = (): string => randomBytes(24).toString('base64url');
  for (const service of services) {
    const role = `taskflow_${service}`;
    readOrCreate(target, `${service}/database-url`, () => `postgres://${role}:${newPassword()}@${target.postgres}/${role}`);
  }
  // Readable for all: the database's container reads it as a user of its own. Only that container and provisioning mount it.
  const password = readOrCreate(target, 'postgres/superuser-password', newPassword, 0o444);
  readOrCreate(target, 'postgres/admin-database-url', () => `postgres://postgres:${password}@${target.postgres}/postgres`);
}

const target = readTarget();
createIdentities(target);
createEncryptionKeys(target);
createDatabaseUrls(target);
process.stdout.write(`secrets are in ${target.directory}\n`);
