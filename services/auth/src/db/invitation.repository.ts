import { LockMode } from '@mikro-orm/core';
import { runStatement, type EntityManager } from '#libs/db';
import { toMailbox } from '#libs/text';
import { invitationTable } from '../domain/invitation.columns.ts';
import { Invitation } from '../domain/invitation.entity.ts';
import type { AcceptedInvitation, InvitationRepository } from '../domain/invitation.repository.ts';
import { removeExpired } from './remove-expired.ts';

const { names } = invitationTable;
const isOpen = 'accept_time is null and revoke_time is null';

const statements = {
  replaceOpen: {
    name: 'invitation-replace-open',
    text: `
      insert into invitations (${names.join(', ')}) values (${names.map((_, index) => `$${index + 1}`).join(', ')})
      on conflict (mailbox) where ${isOpen} do update
      set ${names.map((name) => `${name} = excluded.${name}`).join(', ')}`,
  },
  accept: {
    name: 'invitation-accept',
    text: `
      update invitations set accept_time = $3
      where (token_hash = $1 or mail_token_hash = $1) and mailbox = $2 and expire_time > $3 and ${isOpen}
      returning id, token_hash <> $1 as "cameByMail"`,
  },
};

export function createInvitationRepository(em: EntityManager): InvitationRepository {
  return {
    replaceOpen: async (invitation) => {
      await runStatement(em, statements.replaceOpen, invitationTable.cells(invitation));
    },
    accept: async ({ tokenHash, email }, now) =>
      (await runStatement<AcceptedInvitation>(em, statements.accept, [tokenHash, toMailbox(email), now]))[0],
    lock: async (id) => (await em.findOne(Invitation, { id }, { lockMode: LockMode.PESSIMISTIC_WRITE })) ?? undefined,
    removeExpired: (before, limit) => removeExpired(em, 'invitations', { before, limit }),
  };
}
