import { LockMode } from '@mikro-orm/core';
import type { EntityManager } from '#libs/db';
import { toMailbox } from '#libs/text';
import { ProjectInvitee } from '../domain/project-invitee.entity.ts';
import type { ProjectInviteeRepository, ProjectJoin } from '../domain/project-invitee.repository.ts';
import { removeExpired } from './remove-expired.ts';

const lockMode = LockMode.PESSIMISTIC_WRITE;

export function createProjectInviteeRepository(
  em: EntityManager,
  join: (join: ProjectJoin) => void,
): ProjectInviteeRepository {
  return {
    add: (invitee) => void em.persist(invitee),
    lock: async (id) => (await em.findOne(ProjectInvitee, { id }, { lockMode })) ?? undefined,
    lockAdmitted: async ({ tokenHash, email }, now) => {
      const open = { tokenHash, mailbox: toMailbox(email), acceptTime: null, expireTime: { $gt: now } };
      return (await em.findOne(ProjectInvitee, open, { lockMode })) ?? undefined;
    },
    join,
    removeExpired: (before, limit) => removeExpired(em, 'project_invitees', { before, limit }),
  };
}
