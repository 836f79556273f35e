import { defineEntity, p } from '@mikro-orm/core';

/**
 * The life of a key: `published` callers may fetch it already, `active` it signs, `retiring` tokens that it signed are
 * still good, `retired` it is gone from the key set. At most one key is active.
 */
export const signingKeyStates = ['published', 'active', 'retiring', 'retired'] as const;
export type SigningKeyState = (typeof signingKeyStates)[number];

/** RFC 8037. */
export interface PublicJwk {
  kty: 'OKP';
  crv: 'Ed25519';
  x: string;
}

export const SigningKeySchema = defineEntity({
  name: 'SigningKey',
  tableName: 'signing_keys',
  indexes: [
    {
      name: 'signing_keys_one_active_key',
      expression: `create unique index "signing_keys_one_active_key" on "signing_keys" ("state") where ("state" = 'active')`,
    },
  ],
  properties: {
    kid: p.text().primary(),
    state: p.enum(signingKeyStates),
    publicJwk: p.json<PublicJwk>(),
    /** AES-256-GCM, bound to the kid. */
    sealedPrivateKey: p.blob(),
    createTime: p.datetime(3),
    activateTime: p.datetime(3).nullable(),
    retireTime: p.datetime(3).nullable(),
  },
});

export class SigningKey extends SigningKeySchema.class {
  static createActive(values: { kid: string; publicJwk: PublicJwk; sealedPrivateKey: Buffer }, now: Date): SigningKey {
    return Object.assign(new SigningKey(), values, { state: 'active' as const, createTime: now, activateTime: now, retireTime: null });
  }
}
SigningKeySchema.setClass(SigningKey);
