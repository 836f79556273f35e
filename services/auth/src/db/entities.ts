import { idempotencyTable } from '#libs/db';
import { logIncarnations, outboxTable } from '#libs/events';
import { AccountDeletionSchema } from '../domain/account-deletion.entity.ts';
import { AccountTokenSchema } from '../domain/account-token.entity.ts';
import { AccountSchema } from '../domain/account.entity.ts';
import { InvitationSchema } from '../domain/invitation.entity.ts';
import { MailSchema } from '../domain/mail.entity.ts';
import { PersonalTokenSchema } from '../domain/personal-token.entity.ts';
import { ProjectInviteeSchema } from '../domain/project-invitee.entity.ts';
import { RefreshTokenSchema } from '../domain/refresh-token.entity.ts';
import { RevocationSchema } from '../domain/revocation.entity.ts';
import { SessionSchema } from '../domain/session.entity.ts';
import { SigningKeySchema } from '../domain/signing-key.entity.ts';

export const entities = [
  AccountSchema,
  AccountDeletionSchema,
  SessionSchema,
  RefreshTokenSchema,
  SigningKeySchema,
  InvitationSchema,
  ProjectInviteeSchema,
  AccountTokenSchema,
  MailSchema,
  PersonalTokenSchema,
  RevocationSchema,
  idempotencyTable.entity,
  ...outboxTable.entities,
  logIncarnations.entity,
];
