import { randomBytes } from 'node:crypto';
import { accessTokenRules } from '#libs/identity';
import { SignJWT } from 'jose';
import type { AccessTokenIssuer } from '../deps.ts';
import { accessTokenLifetimeMs } from '../domain/revocation.entity.ts';
import type { SigningKeyRing } from './signing-key-ring.ts';

const lifetimeSeconds = accessTokenLifetimeMs / 1000;

/** Signs access tokens; every service checks them by itself with the published keys. */
export function createAccessTokenIssuer({ keys }: { keys: Pick<SigningKeyRing, 'getActive'> }): AccessTokenIssuer {
  const { issuer, audience, typ, algorithm: alg } = accessTokenRules;
  return {
    issue: async ({ accountId, role, sessionId, issueTime }) => {
      const { kid, privateKey } = await keys.getActive();
      const issuedAt = Math.floor(issueTime.getTime() / 1000);
      const expireTime = issuedAt + lifetimeSeconds;
      const token = await new SignJWT({ sid: sessionId, role })
        .setProtectedHeader({ alg, typ, kid })
        .setIssuer(issuer)
        .setAudience(audience)
        .setSubject(accountId)
        .setIssuedAt(issuedAt)
        .setExpirationTime(expireTime)
        .setJti(randomBytes(16).toString('base64url'))
        .sign(privateKey);
      return { token, expireTime: new Date(expireTime * 1000) };
    },
  };
}
