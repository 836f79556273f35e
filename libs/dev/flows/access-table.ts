import { randomBytes, randomUUID } from 'node:crypto';
import { type AuditServiceService } from '#contract/audit/v1/audit';
import { type AuthServiceService, type InternalAuthServiceService, Role } from '#contract/auth/v1/auth';
import { type ExportServiceService } from '#contract/export/v1/export';
import { Scope } from '#contract/policy/v1/policy';
import { type BreakersServiceService, BreakerState } from '#contract/resilience/v1/resilience';
import { MailKind, type InternalMailsServiceService } from '#contract/scheduler/v1/mails';
import { Schedule, ScheduleJob, type SchedulerServiceService } from '#contract/scheduler/v1/scheduler';
import {
  type InternalNotificationsServiceService,
  type NotificationsServiceService,
  Webhook,
} from '#contract/scheduler/v1/notifications';
import { type ServerInfoServiceService } from '#contract/server/v1/server';
import type { InternalReadersServiceService } from '#contract/tasks/v1/readers';
import {
  CreateTaskRequest,
  DeleteTaskRequest,
  type InternalTasksServiceService,
  Task,
  type TasksServiceService,
  UpdateTaskRequest,
} from '#contract/tasks/v1/tasks';
import { type InternalUsersServiceService, User, type UsersServiceService } from '#contract/users/v1/users';
import { deadJob, deadLetterEvent, finishedJob } from './job-records.ts';
import { everybody, foreignList, newAccount, type Call, type Row, type Rows } from './access-rows.ts';
import { commentRows } from './comment-rows.ts';
import { internalProjectRows, projectRows } from './project-rows.ts';
import { newEmail, newPassword, type Person } from './test-cluster.ts';

export { registerPeople, type Call, type People, type Relation, type Row } from './access-rows.ts';

const foreignTask = 'NOT_FOUND/TASK_NOT_FOUND';
const foreignUser = 'NOT_FOUND/USER_NOT_FOUND';
const onlyOneself = { owner: 'OK', assignee: foreignUser, other: foreignUser, admin: 'OK' };
const onlyOwnLists = { owner: 'OK', assignee: foreignList, other: foreignList, admin: 'OK' };
const seenByBoth = { owner: 'OK', assignee: 'OK', other: foreignTask, admin: 'OK' };
const changedByOwner = { owner: 'OK', assignee: 'PERMISSION_DENIED/NOT_OWNER', other: foreignTask, admin: 'OK' };
const foreignSession = 'NOT_FOUND/SESSION_NOT_FOUND';

const foreignToken = 'NOT_FOUND/PERSONAL_TOKEN_NOT_FOUND';
const onlyOwnToken = { owner: 'OK', assignee: foreignToken, other: foreignToken, admin: 'OK' };

const nothing = (): object => ({});
const newTask = ({ testCluster, people }: Call): Promise<Task> => testCluster.createTask(people.owner, people.assignee);

