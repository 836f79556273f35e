import { defineEntity, p } from '@mikro-orm/core';
import { AccountSchema } from './account.entity.ts';

export const revokeReasons = ['logout', 'token_reused', 'revoked', 'password_changed', 'account_disabled'] as const;
export type RevokeReason = (typeof revokeReasons)[number];

export const SessionSchema = defineEntity({
  name: 'Session',
  tableName: 'sessions',
  properties: {
    id: p.uuid().primary(),
    accountId: () =>
      p
        .manyToOne(AccountSchema)
        .mapToPk()
        .fieldName('account_id')
        .index('sessions_account_id_idx')
        .foreignKeyName('sessions_account_id_fkey')
        .updateRule('no action')
        .deleteRule('cascade'),
    userAgent: p.text(),
    peer: p.text(),
    createTime: p.datetime(3),
    lastUsedTime: p.datetime(3),
    expireTime: p.datetime(3).index('sessions_expire_time_idx'),
    revokeTime: p.datetime(3).nullable(),
    revokeReason: p.enum(revokeReasons).nullable(),
  },
});

/** Where a sign-in or a refresh comes from, for the list of sessions. */
export interface ClientInfo {
  userAgent: string;
  peer: string;
}

export interface NewSession extends ClientInfo {
  id: string;
  accountId: string;
}

/** One sign-in on one device: the family of all refresh tokens that came from it. */
export class Session extends SessionSchema.class {
  static open(values: NewSession, now: Date, lifetimeMs: number): Session {
    const expireTime = new Date(now.getTime() + lifetimeMs);
    return Object.assign(new Session(), values, { createTime: now, lastUsedTime: now, expireTime, revokeTime: null, revokeReason: null });
  }

  isAlive(now: Date): boolean {
    return this.revokeTime == null && this.expireTime > now;
  }

  /** Its lifetime counts from the last use. */
  touch(client: ClientInfo, now: Date, lifetimeMs: number): void {
    Object.assign(this, { userAgent: client.userAgent, peer: client.peer });
    this.lastUsedTime = now;
    this.expireTime = new Date(now.getTime() + lifetimeMs);
  }

  /** The first reason stays: false when it had been ended before. */
  revoke(reason: RevokeReason, now: Date): boolean {
    if (this.revokeTime != null) return false;
    this.revokeTime = now;
    this.revokeReason = reason;
    return true;
  }
}
SessionSchema.setClass(Session);
