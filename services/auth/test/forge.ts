import {
  createHmac,
  createPrivateKey,
  generateKeyPairSync,
  randomUUID,
  sign,
  type KeyObject,
  type webcrypto,
} from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { PublicJwk } from '../src/domain/signing-key.entity.ts';
import { createKeyCipher } from '../src/security/key-cipher.ts';
import type { AuthCluster } from './start-cluster.ts';

type Fields = Record<string, unknown>;

/** An attacker who has even the signing key. */
export interface Forger {
  kid: string;
  publicJwk: PublicJwk;
  /** A token that auth might have signed, changed; `undefined` leaves a field out. */
  token(changes?: { header?: Fields; claims?: Fields; key?: KeyObject | undefined }): string;
  /** Signed with HMAC over these bytes. */
  symmetric(secret: Buffer | string, header?: Fields): string;
  /** With this signature, valid or not. */
  unsigned(header: Fields, signature?: string): string;
}

export const encode = (value: unknown): string =>
  Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');

/** Flips the lowest bit of the byte in the middle of one of a token's three parts. */
export function flipBit(token: string, part: 0 | 1 | 2): string {
  const parts = token.split('.');
  const bytes = Buffer.from(parts[part] ?? '', 'base64url');
  const middle = Math.floor(bytes.length / 2);
  bytes[middle] = (bytes[middle] ?? 0) ^ 1;
  return parts.with(part, bytes.toString('base64url')).join('.');
}

export const foreignKey = (): { privateKey: KeyObject; publicJwk: webcrypto.JsonWebKey } => {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  return { privateKey, publicJwk: publicKey.export({ format: 'jwk' }) };
};

/** Takes the signing key out of auth's database with the cluster's encryption key. */
export async function openForger({ cluster, sql }: AuthCluster, userId: string): Promise<Forger> {
  const [row] = await sql<{ kid: string; jwk: PublicJwk; sealed: Buffer }>(
    'select kid, public_jwk as jwk, sealed_private_key as sealed from signing_keys',
  );
  if (row === undefined) throw new Error('auth has no signing key');
  const encryptionKey = Buffer.from(
    readFileSync(join(cluster.dir, 'keys', 'auth-encryption.key'), 'utf8').trim(),
    'base64',
  );
  const signingKey = createPrivateKey({
    key: createKeyCipher([encryptionKey]).open(row.sealed, row.kid),
    format: 'der',
    type: 'pkcs8',
  });

  const headerOf = (changes: Fields = {}): string => encode({ alg: 'EdDSA', typ: 'at+jwt', kid: row.kid, ...changes });
  const claimsOf = (changes: Fields = {}): string => {
    const now = Math.floor(Date.now() / 1000);
    return encode({
      iss: 'taskflow-auth',
      aud: 'taskflow',
      sub: userId,
      sid: randomUUID(),
      role: 'user',
      jti: randomUUID(),
      iat: now,
      exp: now + 600,
      ...changes,
    });
  };
  return {
    kid: row.kid,
    publicJwk: row.jwk,
    token: ({ header, claims, key = signingKey } = {}) => {
      const body = `${headerOf(header)}.${claimsOf(claims)}`;
      return `${body}.${sign(null, Buffer.from(body), key).toString('base64url')}`;
    },
    symmetric: (secret, header) => {
      const body = `${headerOf({ alg: 'HS256', ...header })}.${claimsOf()}`;
      return `${body}.${createHmac('sha256', secret).update(body).digest('base64url')}`;
    },
    unsigned: (header, signature = '') => `${headerOf(header)}.${claimsOf()}.${signature}`,
  };
}
