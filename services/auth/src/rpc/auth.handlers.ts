import { z } from 'zod';
import { Role, type AuthServiceService, type DeleteAccountRequest } from '#contract/auth/v1/auth';
import { fieldTypes, parseRequest, type FieldViolation } from '#libs/errors';
import { fieldsOf } from '#libs/fields';
import { requireUser, requireUserOrEnded, type Handlers } from '#libs/grpc';
import type { AuthDeps } from '../deps.ts';
import {
  displayName,
  invitationToken,
  knownEmail,
  knownPassword,
  newEmail,
  newPassword,
  oneTimeToken,
  optionalKnownPassword,
  optionalNewPassword,
  refreshToken,
} from '../domain/account.inputs.ts';
import { toClientInfo } from '../domain/session.columns.ts';
import { acceptProjectInvitation } from '../use-cases/accept-project-invitation.ts';
import { changeEmail } from '../use-cases/change-email.ts';
import { changePassword } from '../use-cases/change-password.ts';
import { createAccount } from '../use-cases/create-account.ts';
import { createPasswordReset } from '../use-cases/create-password-reset.ts';
import { createPersonalToken } from '../use-cases/create-personal-token.ts';
import { createServiceAccount } from '../use-cases/create-service-account.ts';
import { deleteAccount } from '../use-cases/delete-account.ts';
import { disableAccount } from '../use-cases/disable-account.ts';
import { enableAccount } from '../use-cases/enable-account.ts';
import { getCaller } from '../use-cases/get-caller.ts';
import { getJwks } from '../use-cases/get-jwks.ts';
import { inviteUser } from '../use-cases/invite-user.ts';
import { listInvitations } from '../use-cases/list-invitations.ts';
import { listPersonalTokens } from '../use-cases/list-personal-tokens.ts';
import { listSessions } from '../use-cases/list-sessions.ts';
import { login } from '../use-cases/login.ts';
import { logout } from '../use-cases/logout.ts';
import { reclaimAccount } from '../use-cases/reclaim-account.ts';
import { refreshSession } from '../use-cases/refresh-session.ts';
import { register } from '../use-cases/register.ts';
import { requestMail } from '../use-cases/request-mail.ts';
import { resetPassword } from '../use-cases/reset-password.ts';
import { revokeInvitation } from '../use-cases/revoke-invitation.ts';
import { revokeOtherSessions } from '../use-cases/revoke-other-sessions.ts';
import { revokePersonalToken } from '../use-cases/revoke-personal-token.ts';
import { revokeSession } from '../use-cases/revoke-session.ts';
import { rotateSigningKey } from '../use-cases/rotate-signing-key.ts';
import { setRole } from '../use-cases/set-role.ts';
import { undeleteAccount } from '../use-cases/undelete-account.ts';
import { verifyEmail } from '../use-cases/verify-email.ts';
import { newPersonalToken, scopesOf } from './personal-token.requests.ts';

export function authHandlers(deps: AuthDeps): Handlers<AuthServiceService> {
  return {
    register: async (request, call) => register(deps, parseRequest(registerSchema, request), toClientInfo(call)),
    login: async (request, call) => login(deps, parseRequest(loginSchema, request), toClientInfo(call)),
    refreshSession: async (request, call) => refreshSession(deps, readRefreshToken(request), toClientInfo(call)),
    logout: async (request) => logout(deps, readRefreshToken(request)),
    requestPasswordReset: async (request) =>
      requestMail(deps, { kind: 'password_reset', ...parseRequest(emailSchema, request) }),
    resetPassword: async (request) => resetPassword(deps, parseRequest(resetPasswordSchema, request)),
    requestEmailVerification: async (request) =>
      requestMail(deps, { kind: 'email_verification', ...parseRequest(emailSchema, request) }),
    verifyEmail: async (request) => verifyEmail(deps, parseRequest(verifyEmailSchema, request)),
    getJwks: async () => getJwks(deps),
    listSessions: async (request, call) => listSessions(deps, requireUser(call), parseRequest(listSchema, request)),
    revokeSession: async (request, call) =>
      revokeSession(deps, requireUserOrEnded(call), parseChange(revokeSessionSchema, request)),
    revokeOtherSessions: async (request, call) =>
      revokeOtherSessions(deps, requireUser(call), parseChange(changeSchema, request)),
    changePassword: async (request, call) =>
      changePassword(deps, requireUser(call), parseChange(changePasswordSchema, request)),
    changeEmail: async (request, call) => changeEmail(deps, requireUser(call), parseChange(changeEmailSchema, request)),
    createAccount: async (request, call) =>
      createAccount(deps, requireUser(call), parseChange(createAccountSchema, request)),
    setRole: async (request, call) => setRole(deps, requireUserOrEnded(call), parseChange(setRoleSchema, request)),
    disableAccount: async (request, call) =>
      disableAccount(deps, requireUserOrEnded(call), parseChange(accountSchema, request)),
    enableAccount: async (request, call) => enableAccount(deps, requireUser(call), parseChange(accountSchema, request)),
    deleteAccount: async (request, call) =>
      deleteAccount(deps, requireUserOrEnded(call), parseChange(deleteAccountSchema, request, twoSuccessors(request))),
    undeleteAccount: async (request, call) =>
      undeleteAccount(deps, requireUser(call), parseChange(accountSchema, request)),
    reclaimAccount: async (request) => reclaimAccount(deps, parseRequest(loginSchema, request)),
    createPasswordReset: async (request, call) =>
      createPasswordReset(deps, requireUser(call), parseChange(createResetSchema, request)),
    inviteUser: async (request, call) => inviteUser(deps, requireUser(call), parseChange(inviteUserSchema, request)),
    listInvitations: async (request, call) =>
      listInvitations(deps, requireUser(call), parseRequest(listSchema, request)),
    revokeInvitation: async (request, call) =>
      revokeInvitation(deps, requireUser(call), parseChange(invitationSchema, request)),
    acceptProjectInvitation: async (request, call) =>
      acceptProjectInvitation(deps, requireUser(call), parseChange(acceptSchema, request)),
    createServiceAccount: async (request, call) =>
      createServiceAccount(deps, requireUser(call), parseChange(serviceAccountSchema, request)),
    createPersonalToken: async (request, call) =>
      createPersonalToken(deps, requireUser(call), parseChange(createPersonalTokenSchema, request)),
    listPersonalTokens: async (request, call) =>
      listPersonalTokens(deps, requireUser(call), parseRequest(listPersonalTokensSchema, request)),
    revokePersonalToken: async (request, call) =>
      revokePersonalToken(deps, requireUser(call), parseChange(personalTokenSchema, request)),
    getCaller: async (_request, call) => getCaller(requireUser(call), scopesOf(call)),
    rotateSigningKey: async (request, call) =>
      rotateSigningKey(deps, requireUser(call), parseChange(changeSchema, request)),
  };
}

