import { generateKeyPairSync } from 'node:crypto';
import { InternalAuthServiceService, type GetMailResponse } from '#contract/auth/v1/auth';
import { waitUntil } from '#dev/cluster';
import { createClient } from '#libs/grpc';
import { createServiceIdentity } from '#libs/identity';
import { createLogger, createMetrics } from '#libs/runtime';
import type { AuthConfig } from '../src/config.ts';
import { afterTest, startAuth, type TestAuth, type TestAuthOptions } from './start-auth.ts';

const { privateKey, publicKey } = generateKeyPairSync('ed25519');
const identity = createServiceIdentity({
  service: 'scheduler',
  privateKey: privateKey.export({ format: 'jwk' }) as AuthConfig['serviceKey'],
});

export const recovery: AuthConfig['recovery'] = {
  sendsMail: true,
  resetLifetimeMs: 15 * 60_000,
  verificationLifetimeMs: 24 * 3_600_000,
  mailsPerHour: 5,
  unverifiedMaySignIn: true,
};

/** The service with mail. Nobody sends it: the tests ask as the scheduler what mails say. */
export function startWithMail({ config, ...options }: TestAuthOptions = {}): Promise<TestAuth> {
  const servicePublicKeys = {
    keys: [{ ...publicKey.export({ format: 'jwk' }), kid: 'scheduler' }],
  } as AuthConfig['servicePublicKeys'];
  return startAuth({ ...options, config: { servicePublicKeys, recovery, ...config } });
}

type Kind =
  'password_reset' | 'email_verification' | 'invitation' | 'account_created' | 'account_recovered' | 'password_changed';

/** The ids of the mails to an address, oldest first. */
export async function listMails(
  { sql }: Pick<TestAuth, 'sql'>,
  email: string,
  kind: Kind | 'email_changed' | 'email_change_requested' | 'account_deleted',
): Promise<string[]> {
  const rows = await sql<{ id: string }>(
    'select id from mails where email = $1 and kind = $2 order by create_time, id',
    [email, kind],
  );
  return rows.map(({ id }) => id);
}

/** What a mail says; asked as the scheduler does when it sends it. */
export async function readMail({ app }: Pick<TestAuth, 'app'>, mailId: string): Promise<GetMailResponse> {
  const { client, close } = createClient(InternalAuthServiceService, {
    callee: 'auth',
    address: `127.0.0.1:${app.grpcPort}`,
    identity,
    metrics: createMetrics('scheduler'),
    logger: createLogger({ service: 'scheduler', level: 'fatal' }),
  });
  afterTest(async () => close());
  return client.getMail({ mailId });
}

/** The token of the newest mail to an address, once there are as many as `count`. */
export async function tokenFor(service: TestAuth, email: string, kind: Kind, count = 1): Promise<string> {
  const ids = await waitUntil(
    () => listMails(service, email, kind),
    (mails) => mails.length >= count,
  );
  return (await readMail(service, ids.at(-1) ?? '')).token;
}

/** Waits until the wishes that were recorded have been carried out. */
export async function untilCarriedOut({ sql }: Pick<TestAuth, 'sql'>): Promise<void> {
  await waitUntil(
    () => sql(`select 1 from outbox where kind = 'carry-out-wish'`),
    (rows) => rows.length === 0,
  );
}
