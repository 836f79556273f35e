import { runStatement, type EntityManager } from '#libs/db';
import { Mail } from '../domain/mail.entity.ts';
import type { MailHandOver, MailRepository, MailWish } from '../domain/mail.repository.ts';
import { removeExpired } from './remove-expired.ts';

const statements = {
  has: { name: 'mail-has', text: 'select 1 from mails where id = $1' },
  takeTurns: { name: 'mail-take-turns', text: 'select pg_advisory_xact_lock(hashtextextended($1, 0))' },
  countSince: {
    name: 'mail-count-since',
    text: `
      select count(*)::int as count from (
        select id from mails where account_id = $1 and create_time > $4 and kind = $3
        union select id from mails where email = $2 and create_time > $4 and kind = $3) as sent`,
  },
};

/** The calls of the outbox that a transaction may record about mails. */
export interface MailCalls {
  handOver: (mail: MailHandOver) => void;
  carryOut: (wish: MailWish) => void;
}

export function createMailRepository(em: EntityManager, { handOver, carryOut }: MailCalls): MailRepository {
  return {
    wish: carryOut,
    has: async (id) => (await runStatement(em, statements.has, [id])).length > 0,
    send: (mail) => {
      em.persist(Mail.of(mail));
      handOver({ mailId: mail.id, kind: mail.kind });
    },
    takeTurns: async (email) => void (await runStatement(em, statements.takeTurns, [`mails ${email}`])),
    countSince: async (time, { kind, accountId, email }) => {
      const [row] = await runStatement<{ count: number }>(em, statements.countSince, [accountId, email, kind, time]);
      return row?.count ?? 0;
    },
    removeExpired: (before, limit) => removeExpired(em, 'mails', { before, limit }),
  };
}
