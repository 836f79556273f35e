import { randomBytes } from 'node:crypto';
import { decodeJwt } from 'jose';
import type {
  CreatePasswordResetResponse,
  CreatePersonalTokenResponse,
  GetMailResponse,
  InviteUserResponse,
  LoginResponse,
  RegisterResponse,
} from '#contract/auth/v1/auth';
import {
  Webhook,
  WebhookMessageType,
  type CreateWebhookResponse,
  type ListWebhooksResponse,
  type TestWebhookResponse,
} from '#contract/scheduler/v1/notifications';
import type { Schedule } from '#contract/scheduler/v1/scheduler';
import {
  Project,
  ProjectRole,
  type CreateProjectResponse,
  type InviteMemberResponse,
  type ListProjectsResponse,
} from '#contract/tasks/v1/projects';
import { Task, type CreateTaskResponse } from '#contract/tasks/v1/tasks';
import { toScopeMessage, tokenScopes, type MethodPolicy, type ServiceName, type TokenScope } from '#libs/contract';
import {
  queryDatabase,
  readServiceKey,
  startCluster,
  testPostgresUrl,
  testRedisUrl,
  waitUntil,
  type Cluster,
  type ClusterOptions,
} from '#dev/cluster';
import { createServiceIdentity } from '#libs/identity';
import { openWire, serviceOf, untilOutcome, type Credentials, type Wire } from './wire.ts';

/** A person with an account; password and e-mail are the current ones. */
export interface Person {
  id: string;
  email: string;
  password: string;
  token: string;
  refreshToken: string;
}

/** A whole cluster and people to call it as. */
export interface TestCluster {
  cluster: Cluster;
  wire: Wire;
  admin: Person;
  /** Registers a person and waits until every service knows them. */
  register(): Promise<Person>;
  /** Registers a person. Users may not know them yet. */
  registerAccount(): Promise<Person>;
  /** Another session of a person; its id and refresh token. */
  openSession(person: Person): Promise<{ sessionId: string; token: string; refreshToken: string }>;
  createTask(owner: Person, assignee?: Person): Promise<Task>;
  /** The id of a new invitation to a project. */
  inviteMember(manager: Person, projectId: string, email?: string): Promise<string>;
  /** An invitation of an e-mail to the only project of a person, and the token of its mail. */
  inviteToProject(manager: Person, email?: string): Promise<{ projectId: string; invitationId: string; token: string }>;
  /** The only project of a person who manages it, with somebody else as a viewer. */
  createProject(manager: Person, viewer?: Person): Promise<Project>;
  /** Its id. */
  createSchedule(schedule: Schedule): Promise<string>;
  /** The id of a new invitation. */
  inviteSomebody(): Promise<string>;
  /** The token of a new reset of an account. */
  createPasswordReset(accountId: string): Promise<string>;
  /** The last mail to an e-mail, else that which verifies the e-mail of a new account; and its token. */
  mailVerification(to?: string): Promise<{ mailId: string; token: string }>;
  /** A personal token of a person, with every scope but admin unless others are named. */
  createPersonalToken(owner: Person, scopes?: readonly TokenScope[]): Promise<{ id: string; token: string }>;
  /** The person's only webhook, and a delivery of it. */
  createWebhook(owner: Person): Promise<{ webhookId: string; deliveryId: string }>;
  /** What proves to be somebody who may call the method: a service, an administrator, or the person. */
  credentialsFor(policy: MethodPolicy, person: Person): Promise<Credentials>;
  /** The token that one service presents to another. */
  serviceToken(caller: ServiceName, callee: ServiceName): Promise<string>;
  stop(): Promise<void>;
}

const authPath = (method: string): string => `/taskflow.auth.v1.AuthService/${method}`;

export const newEmail = (): string => `${randomBytes(8).toString('hex')}@example.com`;
/** With a capital letter, so that it is no valid id: ids of schedules may be logged. */
export const newPassword = (): string => `K${randomBytes(12).toString('hex')}`;

