import { defineEntity, p } from '@mikro-orm/core';
import { SessionSchema } from './session.entity.ts';

export const RefreshTokenSchema = defineEntity({
  name: 'RefreshToken',
  tableName: 'refresh_tokens',
  uniques: [{ name: 'refresh_tokens_session_id_generation_key', properties: ['sessionId', 'generation'] }],
  properties: {
    /** SHA-256 of the token, base64url; the token itself is nowhere but at the client. */
    tokenHash: p.text().primary(),
    sessionId: () =>
      p
        .manyToOne(SessionSchema)
        .mapToPk()
        .fieldName('session_id')
        .index(false) // the unique key begins with it
        .foreignKeyName('refresh_tokens_session_id_fkey')
        .updateRule('no action')
        .deleteRule('cascade'),
    /** 1 for the one that the sign-in gave, one more at each rotation. */
    generation: p.integer(),
    createTime: p.datetime(3),
    replaceTime: p.datetime(3).nullable(),
  },
});

/** A refresh token of a session, current or replaced; the replaced ones are kept to notice their reuse. */
export class RefreshToken extends RefreshTokenSchema.class {
  static first(tokenHash: string, sessionId: string, now: Date): RefreshToken {
    return Object.assign(new RefreshToken(), { tokenHash, sessionId, generation: 1, createTime: now, replaceTime: null });
  }

  isReplaced(): boolean {
    return this.replaceTime != null;
  }

  replaceBy(successorHash: string, now: Date): RefreshToken {
    this.replaceTime = now;
    const { sessionId, generation } = this;
    const values = { tokenHash: successorHash, sessionId, generation: generation + 1, createTime: now, replaceTime: null };
    return Object.assign(new RefreshToken(), values);
  }

  /** Whether a repeated exchange is still answered like the first one. A grace of 0 forgives nothing, whatever the clocks say. */
  isForgiven(now: Date, graceMs: number): boolean {
    return this.replaceTime != null && graceMs > 0 && now.getTime() - this.replaceTime.getTime() < graceMs;
  }
}
RefreshTokenSchema.setClass(RefreshToken);
