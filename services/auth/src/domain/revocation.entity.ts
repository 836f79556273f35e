import { defineEntity, p } from '@mikro-orm/core';
import { columnTypes } from '#libs/db';

export const accessTokenLifetimeMs = 600_000;

// The clocks of the replicas that issue, check and remove differ a little.
const keptLongerMs = 60_000;

export const RevocationSchema = defineEntity({
  name: 'Revocation',
  tableName: 'revocations',
  properties: {
    id: p.bigint().primary().generated('by default as identity'),
    /** Orders readers: ids are given out before commits. */
    transactionId: p
      .type(columnTypes.TransactionId)
      .defaultRaw('pg_current_xact_id()')
      .index('revocations_transaction_id_idx'),
    /** Either this, or accountId with notBefore. */
    sessionId: p.uuid().nullable(),
    accountId: p.uuid().nullable(),
    notBefore: p.datetime(3).nullable(),
    /** No token that it concerns can be valid after this. */
    expireTime: p.datetime(3).index('revocations_expire_time_idx'),
    createTime: p.datetime(3).defaultRaw('clock_timestamp()'),
  },
});

/**
 * Access tokens that are refused before they expire: those of a session, or those of an account issued before a time.
 */
export class Revocation extends RevocationSchema.class {
  static ofSession(sessionId: string, now: Date): Revocation {
    return Object.assign(new Revocation(), {
      sessionId,
      accountId: null,
      notBefore: null,
      expireTime: removalTime(now),
    });
  }

  static ofAccount(accountId: string, notBefore: Date): Revocation {
    return Object.assign(new Revocation(), {
      sessionId: null,
      accountId,
      notBefore,
      expireTime: removalTime(notBefore),
    });
  }
}
RevocationSchema.setClass(Revocation);

function removalTime(lastIssueTime: Date): Date {
  return new Date(lastIssueTime.getTime() + accessTokenLifetimeMs + keptLongerMs);
}