/** Calls that the test itself needs must succeed. */
export async function mustCall<Res>(wire: Wire, path: string, request: object, token?: string): Promise<Res> {
  const { error, response } = await wire.call(path, request, { token });
  if (error !== undefined) throw error;
  return response as Res;
}

function toPerson(
  response: LoginResponse | RegisterResponse,
  { email, password }: { email: string; password: string },
): Person {
  return {
    id: response.account?.id ?? '',
    email,
    password,
    token: response.tokens?.accessToken ?? '',
    refreshToken: response.tokens?.refreshToken ?? '',
  };
}

/** All services as processes of their own; sweeps only run when asked for. */
export async function startTestCluster(options: Partial<ClusterOptions> = {}): Promise<TestCluster> {
  const cluster = await startCluster({
    postgresAdminUrl: testPostgresUrl(),
    redisUrl: testRedisUrl(),
    copyDatabases: true,
    ports: 'free',
    env: { TASKFLOW_SCHEDULER_SWEEP_INTERVAL_MS: '3600000' },
    ...options,
    // As in most installations. The scheduler of such a test has no mail server to send them to.
    serviceEnv: {
      ...options.serviceEnv,
      auth: { TASKFLOW_MAIL: 'smtp', TASKFLOW_AUTH_MAILS_PER_HOUR: '1000', ...options.serviceEnv?.auth },
      tasks: { TASKFLOW_MAIL: 'smtp', ...options.serviceEnv?.tasks },
    },
  });
  const wire = openWire(cluster);
  const signIn = async (who: { email: string; password: string }) =>
    toPerson(await mustCall<LoginResponse>(wire, authPath('Login'), who), who);
  // On a busy machine auth answers before users has the profile. Nobody can be assigned to before.
  const withProfile = async (person: Person): Promise<Person> => {
    await untilOutcome(() => wire.call('/taskflow.users.v1.UsersService/GetMe', {}, { token: person.token }));
    return person;
  };
  const registerAccount = async (): Promise<Person> => {
    const who = { email: newEmail(), password: newPassword() };
    return toPerson(await mustCall<RegisterResponse>(wire, authPath('Register'), { ...who, displayName: 'Ada' }), who);
  };
  const serviceToken: TestCluster['serviceToken'] = (caller, callee) =>
    createServiceIdentity({ service: caller, privateKey: readServiceKey(cluster.dir, caller) }).tokenFor(callee);
  const getMail = async (mailId: string): Promise<{ mailId: string; token: string }> => {
    const path = '/taskflow.auth.v1.InternalAuthService/GetMail';
    const { error, response } = await wire.call(
      path,
      { mailId },
      { serviceToken: await serviceToken('scheduler', 'auth') },
    );
    if (error !== undefined) throw error;
    return { mailId, token: (response as GetMailResponse).token };
  };
  const findMails = async (condition: string, value: string): Promise<string[]> => {
    const text = `select id from mails where ${condition} = $1 order by create_time desc limit 1`;
    return (await queryDatabase<{ id: string }>(cluster.databaseUrl('auth'), text, [value])).map(({ id }) => id);
  };
  const createProject: TestCluster['createProject'] = async (manager, viewer) => {
    const path = (method: string): string => `/taskflow.tasks.v1.ProjectsService/${method}`;
    const { projects } = await mustCall<ListProjectsResponse>(wire, path('ListProjects'), {}, manager.token);
    for (const { id } of projects) await wire.call(path('DeleteProject'), { projectId: id }, { token: manager.token });
    const project = Project.fromPartial({ key: 'WEB', name: 'Website' });
    const created = await mustCall<CreateProjectResponse>(wire, path('CreateProject'), { project }, manager.token);
    const projectId = created.project?.id ?? '';
    if (viewer !== undefined && viewer.id !== manager.id) {
      const person = { $case: 'userId', value: viewer.id };
      await mustCall(wire, path('AddMember'), { projectId, person, role: ProjectRole.VIEWER }, manager.token);
    }
    return created.project as Project;
  };
  const inviteMember: TestCluster['inviteMember'] = async (manager, projectId, email = newEmail()) => {
    const path = '/taskflow.tasks.v1.ProjectsService/InviteMember';
    const request = { projectId, email, role: ProjectRole.EDITOR };
    const { invitation } = await mustCall<InviteMemberResponse>(wire, path, request, manager.token);
    return invitation?.id ?? '';
  };
  const admin = await signIn({ email: cluster.admin.email, password: cluster.admin.password });
  return {
    cluster,
    wire,
    admin,
    register: async () => withProfile(await registerAccount()),
    registerAccount,
    openSession: async (person) => {
      const { token, refreshToken } = await signIn(person);
      return { sessionId: String(decodeJwt(token)['sid']), token, refreshToken };
    },
    createTask: async (owner, assignee) => {
      const task = Task.fromPartial({ title: 'Water the plants', assigneeId: assignee?.id ?? '' });
      const created = await mustCall<CreateTaskResponse>(
        wire,
        '/taskflow.tasks.v1.TasksService/CreateTask',
        { task },
        owner.token,
      );
      return created.task as Task;
    },
    createProject,
    inviteMember,
    inviteToProject: async (manager, email = newEmail()) => {
      const projectId = (await createProject(manager)).id;
      const invitationId = await inviteMember(manager, projectId, email);
      const [mailId = ''] = await waitUntil(
        () => findMails('subject_id', invitationId),
        (mails) => mails.length > 0,
      );
      return { projectId, invitationId, token: (await getMail(mailId)).token };
    },
    createSchedule: async (schedule) => {
      await mustCall(wire, '/taskflow.scheduler.v1.SchedulerService/CreateSchedule', { schedule }, admin.token);
      return schedule.id;
    },
    inviteSomebody: async () => {
      const { invitation } = await mustCall<InviteUserResponse>(
        wire,
        authPath('InviteUser'),
        { email: newEmail() },
        admin.token,
      );
      return invitation?.id ?? '';
    },
    createPasswordReset: async (accountId) =>
      (await mustCall<CreatePasswordResetResponse>(wire, authPath('CreatePasswordReset'), { accountId }, admin.token))
        .token,
    mailVerification: async (to) => getMail((await findMails('email', to ?? (await registerAccount()).email))[0] ?? ''),
    createPersonalToken: async (owner, scopes = tokenScopes.filter((scope) => scope !== 'admin')) => {
      const request = { name: 'a program', scopes: scopes.map(toScopeMessage), ttl: { seconds: 3600n, nanos: 0 } };
      const { personalToken, token } = await mustCall<CreatePersonalTokenResponse>(
        wire,
        authPath('CreatePersonalToken'),
        request,
        owner.token,
      );
      return { id: personalToken?.id ?? '', token };
    },
    createWebhook: async ({ token }) => {
      const path = (method: string): string => `/taskflow.scheduler.v1.NotificationsService/${method}`;
      const { webhooks } = await mustCall<ListWebhooksResponse>(wire, path('ListWebhooks'), {}, token);
      for (const { id } of webhooks) await mustCall(wire, path('DeleteWebhook'), { webhookId: id }, token);
      const events = [WebhookMessageType.TASK_DELETED];
      const webhook = Webhook.fromPartial({ url: 'https://hooks.invalid/hook', events });
      const { webhook: created } = await mustCall<CreateWebhookResponse>(
        wire,
        path('CreateWebhook'),
        { webhook },
        token,
      );
      const webhookId = created?.id ?? '';
      const { deliveryId } = await mustCall<TestWebhookResponse>(wire, path('TestWebhook'), { webhookId }, token);
      return { webhookId, deliveryId };
    },
    credentialsFor: async ({ access, callers: [caller], path }, { token }) =>
      access === 'service'
        ? { serviceToken: caller && (await serviceToken(caller, serviceOf(path))) }
        : { token: access === 'admin' ? admin.token : token },
    serviceToken,
    stop: async () => {
      wire.close();
      await cluster.stop();
    },
  };
}
