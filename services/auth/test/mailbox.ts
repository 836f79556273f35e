import { generateKeyPairSync, randomUUID } from 'node:crypto';
import { InternalAuthServiceService, type GetMailResponse } from '#contract/auth/v1/auth';
import { waitUntil } from '#dev/cluster';
import { createClient } from '#libs/grpc';
import { createServiceIdentity } from '#libs/identity';
import { createLogger, createMetrics } from '#libs/runtime';
import type { AuthConfig } from '../src/config.ts';
import { afterTest, startAuth, type TestAuth, type TestAuthOptions } from './start-auth.ts';

type Caller = 'scheduler' | 'tasks';
const keys = { scheduler: generateKeyPairSync('ed25519'), tasks: generateKeyPairSync('ed25519') };
const identityOf = (service: Caller) =>
  createServiceIdentity({
    service,
    privateKey: keys[service].privateKey.export({ format: 'jwk' }) as AuthConfig['serviceKey'],
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
    keys: Object.entries(keys).map(([kid, { publicKey }]) => ({ ...publicKey.export({ format: 'jwk' }), kid })),
  } as AuthConfig['servicePublicKeys'];
  return startAuth({ ...options, config: { servicePublicKeys, recovery, ...config } });
}

type Kind =
  | 'password_reset'
  | 'email_verification'
  | 'invitation'
  | 'project_invitation'
  | 'account_created'
  | 'account_recovered'
  | 'password_changed';

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

/** Calls the service as another one does. */
function clientOf({ app }: Pick<TestAuth, 'app'>, caller: Caller) {
  const { client, close } = createClient(InternalAuthServiceService, {
    callee: 'auth',
    address: `127.0.0.1:${app.grpcPort}`,
    identity: identityOf(caller),
    metrics: createMetrics(caller),
    logger: createLogger({ service: caller, level: 'fatal' }),
  });
  afterTest(async () => close());
  return client;
}

/** What a mail says; asked as the scheduler does when it sends it. */
export const readMail = (service: Pick<TestAuth, 'app'>, mailId: string): Promise<GetMailResponse> =>
  clientOf(service, 'scheduler').getMail({ mailId });

/** Has an invitation to a project mailed, as tasks does. */
export async function mailInvitation(
  service: Pick<TestAuth, 'app'>,
  fields: { invitationId: string; email: string },
): Promise<void> {
  const ids = { mailId: randomUUID(), projectId: randomUUID(), inviterId: randomUUID() };
  const expireTime = new Date(Date.now() + 7 * 24 * 3_600_000);
  await clientOf(service, 'tasks').mailProjectInvitation({ ...ids, ...fields, expireTime });
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
