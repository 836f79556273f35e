import { randomBytes } from 'node:crypto';
import type { HandOverMailRequest } from '#contract/scheduler/v1/mails';
import { InternalMailsServiceService } from '#contract/scheduler/v1/mails';
import { InternalUsersServiceService, NotificationChannel, Role } from '#contract/users/v1/users';
import { readServiceKey, waitUntil, type ClusterOptions } from '#dev/cluster';
import { startMailServer, type ReceivedMail, type TestMailServer, type TestMailServerOptions } from '#dev/testing';
import { createServiceIdentity } from '#libs/identity';
import { openStub } from '#dev/stubs';
import { startSchedulerCluster, type SchedulerCluster, type TestUser } from './start-cluster.ts';

/** Somebody who reads mail. */
export interface MailUser extends TestUser {
  email: string;
}

export interface MailCluster extends SchedulerCluster {
  server: TestMailServer;
  /** A new user with a verified address who wants mails, and nothing else unless `channels` says so. */
  newReader(displayName: string, channels?: NotificationChannel[]): Promise<MailUser>;
  /** Tells users of the account what auth would tell. */
  setAccount(user: MailUser, account: { emailVerified: boolean; enabled?: boolean }): Promise<void>;
  handOver(mail: HandOverMailRequest): Promise<unknown>;
  /** Everything that was accepted for the user. */
  mailsOf(user: MailUser): ReceivedMail[];
  /** The user's mails once there are that many. */
  untilMails(user: MailUser, count: number): Promise<ReceivedMail[]>;
  /** The rows of the user's mails. */
  rowsOf(user: MailUser): Promise<MailRow[]>;
}

export interface MailRow {
  id: string;
  state: string;
  attempts: number;
  code: number | null;
  error: string;
}

const rowsText = `
  select id, state, attempts, last_code as code, last_error as error from mails where recipient_id = $1 order by create_time, id`;

/** All services as processes of their own, and a mail server in this one. */
export async function startMailCluster(
  options: Partial<ClusterOptions> = {},
  serverOptions: TestMailServerOptions = {},
): Promise<MailCluster> {
  const server = await startMailServer(serverOptions);
  const service = await startSchedulerCluster({
    ...options,
    env: {
      TASKFLOW_SCHEDULER_SWEEP_INTERVAL_MS: '3600000',
      TASKFLOW_MAIL: 'smtp',
      TASKFLOW_SCHEDULER_SMTP_URL: server.url,
      TASKFLOW_SCHEDULER_SMTP_AUTHORITY: server.authority,
      TASKFLOW_SCHEDULER_MAIL_SENDER: 'TaskFlow <taskflow@mail.example.com>',
      TASKFLOW_SCHEDULER_MAIL_SITE_URL: 'https://tasks.example.com/',
      TASKFLOW_SCHEDULER_MAIL_UNSUBSCRIBE_ADDRESS: 'stop@mail.example.com',
      TASKFLOW_SCHEDULER_MAIL_RETRY_MS: '200',
      ...options.env,
    },
    // The tests hand mails over in place of auth, which would send its own to everybody that they register.
    serviceEnv: { ...options.serviceEnv, auth: { TASKFLOW_MAIL: 'off', ...options.serviceEnv?.auth } },
  });
  const { cluster } = service;
  const users = openStub(InternalUsersServiceService, cluster.address('users'));
  const mails = openStub(InternalMailsServiceService, cluster.address('scheduler'));
  const auth = createServiceIdentity({ service: 'auth', privateKey: readServiceKey(cluster.dir, 'auth') });
  const asAuth = async (callee: 'users' | 'scheduler') => ({
    metadata: { 'x-taskflow-service': await auth.tokenFor(callee) },
  });
  let version = 1_000n;
  const setAccount: MailCluster['setAccount'] = async ({ userId, email }, { emailVerified, enabled = true }) => {
    version += 1n;
    const account = { role: Role.USER, displayName: 'Ada', accountVersion: version, accountCreateTime: new Date() };
    await users.upsertProfile({ userId, email, emailVerified, enabled, ...account }, await asAuth('users'));
  };
  const mailsOf = ({ email }: MailUser) => server.accepted.filter(({ recipients }) => recipients.includes(email));
  return {
    ...service,
    server,
    setAccount,
    newReader: async (displayName, channels = [NotificationChannel.EMAIL]) => {
      const user = { ...(await service.newUser(displayName)), email: `${randomBytes(6).toString('hex')}@example.com` };
      await setAccount(user, { emailVerified: true });
      await service.choose(user, { channels });
      return user;
    },
    handOver: async (mail) => mails.handOverMail(mail, await asAuth('scheduler')),
    mailsOf,
    untilMails: (user, count) =>
      waitUntil(
        () => mailsOf(user),
        (all) => all.length >= count,
      ),
    rowsOf: ({ userId }) => service.sql<MailRow>(rowsText, [userId]),
    stop: async () => {
      users.close();
      mails.close();
      await service.stop();
      await server.stop();
    },
  };
}