const auth: Rows<typeof AuthServiceService> = {
  Register: { request: () => ({ email: newEmail(), password: newPassword(), displayName: 'Grace' }) },
  Login: { request: ({ caller: { email, password } }) => ({ email, password }) },
  RefreshSession: {
    request: async ({ testCluster, caller }) => ({
      refreshToken: (await testCluster.openSession(caller)).refreshToken,
    }),
  },
  Logout: { request: () => ({ refreshToken: 'nobody-has-this' }) },
  RequestPasswordReset: { request: ({ caller: { email } }) => ({ email }) },
  ResetPassword: {
    request: async (call) => ({
      token: await call.testCluster.createPasswordReset(await newAccount(call)),
      newPassword: newPassword(),
    }),
  },
  RequestEmailVerification: { request: ({ caller: { email } }) => ({ email }) },
  VerifyEmail: { request: async ({ testCluster }) => ({ token: (await testCluster.mailVerification()).token }) },
  GetJwks: { request: nothing },
  ListSessions: { request: nothing, answers: everybody },
  RevokeSession: {
    request: async ({ testCluster, people }) => ({
      sessionId: (await testCluster.openSession(people.owner)).sessionId,
    }),
    answers: { owner: 'OK', assignee: foreignSession, other: foreignSession, admin: foreignSession },
  },
  RevokeOtherSessions: { request: nothing, answers: everybody },
  ChangePassword: { request: ({ caller }) => changePassword(caller), answers: everybody },
  ChangeEmail: { request: ({ caller }) => changeEmail(caller), answers: everybody },
  CreateAccount: {
    request: () => ({ email: newEmail(), displayName: 'Grace', role: Role.USER, password: newPassword() }),
  },
  SetRole: { request: async (call) => ({ accountId: await newAccount(call), role: Role.USER }) },
  DisableAccount: { request: async (call) => ({ accountId: await newAccount(call) }) },
  EnableAccount: { request: async (call) => ({ accountId: await newAccount(call) }) },
  DeleteAccount: {
    request: async (call) => ({ accountId: await newAccount(call) }),
    answers: { owner: foreignList, assignee: foreignList, other: foreignList, admin: 'OK' },
  },
  UndeleteAccount: { request: async (call) => ({ accountId: await newAccount(call) }) },
  ReclaimAccount: { request: ({ caller: { email, password } }) => ({ email, password }) },
  CreatePasswordReset: { request: async (call) => ({ accountId: await newAccount(call) }) },
  InviteUser: { request: () => ({ email: newEmail() }) },
  ListInvitations: { request: nothing },
  RevokeInvitation: { request: async ({ testCluster }) => ({ invitationId: await testCluster.inviteSomebody() }) },
  AcceptProjectInvitation: {
    request: async ({ testCluster, people, caller }) => ({
      token: (await testCluster.inviteToProject(people.owner, caller.email)).token,
    }),
    answers: everybody,
  },
  CreateServiceAccount: { request: () => ({ displayName: 'Backup' }) },
  CreatePersonalToken: {
    request: () => ({ name: 'backup', scopes: [Scope.TASKS_READ], ttl: { seconds: 3600n, nanos: 0 } }),
    answers: everybody,
  },
  ListPersonalTokens: { request: nothing, answers: everybody },
  RevokePersonalToken: {
    request: async ({ testCluster, people }) => ({
      personalTokenId: (await testCluster.createPersonalToken(people.owner)).id,
    }),
    answers: onlyOwnToken,
  },
  GetCaller: { request: nothing, answers: everybody },
  RotateSigningKey: { request: nothing },
};

const internalAuth: Rows<typeof InternalAuthServiceService> = {
  WatchRevocations: { request: nothing },
  GetMail: { request: async ({ testCluster }) => ({ mailId: (await testCluster.mailVerification()).mailId }) },
  MailProjectInvitation: {
    request: () => ({
      invitationId: randomUUID(),
      mailId: randomUUID(),
      projectId: randomUUID(),
      inviterId: randomUUID(),
      email: newEmail(),
      expireTime: new Date(Date.now() + 3_600_000),
    }),
  },
  BatchGetInvitees: { request: () => ({ invitationIds: [randomUUID()] }) },
  CheckPersonalToken: { request: () => ({ tokenHash: randomBytes(32) }) },
};

/** The person goes on with the new one, so that later calls can sign in. */
function changePassword(person: Person): object {
  const currentPassword = person.password;
  person.password = newPassword();
  return { currentPassword, newPassword: person.password };
}

/** It stays the old one, since nobody verifies the new one. */
const changeEmail = ({ password }: Person): object => ({ currentPassword: password, newEmail: newEmail() });

const users: Rows<typeof UsersServiceService> = {
  GetMe: { request: nothing, answers: everybody },
  GetUser: { request: ({ people }) => ({ userId: people.owner.id }), answers: onlyOneself },
  UpdateUser: {
    request: ({ people }) => ({
      user: User.fromPartial({ id: people.owner.id, displayName: 'Ada' }),
      updateMask: ['display_name'],
    }),
    answers: onlyOneself,
  },
  FindUser: {
    request: ({ people }) => ({ email: people.owner.email }),
    answers: { owner: 'OK', assignee: foreignUser, other: foreignUser, admin: 'OK' },
  },
  ListUsers: { request: nothing },
};

