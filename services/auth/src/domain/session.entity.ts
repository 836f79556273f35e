import { defineEntityOf } from '#libs/db';
import { newSession, sessionTable, type ClientInfo, type RevokeReason } from './session.columns.ts';

export const SessionSchema = defineEntityOf(sessionTable, {
  name: 'Session',
  indexes: [{ name: 'sessions_expire_time_idx', properties: ['expireTime'] }],
});

/** One sign-in on one device: the family of all refresh tokens that came from it. */
export class Session extends SessionSchema.class {
  static open(...how: Parameters<typeof newSession>): Session {
    return Object.assign(new Session(), newSession(...how));
  }

  isAlive(now: Date): boolean {
    return this.revokeTime === null && this.expireTime > now;
  }

  /** Its lifetime counts from the last use. */
  touch(client: ClientInfo, now: Date, lifetimeMs: number): void {
    const { userAgent, peer } = client;
    Object.assign(this, { userAgent, peer, lastUsedTime: now, expireTime: new Date(now.getTime() + lifetimeMs) });
  }

  /** The first reason stays: false when it had been ended before. */
  revoke(reason: RevokeReason, now: Date): boolean {
    if (this.revokeTime !== null) return false;
    this.revokeTime = now;
    this.revokeReason = reason;
    return true;
  }
}
SessionSchema.setClass(Session);
