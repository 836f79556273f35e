import { fileURLToPath } from 'node:url';
import type { AuditLog } from '#libs/audit';
import { pruneIdempotency, type EntityManager } from '#libs/db';
import { emailTaken } from '../domain/auth.errors.ts';
import type { ProfileOutbox, Repositories } from '../deps.ts';
import type { ProjectJoin } from '../domain/project-invitee.repository.ts';
import { createAccountTokenRepository } from './account-token.repository.ts';
import { createAccountDeletionRepository } from './account-deletion.repository.ts';
import { createAccountRepository } from './account.repository.ts';
import { entities } from './entities.ts';
import { createInvitationRepository } from './invitation.repository.ts';
import { createMailRepository, type MailCalls } from './mail.repository.ts';
import { createPersonalTokenRepository } from './personal-token.repository.ts';
import { createProjectInviteeRepository } from './project-invitee.repository.ts';
import { createRevocationRepository } from './revocation.repository.ts';
import { createSessionRepository } from './session.repository.ts';
import { createSigningKeyRepository } from './signing-key.repository.ts';

/** What auth's database is made of, for opening and for migrating it. */
export function databaseDefinition(url: string) {
  return { url, entities, migrationsPath: fileURLToPath(new URL('migrations', import.meta.url)) };
}

export const constraints = { accounts_email_key: emailTaken, accounts_mailbox_key: emailTaken };

/** What a transaction causes beside its tables: events, messages to other services, notices to revocations' followers. */
export interface Outside {
  audit: Pick<AuditLog, 'trailOf'>;
  profiles: ProfileOutbox;
  mails: MailCalls;
  removals: { goOn: (accountId: string) => void };
  joins: { ask: (join: ProjectJoin) => void };
  onRevocation: () => void;
}

export function createRepositories(
  em: EntityManager,
  { audit, profiles, mails, removals, joins, onRevocation }: Outside,
): Repositories {
  return {
    audit: audit.trailOf(em),
    accounts: createAccountRepository(em),
    accountTokens: createAccountTokenRepository(em),
    mails: createMailRepository(em, mails),
    deletions: createAccountDeletionRepository(em, removals),
    invitations: createInvitationRepository(em),
    projectInvitees: createProjectInviteeRepository(em, joins.ask),
    sessions: createSessionRepository(em),
    personalTokens: createPersonalTokenRepository(em),
    signingKeys: createSigningKeyRepository(em),
    revocations: createRevocationRepository(em, onRevocation),
    requests: { prune: (limit) => pruneIdempotency(em, limit) },
    profiles,
  };
}