const internalUsers: Rows<typeof InternalUsersServiceService> = {
  UpsertProfile: {
    request: ({ people: { owner } }) => ({
      userId: owner.id,
      email: owner.email,
      role: Role.USER,
      enabled: true,
      displayName: 'Ada',
      accountVersion: 1n,
      accountCreateTime: new Date(),
    }),
  },
  BatchGetUsers: { request: ({ people }) => ({ userIds: [people.owner.id] }) },
  BatchFindUsers: {
    request: ({ people: { owner } }) => ({ callerId: owner.id, callerRole: Role.USER, emails: [owner.email] }),
  },
  BatchGetNotificationSettings: { request: ({ people }) => ({ userIds: [people.owner.id] }) },
  DeleteProfile: { request: () => ({ userId: randomUUID() }) },
};

const newTitle = async (call: Call): Promise<UpdateTaskRequest> => {
  const { id } = await newTask(call);
  return UpdateTaskRequest.fromPartial({ task: { id, title: 'Sell milk' }, updateMask: ['title'] });
};
const oneTask = async (call: Call): Promise<{ taskId: string }> => ({ taskId: (await newTask(call)).id });
const oneOfTasks = async (call: Call): Promise<object> => ({ taskIds: [(await newTask(call)).id] });

const tasks: Rows<typeof TasksServiceService> = {
  StartWatchingTask: {
    request: async (call) => ({ taskId: (await newTask(call)).id }),
    answers: { ...seenByBoth, admin: 'FAILED_PRECONDITION/CANNOT_WATCH' },
  },
  StopWatchingTask: { request: async (call) => ({ taskId: (await newTask(call)).id }), answers: seenByBoth },
  ListTaskWatchers: { request: async (call) => ({ taskId: (await newTask(call)).id }), answers: seenByBoth },
  CreateTask: { request: () => ({ task: Task.fromPartial({ title: 'Buy milk' }) }), answers: everybody },
  GetTask: { request: oneTask, answers: seenByBoth },
  ListTasks: { request: ({ people }) => ({ ownerId: people.owner.id }), answers: onlyOwnLists },
  UpdateTask: { request: newTitle, answers: changedByOwner },
  DeleteTask: { request: oneTask, answers: changedByOwner },
  UndeleteTask: { request: oneTask, answers: changedByOwner },
  MoveTask: {
    request: async (call) => ({
      ...(await oneTask(call)),
      projectId: (await call.testCluster.createProject(call.people.owner)).id,
    }),
    answers: changedByOwner,
  },
  ReorderTask: {
    request: async (call) => ({
      ...(await oneTask(call)),
      place: { $case: 'beforeTaskId', value: (await newTask(call)).id },
    }),
    answers: {
      ...changedByOwner,
      owner: 'FAILED_PRECONDITION/TASK_NOT_IN_PROJECT',
      admin: 'FAILED_PRECONDITION/TASK_NOT_IN_PROJECT',
    },
  },
  GetTaskStats: { request: ({ people }) => ({ ownerId: people.owner.id }), answers: onlyOwnLists },
  BatchGetTasks: { request: oneOfTasks, answers: seenByBoth },
  BatchCreateTasks: {
    request: () => ({ requests: [CreateTaskRequest.fromPartial({ task: { title: 'Buy milk' } })] }),
    answers: everybody,
  },
  BatchUpdateTasks: { request: async (call) => ({ requests: [await newTitle(call)] }), answers: changedByOwner },
  BatchDeleteTasks: {
    request: async (call) => ({ requests: [DeleteTaskRequest.fromPartial(await oneTask(call))] }),
    answers: changedByOwner,
  },
  ListTaskEvents: { request: oneTask, answers: seenByBoth },
  WatchTasks: { request: nothing, answers: everybody },
  SyncTasks: { request: nothing, answers: everybody },
};

