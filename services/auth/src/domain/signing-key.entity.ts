import { column, defineColumns, defineEntityOf, type Stored } from '#libs/db';

/** RFC 8037. */
export interface PublicJwk {
  kty: 'OKP';
  crv: 'Ed25519';
  x: string;
}

export const signingKeyTable = defineColumns('signing_keys', {
  kid: column.text().primary(),
  publicJwk: column.json<PublicJwk>().fixed(),
  /** AES-256-GCM, bound to the kid. */
  sealedPrivateKey: column.bytes(),
  createTime: column.time().fixed(),
  /** It signs from here on, until a later key does. */
  signTime: column.time().fixed(),
  /** It is gone from the key set from here on; unknown while it has no successor. */
  retireTime: column.time().nullable(),
});

type KeyValues = Stored<typeof signingKeyTable.columns>;
/** What is made before it is stored; its times are the database's. */
export type NewSigningKey = Pick<KeyValues, 'kid' | 'publicJwk' | 'sealedPrivateKey'>;

export const SigningKeySchema = defineEntityOf(signingKeyTable, { name: 'SigningKey' });

/**
 * The life of a key: published, so that everybody fetches it before they need it; signing; replaced, while tokens that
 * it signed may still be good; retired. All replicas see it alike, since only the database's clock decides.
 */
export class SigningKey extends SigningKeySchema.class {
  /** A key that signs from the given time on. */
  static create(made: NewSigningKey, now: Date, signTime: Date): SigningKey {
    const values: KeyValues = { ...made, createTime: now, signTime, retireTime: null };
    return Object.assign(new SigningKey(), values);
  }

  isPublished(now: Date): boolean {
    return this.retireTime === null || this.retireTime > now;
  }

  mayHaveSigned(now: Date): boolean {
    return this.signTime <= now;
  }
}
SigningKeySchema.setClass(SigningKey);

/** The key that signs now: of those whose time has come, the one that came last. */
export function findSigningKey(keys: readonly SigningKey[], now: Date): SigningKey | undefined {
  const begun = keys.filter((key) => key.mayHaveSigned(now) && key.isPublished(now));
  return begun.reduce<SigningKey | undefined>(
    (last, key) => (last === undefined || isLater(key, last) ? key : last),
    undefined,
  );
}

/** By kid where times are equal, so that all replicas choose the same. */
function isLater(one: SigningKey, other: SigningKey): boolean {
  const difference = one.signTime.getTime() - other.signTime.getTime();
  return difference === 0 ? one.kid > other.kid : difference > 0;
}
