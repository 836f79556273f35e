import type { AuthServiceService } from '#contract/auth/v1/auth';
import { parseRequest } from '#libs/errors';
import type { Handlers } from '#libs/grpc';
import type { AuthDeps } from '../deps.ts';
import { getJwks } from '../use-cases/get-jwks.ts';
import { login } from '../use-cases/login.ts';
import { logout } from '../use-cases/logout.ts';
import { refreshSession } from '../use-cases/refresh-session.ts';
import { register } from '../use-cases/register.ts';
import { toAccountMessage, toClientInfo, toJwksMessage, toTokenPair } from './auth.mapper.ts';
import { loginSchema, logoutSchema, refreshSessionSchema, registerSchema } from './auth.schemas.ts';

export function authHandlers(deps: AuthDeps): Handlers<AuthServiceService> {
  return {
    register: async (request, call) => {
      const { account, tokens } = await register(deps, parseRequest(registerSchema, request), toClientInfo(call));
      return { account: toAccountMessage(account), tokens: toTokenPair(tokens) };
    },
    login: async (request, call) => {
      const { account, tokens } = await login(deps, parseRequest(loginSchema, request), toClientInfo(call));
      return { account: toAccountMessage(account), tokens: toTokenPair(tokens) };
    },
    refreshSession: async (request) => {
      const tokens = await refreshSession(deps, parseRequest(refreshSessionSchema, request).refreshToken);
      return { tokens: toTokenPair(tokens) };
    },
    logout: async (request) => {
      await logout(deps, parseRequest(logoutSchema, request).refreshToken);
      return {};
    },
    getJwks: async () => toJwksMessage(await getJwks(deps)),
  };
}