const internalTasks: Rows<typeof InternalTasksServiceService> = {
  BatchCheckReaders: { request: () => ({ checks: [{ taskId: randomUUID(), userId: randomUUID(), commentId: '' }] }) },
  SweepOverdue: { request: nothing },
  PullEvents: { request: () => ({ pageSize: 1 }) },
  BatchGetTaskStates: { request: oneOfTasks },
  BatchCheckSharing: { request: ({ people }) => ({ userId: people.owner.id, otherUserIds: [people.assignee.id] }) },
  ExplainDue: { request: oneTask },
  DeleteUserTasks: { request: () => ({ userId: randomUUID() }) },
};

const internalReaders: Rows<typeof InternalReadersServiceService> = {
  FindReaderPosition: { request: ({ people }) => ({ userId: people.owner.id }) },
  PullReaderEvents: {
    request: ({ people }) => ({
      userId: people.owner.id,
      after: { incarnation: 0n, transactionId: 0n, eventId: 0n },
      pageSize: 1,
    }),
  },
};

const everyMorning = { $case: 'cron', value: { expression: '0 9 * * *', timeZone: '' } } as const;
const newSchedule = (): Schedule =>
  Schedule.fromPartial({ id: `s-${randomUUID()}`, job: ScheduleJob.PRUNE_RECORDS, recurrence: everyMorning });

const scheduler: Rows<typeof SchedulerServiceService> = {
  CreateSchedule: { request: () => ({ schedule: newSchedule() }) },
  GetSchedule: { request: () => ({ scheduleId: 'overdue-sweep' }) },
  ListSchedules: { request: nothing },
  PauseSchedule: { request: () => ({ scheduleId: 'pruning' }) },
  ResumeSchedule: { request: () => ({ scheduleId: 'pruning' }) },
  TriggerSchedule: { request: () => ({ scheduleId: 'overdue-sweep' }) },
  BackfillSchedule: {
    request: () => ({
      scheduleId: 'overdue-sweep',
      startTime: new Date('2026-01-05T00:00:00Z'),
      endTime: new Date('2026-01-06T00:00:00Z'),
    }),
  },
  DeleteSchedule: {
    request: async ({ testCluster }) => ({ scheduleId: await testCluster.createSchedule(newSchedule()) }),
  },
  ListScheduleRuns: { request: () => ({ scheduleId: 'overdue-sweep' }) },
  PreviewSchedule: { request: () => ({ recurrence: everyMorning }) },
  ListQueues: { request: nothing },
  PauseQueue: { request: () => ({ queue: 'notifications' }) },
  ResumeQueue: { request: () => ({ queue: 'notifications' }) },
  GetJob: { request: async ({ testCluster }) => ({ jobId: await finishedJob(testCluster) }) },
  ListDeadJobs: { request: nothing },
  RetryDeadJob: { request: async ({ testCluster }) => ({ deadJobId: await deadJob(testCluster) }) },
  DiscardDeadJob: { request: async ({ testCluster }) => ({ deadJobId: await deadJob(testCluster) }) },
  ListDeadLetterEvents: { request: nothing },
  RetryDeadLetterEvent: { request: async ({ testCluster }) => ({ eventId: await deadLetterEvent(testCluster) }) },
  DiscardDeadLetterEvent: { request: async ({ testCluster }) => ({ eventId: await deadLetterEvent(testCluster) }) },
  ExplainOverdue: { request: oneTask },
};

/** After the others of the caller are gone: there may be ten. */
async function newWebhook({ testCluster, caller }: Call): Promise<object> {
  await testCluster.createWebhook(caller);
  return { webhook: Webhook.fromPartial({ url: 'https://hooks.invalid/hook' }) };
}

const foreignWebhook = 'NOT_FOUND/WEBHOOK_NOT_FOUND';
const onlyOwner = { owner: 'OK', assignee: foreignWebhook, other: foreignWebhook, admin: foreignWebhook };
const ownWebhook: Row = {
  request: async ({ testCluster, people }) => ({
    webhookId: (await testCluster.createWebhook(people.owner)).webhookId,
  }),
  answers: onlyOwner,
};

