import { p } from '@mikro-orm/core';
import { column, defineColumns, defineEntityOf, type Stored } from '#libs/db';
import { SessionSchema } from './session.entity.ts';

const toSession = () =>
  p
    .manyToOne(SessionSchema)
    .mapToPk()
    .fieldName('session_id')
    .index(false) // the unique key begins with it
    .foreignKeyName('refresh_tokens_session_id_fkey')
    .updateRule('no action')
    .deleteRule('cascade');

export const refreshTokenTable = defineColumns('refresh_tokens', {
  /** SHA-256 of the token, base64url; the token itself is nowhere but at the client. */
  tokenHash: column.text().primary(),
  sessionId: column.uuid().reference(toSession).fixed(),
  /** 1 for the one that the sign-in gave, one more at each rotation. */
  generation: column.integer().fixed(),
  createTime: column.time().fixed(),
  replaceTime: column.time().nullable(),
  /** Of the token that replaced it; null in a replaced token means the next generation. */
  successorGeneration: column.integer().nullable(),
  /** Whether it was given up, unused, because the token before it was exchanged again. */
  discarded: column.boolean().defaultsTo('false'),
});

type TokenValues = Stored<typeof refreshTokenTable.columns>;

export const RefreshTokenSchema = defineEntityOf(refreshTokenTable, {
  name: 'RefreshToken',
  uniques: [{ name: 'refresh_tokens_session_id_generation_key', properties: ['sessionId', 'generation'] }],
});

/**
 * What presenting a token means: its first use, a repetition that gets the same successor, a repetition after its
 * answer was lost, which gets another successor, or the use of a token that somebody else has used as well.
 */
export type TokenUse = 'first' | 'repetition' | 'lost_answer' | 'reuse';

/** A refresh token of a session, current or replaced; the replaced ones are kept to notice their reuse. */
export class RefreshToken extends RefreshTokenSchema.class {
  static first(tokenHash: string, sessionId: string, now: Date): RefreshToken {
    return RefreshToken.create({ tokenHash, sessionId, generation: 1 }, now);
  }

  private static create(
    identity: Pick<TokenValues, 'tokenHash' | 'sessionId' | 'generation'>,
    now: Date,
  ): RefreshToken {
    const values: TokenValues = {
      ...identity,
      createTime: now,
      replaceTime: null,
      successorGeneration: null,
      discarded: false,
    };
    return Object.assign(new RefreshToken(), values);
  }

  /** The generation of the token that replaced it; undefined while none did. */
  get replacedBy(): number | undefined {
    return this.replaceTime === null ? undefined : (this.successorGeneration ?? this.generation + 1);
  }

  /**
   * `successor` is the token that replaced this one, if there is any. A successor that was never used shows that its
   * answer was lost. A grace of 0 forgives no repetition at all, whatever the clocks say.
   */
  judgeUse(successor: RefreshToken | undefined, now: Date, graceMs: number): TokenUse {
    if (this.replaceTime === null) return 'first';
    if (this.discarded || successor === undefined || graceMs === 0) return 'reuse';
    if (now.getTime() - this.replaceTime.getTime() < graceMs) return 'repetition';
    return successor.replaceTime === null ? 'lost_answer' : 'reuse';
  }

  /** Makes its successor, of the given generation. */
  replaceBy(successor: { tokenHash: string; generation: number }, now: Date): RefreshToken {
    this.replaceTime = now;
    this.successorGeneration = successor.generation;
    return RefreshToken.create({ ...successor, sessionId: this.sessionId }, now);
  }

  /**
   * Gives it up. If it is presented later, its answer was not lost after all, and two clients hold tokens of the
   * session.
   */
  discard(now: Date): void {
    this.replaceTime = now;
    this.discarded = true;
  }
}
RefreshTokenSchema.setClass(RefreshToken);
