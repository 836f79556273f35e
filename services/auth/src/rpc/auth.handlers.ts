import type { AuthServiceService, InternalAuthServiceService } from '#contract/auth/v1/auth';
import { parseRequest } from '#libs/errors';
import { requireUser, type Handlers } from '#libs/grpc';
import type { AuthDeps } from '../deps.ts';
import { changeEmail } from '../use-cases/change-email.ts';
import { changePassword } from '../use-cases/change-password.ts';
import { disableAccount } from '../use-cases/disable-account.ts';
import { enableAccount } from '../use-cases/enable-account.ts';
import { getJwks } from '../use-cases/get-jwks.ts';
import { listSessions } from '../use-cases/list-sessions.ts';
import { login } from '../use-cases/login.ts';
import { logout } from '../use-cases/logout.ts';
import { refreshSession } from '../use-cases/refresh-session.ts';
import { register } from '../use-cases/register.ts';
import { revokeOtherSessions } from '../use-cases/revoke-other-sessions.ts';
import { revokeSession } from '../use-cases/revoke-session.ts';
import { rotateSigningKey } from '../use-cases/rotate-signing-key.ts';
import { setRole } from '../use-cases/set-role.ts';
import { watchRevocations } from '../use-cases/watch-revocations.ts';
import { toAccountMessage, toClientInfo, toJwksMessage, toRevocationsMessages, toSessionMessage, toTokenPair } from './auth.mapper.ts';
import {
  accountSchema,
  changeEmailSchema,
  changePasswordSchema,
  loginSchema,
  logoutSchema,
  refreshSessionSchema,
  registerSchema,
  revokeSessionSchema,
  rotateSigningKeySchema,
  setRoleSchema,
} from './auth.schemas.ts';

export function authHandlers(deps: AuthDeps): Handlers<AuthServiceService> {
  return { ...signInHandlers(deps), ...sessionHandlers(deps), ...accountHandlers(deps) };
}

type SignIn = 'register' | 'login' | 'refreshSession' | 'logout' | 'getJwks';

function signInHandlers(deps: AuthDeps): Pick<Handlers<AuthServiceService>, SignIn> {
  return {
    register: async (request, call) => {
      const { account, tokens } = await register(deps, parseRequest(registerSchema, request), toClientInfo(call));
      return { account: toAccountMessage(account), tokens: toTokenPair(tokens) };
    },
    login: async (request, call) => {
      const { account, tokens } = await login(deps, parseRequest(loginSchema, request), toClientInfo(call));
      return { account: toAccountMessage(account), tokens: toTokenPair(tokens) };
    },
    refreshSession: async (request, call) => {
      const { refreshToken } = parseRequest(refreshSessionSchema, request);
      return { tokens: toTokenPair(await refreshSession(deps, refreshToken, toClientInfo(call))) };
    },
    logout: async (request) => {
      await logout(deps, parseRequest(logoutSchema, request).refreshToken);
      return {};
    },
    getJwks: async () => toJwksMessage(await getJwks(deps)),
  };
}

type OfSessions = 'listSessions' | 'revokeSession' | 'revokeOtherSessions';

function sessionHandlers(deps: AuthDeps): Pick<Handlers<AuthServiceService>, OfSessions> {
  return {
    listSessions: async (_request, call) => {
      const actor = requireUser(call);
      const sessions = await listSessions(deps, actor);
      return { sessions: sessions.map((session) => toSessionMessage(session, actor.sessionId)) };
    },
    revokeSession: async (request, call) => {
      await revokeSession(deps, requireUser(call), parseRequest(revokeSessionSchema, request));
      return {};
    },
    revokeOtherSessions: async (_request, call) => ({ revokedCount: await revokeOtherSessions(deps, requireUser(call)) }),
  };
}

function accountHandlers(deps: AuthDeps): Omit<Handlers<AuthServiceService>, SignIn | OfSessions> {
  return {
    changePassword: async (request, call) => {
      await changePassword(deps, requireUser(call), parseRequest(changePasswordSchema, request));
      return {};
    },
    changeEmail: async (request, call) => ({
      account: toAccountMessage(await changeEmail(deps, requireUser(call), parseRequest(changeEmailSchema, request))),
    }),
    setRole: async (request, call) => ({
      account: toAccountMessage(await setRole(deps, requireUser(call), parseRequest(setRoleSchema, request))),
    }),
    disableAccount: async (request, call) => ({
      account: toAccountMessage(await disableAccount(deps, requireUser(call), parseRequest(accountSchema, request))),
    }),
    enableAccount: async (request, call) => ({
      account: toAccountMessage(await enableAccount(deps, requireUser(call), parseRequest(accountSchema, request))),
    }),
    rotateSigningKey: (request, call) => rotateSigningKey(deps, requireUser(call), parseRequest(rotateSigningKeySchema, request)),
  };
}

export function internalAuthHandlers(deps: Pick<AuthDeps, 'revocationWatch'>): Handlers<InternalAuthServiceService> {
  return {
    // Ends before the deadline would end it as a failure; the follower comes again at once.
    watchRevocations: (_request, call) => {
      const enough = AbortSignal.timeout(Math.max(0, Math.floor((call.deadline - Date.now()) * 0.95)));
      return toRevocationsMessages(watchRevocations(deps, AbortSignal.any([call.signal, enough])));
    },
  };
}
