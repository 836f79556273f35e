import { createPublicKey, generateKeyPairSync, randomBytes, type webcrypto } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { keepSecret, makePrivateFolder, writePrivateFile } from './instance.ts';
import { forEachService, serviceNames, settingOf, type ServiceName } from './service-names.ts';

/** The settings that name one service's key files. */
export type KeySettings = Record<ServiceName, Record<string, string>>;

/** Those that keep secrets in their databases. */
const encryptingServices: readonly ServiceName[] = ['auth', 'scheduler'];

/** Creates whatever key is not in the folder yet; a second start finds its keys again. */
export function keepKeys(folder: string): KeySettings {
  makePrivateFolder(folder);
  const privateKeys = forEachService((service) => keepSigningKey(folder, service));
  const publicKeys = join(folder, 'services.jwks.json');
  writePrivateFile(
    publicKeys,
    JSON.stringify({ keys: serviceNames.map((service) => publicJwk(privateKeys[service], service)) }),
  );
  return forEachService((service) => ({
    TASKFLOW_SERVICE_KEY_FILE: privateKeys[service],
    TASKFLOW_SERVICE_PUBLIC_KEYS_FILE: publicKeys,
    ...(encryptingServices.includes(service)
      ? { [`${settingOf(service, 'ENCRYPTION_KEY')}_FILE`]: keepSymmetricKey(folder, `${service}-encryption`) }
      : {}),
    ...(service === 'auth' ? {} : { TASKFLOW_PAGE_TOKEN_KEY_FILE: keepSymmetricKey(folder, `${service}-page-token`) }),
  }));
}

/** The private key of a service in a cluster's folder, for tests that call as that service. */
export function readServiceKey(dir: string, service: ServiceName): JsonWebKey {
  return JSON.parse(readFileSync(join(dir, 'keys', `${service}.jwk.json`), 'utf8')) as JsonWebKey;
}

function keepSigningKey(folder: string, service: ServiceName): string {
  const path = join(folder, `${service}.jwk.json`);
  keepSecret(path, () => {
    const { privateKey } = generateKeyPairSync('ed25519');
    return JSON.stringify({ ...privateKey.export({ format: 'jwk' }), ...keyFacts(service) });
  });
  return path;
}

/** A key as JSON Web Key. */
type JsonWebKey = webcrypto.JsonWebKey;

function publicJwk(path: string, service: ServiceName): JsonWebKey {
  const key = JSON.parse(readFileSync(path, 'utf8')) as JsonWebKey;
  return { ...createPublicKey({ key, format: 'jwk' }).export({ format: 'jwk' }), ...keyFacts(service) };
}

const keyFacts = (service: ServiceName): { kid: string; alg: string; use: string } => ({
  kid: service,
  alg: 'EdDSA',
  use: 'sig',
});

function keepSymmetricKey(folder: string, name: string): string {
  const path = join(folder, `${name}.key`);
  keepSecret(path, () => randomBytes(32).toString('base64'));
  return path;
}
