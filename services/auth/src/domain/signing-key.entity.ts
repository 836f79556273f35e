import { defineEntity, p } from '@mikro-orm/core';

/** RFC 8037. */
export interface PublicJwk {
  kty: 'OKP';
  crv: 'Ed25519';
  x: string;
}

export const SigningKeySchema = defineEntity({
  name: 'SigningKey',
  tableName: 'signing_keys',
  properties: {
    kid: p.text().primary(),
    publicJwk: p.json<PublicJwk>(),
    /** AES-256-GCM, bound to the kid. */
    sealedPrivateKey: p.blob(),
    createTime: p.datetime(3),
    /** It signs from here on, until a later key does. */
    signTime: p.datetime(3),
    /** It is gone from the key set from here on; unknown while it has no successor. */
    retireTime: p.datetime(3).nullable(),
  },
});

/** What is made before it is stored; its times are the database's. */
export interface NewSigningKey {
  kid: string;
  publicJwk: PublicJwk;
  sealedPrivateKey: Buffer;
}

/**
 * The life of a key: published, so that everybody fetches it before they need it; signing; replaced, while tokens that it
 * signed may still be good; retired. All replicas see it alike, since only the database's clock decides.
 */
export class SigningKey extends SigningKeySchema.class {
  isPublished(now: Date): boolean {
    return this.retireTime == null || this.retireTime > now;
  }

  mayHaveSigned(now: Date): boolean {
    return this.signTime <= now;
  }
}
SigningKeySchema.setClass(SigningKey);

/** The key that signs now: of those whose time has come, the one that came last. */
export function findSigningKey(keys: readonly SigningKey[], now: Date): SigningKey | undefined {
  const begun = keys.filter((key) => key.mayHaveSigned(now) && key.isPublished(now));
  return begun.reduce<SigningKey | undefined>((last, key) => (last === undefined || isLater(key, last) ? key : last), undefined);
}

/** By kid where times are equal, so that all replicas choose the same. */
function isLater(one: SigningKey, other: SigningKey): boolean {
  const difference = one.signTime.getTime() - other.signTime.getTime();
  return difference === 0 ? one.kid > other.kid : difference > 0;
}