const notifications: Rows<typeof NotificationsServiceService> = {
  ListNotifications: { request: nothing, answers: everybody },
  GetUnreadCount: { request: nothing, answers: everybody },
  MarkNotificationsRead: { request: () => ({ selection: { $case: 'all', value: {} } }), answers: everybody },
  WatchNotifications: { request: nothing, answers: everybody },
  CreateWebhook: { request: newWebhook, answers: everybody },
  ListWebhooks: { request: nothing, answers: everybody },
  GetWebhook: ownWebhook,
  DeleteWebhook: ownWebhook,
  RotateWebhookSecret: ownWebhook,
  EnableWebhook: ownWebhook,
  TestWebhook: ownWebhook,
  ListWebhookDeliveries: ownWebhook,
  UpdateWebhook: {
    request: async ({ testCluster, people }) => ({
      webhook: Webhook.fromPartial({ id: (await testCluster.createWebhook(people.owner)).webhookId }),
      updateMask: ['description'],
    }),
    answers: onlyOwner,
  },
  ReplayWebhook: {
    request: async ({ testCluster, people }) => ({
      webhookId: (await testCluster.createWebhook(people.owner)).webhookId,
      start: { $case: 'startTime', value: new Date() },
    }),
    answers: onlyOwner,
  },
  RedeliverWebhook: {
    request: ({ testCluster, people }) => testCluster.createWebhook(people.owner),
    answers: onlyOwner,
  },
};

const server: Rows<typeof ServerInfoServiceService> = {
  GetServerInfo: { request: nothing },
};

/** Every service has asked auth for its keys. */
const keysBreaker = { callee: 'auth', method: 'taskflow.auth.v1.AuthService/GetJwks' };

const breakers: Rows<typeof BreakersServiceService> = {
  ListBreakers: { request: nothing },
  WatchBreakers: { request: nothing },
  OverrideBreaker: {
    request: () => ({ ...keysBreaker, state: BreakerState.CLOSED, ttl: { seconds: 1n, nanos: 0 }, reason: 'a test' }),
  },
  ReleaseBreaker: { request: () => keysBreaker },
};

const audit: Rows<typeof AuditServiceService> = {
  ListAuditEvents: { request: nothing },
  ListOwnAuditEvents: { request: nothing, answers: everybody },
};

const exportOf: Rows<typeof ExportServiceService> = {
  ExportMyData: { request: nothing, answers: everybody },
};

const internalMails: Rows<typeof InternalMailsServiceService> = {
  HandOverMail: { request: () => ({ mailId: randomUUID(), kind: MailKind.PASSWORD_CHANGED }) },
};

const internalNotifications: Rows<typeof InternalNotificationsServiceService> = {
  DeleteUserNotifications: { request: () => ({ userId: randomUUID() }) },
};

const rowsOf = (service: string, rows: Record<string, Row>): [string, Row][] =>
  Object.entries(rows).map(([method, row]) => [`/taskflow.${service}/${method}`, row]);

/** A row for every method of the contract. */
export const accessTable: ReadonlyMap<string, Row> = new Map([
  ...rowsOf('server.v1.ServerInfoService', server),
  ...rowsOf('resilience.v1.BreakersService', breakers),
  ...rowsOf('audit.v1.AuditService', audit),
  ...rowsOf('export.v1.ExportService', exportOf),
  ...rowsOf('auth.v1.AuthService', auth),
  ...rowsOf('auth.v1.InternalAuthService', internalAuth),
  ...rowsOf('users.v1.UsersService', users),
  ...rowsOf('users.v1.InternalUsersService', internalUsers),
  ...rowsOf('tasks.v1.TasksService', tasks),
  ...rowsOf('tasks.v1.ProjectsService', projectRows),
  ...rowsOf('tasks.v1.InternalProjectsService', internalProjectRows),
  ...rowsOf('tasks.v1.CommentsService', commentRows),
  ...rowsOf('tasks.v1.InternalTasksService', internalTasks),
  ...rowsOf('tasks.v1.InternalReadersService', internalReaders),
  ...rowsOf('scheduler.v1.SchedulerService', scheduler),
  ...rowsOf('scheduler.v1.NotificationsService', notifications),
  ...rowsOf('scheduler.v1.InternalMailsService', internalMails),
  ...rowsOf('scheduler.v1.InternalNotificationsService', internalNotifications),
]);
