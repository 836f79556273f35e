import { randomBytes } from 'node:crypto';
import { accessTokenRules } from '#libs/grpc';
import type { Clock } from '#libs/runtime';
import { SignJWT } from 'jose';
import type { AccessTokenIssuer } from '../deps.ts';
import type { SigningKeyRing } from './signing-key-ring.ts';

const lifetimeSeconds = 600;

/** Signs access tokens; every service checks them by itself with the published keys. */
export function createAccessTokenIssuer({ keys, clock }: { keys: Pick<SigningKeyRing, 'getActive'>; clock: Clock }): AccessTokenIssuer {
  const { issuer, audience, typ, algorithm: alg } = accessTokenRules;
  return {
    issue: async ({ accountId, role, sessionId }) => {
      const { kid, privateKey } = await keys.getActive();
      const issueTime = Math.floor(clock.now().getTime() / 1000);
      const expireTime = issueTime + lifetimeSeconds;
      const token = await new SignJWT({ sid: sessionId, role })
        .setProtectedHeader({ alg, typ, kid })
        .setIssuer(issuer)
        .setAudience(audience)
        .setSubject(accountId)
        .setIssuedAt(issueTime)
        .setExpirationTime(expireTime)
        .setJti(randomBytes(16).toString('base64url'))
        .sign(privateKey);
      return { token, expireTime: new Date(expireTime * 1000) };
    },
  };
}
