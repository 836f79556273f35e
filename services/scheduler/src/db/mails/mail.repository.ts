import { mailKindToNumber } from '#contract/scheduler/v1/mails';
import { runStatement, type EntityManager, type Statement } from '#libs/db';
import type { MailRepository } from '../../domain/mails/mail.repository.ts';

const add: Statement = {
  name: 'add_mail',
  text: `
    insert into mails (id, kind, state, next_attempt_time, call_id, trace_parent, create_time)
    values ($1, $2, 'pending', clock_timestamp(), $3, $4, now()) on conflict (id) do nothing returning id`,
};

export function createMailRepository(em: EntityManager): MailRepository {
  return {
    add: async ({ mailId, kind, callId, traceParent }) =>
      (await runStatement(em, add, [mailId, mailKindToNumber(kind), callId, traceParent])).length === 1,
  };
}