const registerSchema = z.object({ email: newEmail, password: newPassword, displayName, invitationToken });

/** Looser than a registration: whatever could once be registered gets the same answer as a wrong password. */
const loginSchema = z.object({ email: knownEmail, password: knownPassword });

const emailSchema = z.object({ email: knownEmail });
const resetPasswordSchema = z.object({ token: oneTimeToken, newPassword });
const verifyEmailSchema = z.object({ token: oneTimeToken });

const refreshTokenSchema = z.object({ refreshToken });

function readRefreshToken(request: { refreshToken: string }): string {
  return parseRequest(refreshTokenSchema, request).refreshToken;
}

const list = fieldsOf('taskflow.auth.v1.ListSessionsRequest');
const listSchema = z.object({ pageSize: list.pageSize(), pageToken: list.pageToken() });

/** What every change takes. */
const changeSchema = z.object({ requestId: fieldTypes.idempotencyKey(), validateOnly: z.boolean() });

/** Like parseRequest; adds the body that a repeat must equal. */
function parseChange<S extends z.ZodType<{ requestId: string }>, R extends { requestId: string }>(
  schema: S,
  request: R,
  found: readonly FieldViolation[] = [],
): Omit<z.output<S>, 'requestId'> & { idempotencyKey: string; body: R } {
  const { requestId: idempotencyKey, ...input } = parseRequest(schema, request, found);
  return { ...input, idempotencyKey, body: { ...request, requestId: '' } };
}

const etag = fieldsOf('taskflow.auth.v1.RevokeSessionRequest').text('etag');
const revokeSessionSchema = z.object({ sessionId: fieldTypes.uuid(), etag, ...changeSchema.shape });
const changePasswordSchema = z.object({ currentPassword: knownPassword, newPassword, etag, ...changeSchema.shape });
const changeEmailSchema = z.object({ currentPassword: knownPassword, newEmail, etag, ...changeSchema.shape });
const inviteUserSchema = z.object({ email: newEmail, ...changeSchema.shape });
const invitationSchema = z.object({ invitationId: fieldTypes.uuid(), ...changeSchema.shape });
const acceptSchema = z.object({ token: oneTimeToken, ...changeSchema.shape });
const createResetSchema = z.object({ accountId: fieldTypes.uuid(), ...changeSchema.shape });
const serviceAccountSchema = z.object({ displayName, ...changeSchema.shape });
const otherAccount = z.object({ accountId: z.union([z.literal(''), fieldTypes.uuid()], 'must be a UUID or empty') });
const listPersonalTokensSchema = z.object({ ...listSchema.shape, ...otherAccount.shape });
const createPersonalTokenSchema = z.object({ ...newPersonalToken, ...otherAccount.shape, ...changeSchema.shape });
const personalTokenSchema = z.object({ personalTokenId: fieldTypes.uuid(), ...changeSchema.shape });
const accountSchema = z.object({ accountId: fieldTypes.uuid(), etag, ...changeSchema.shape });

const deleteAccountSchema = z.object({
  ...accountSchema.shape,
  ...otherAccount.shape,
  currentPassword: optionalKnownPassword,
  successorId: otherAccount.shape.accountId,
  successorEmail: fieldsOf('taskflow.auth.v1.DeleteAccountRequest').optionalText('successor_email'),
});

/** By id and by e-mail: which of them was meant? */
function twoSuccessors({ successorId, successorEmail }: DeleteAccountRequest): FieldViolation[] {
  if (successorId === '' || successorEmail === '') return [];
  const description = 'must not be set together with';
  return [
    { field: 'successor_id', description: `${description} successor_email` },
    { field: 'successor_email', description: `${description} successor_id` },
  ];
}

const role = z
  .literal([Role.USER, Role.ADMIN], 'must be USER or ADMIN')
  .transform((value) => (value === Role.ADMIN ? 'admin' : 'user'));
const createAccountSchema = z.object({
  email: newEmail,
  displayName,
  role,
  password: optionalNewPassword,
  ...changeSchema.shape,
});
const setRoleSchema = z.object({ ...accountSchema.shape, role });
