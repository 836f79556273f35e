import { randomUUID } from 'node:crypto';
import { Role } from '#contract/auth/v1/auth';
import { BreakerState } from '#contract/resilience/v1/resilience';
import { Schedule } from '#contract/scheduler/v1/scheduler';
import { Webhook } from '#contract/scheduler/v1/notifications';
import { Task, UpdateTaskRequest } from '#contract/tasks/v1/tasks';
import { User } from '#contract/users/v1/users';
import { deadJob, finishedJob, parkedEvent } from './job-records.ts';
import { newEmail, newPassword, type Person, type World } from './start-world.ts';

/** Those who hold a good access token, by what they have to do with the object that a request is about. */
export type Relation = 'owner' | 'assignee' | 'other' | 'admin';
export type People = Record<Relation, Person>;

/** What a row's request is made from; a new one for every call. */
export interface Call {
  world: World;
  people: People;
  /** Who makes it; the owner when nobody in particular does. */
  caller: Person;
}

/** What one method answers to those whom the contract admits to it. */
export interface Row {
  request: (call: Call) => object | Promise<object>;
  /** For the access "user": what each of them gets. Whoever else is admitted gets OK. */
  answers?: Record<Relation, string>;
}

const everybody: Record<Relation, string> = { owner: 'OK', assignee: 'OK', other: 'OK', admin: 'OK' };
const foreignTask = 'NOT_FOUND/TASK_NOT_FOUND';
const foreignUser = 'NOT_FOUND/USER_NOT_FOUND';
const onlyOneself = { owner: 'OK', assignee: foreignUser, other: foreignUser, admin: 'OK' };
const foreignList = 'PERMISSION_DENIED/ADMIN_REQUIRED';
const onlyOwnLists = { owner: 'OK', assignee: foreignList, other: foreignList, admin: 'OK' };
const seenByBoth = { owner: 'OK', assignee: 'OK', other: foreignTask, admin: 'OK' };
const changedByOwner = { owner: 'OK', assignee: 'PERMISSION_DENIED/NOT_OWNER', other: foreignTask, admin: 'OK' };
const foreignSession = 'NOT_FOUND/SESSION_NOT_FOUND';

const nothing = (): object => ({});
const newAccount = async ({ world }: Call): Promise<string> => (await world.register()).id;
const newTask = ({ world, people }: Call): Promise<Task> => world.createTask(people.owner, people.assignee);

const auth: Record<string, Row> = {
  Register: { request: () => ({ email: newEmail(), password: newPassword(), displayName: 'Grace' }) },
  Login: { request: ({ caller: { email, password } }) => ({ email, password }) },
  RefreshSession: { request: async ({ world, caller }) => ({ refreshToken: (await world.openSession(caller)).refreshToken }) },
  Logout: { request: () => ({ refreshToken: 'nobody-has-this' }) },
  GetJwks: { request: nothing },
  ListSessions: { request: nothing, answers: everybody },
  RevokeSession: {
    request: async ({ world, people }) => ({ sessionId: (await world.openSession(people.owner)).sessionId }),
    answers: { owner: 'OK', assignee: foreignSession, other: foreignSession, admin: foreignSession },
  },
  RevokeOtherSessions: { request: nothing, answers: everybody },
  ChangePassword: { request: ({ caller }) => changePassword(caller), answers: everybody },
  ChangeEmail: { request: ({ caller }) => changeEmail(caller), answers: everybody },
  SetRole: { request: async (call) => ({ accountId: await newAccount(call), role: Role.USER }) },
  DisableAccount: { request: async (call) => ({ accountId: await newAccount(call) }) },
  EnableAccount: { request: async (call) => ({ accountId: await newAccount(call) }) },
  RotateSigningKey: { request: nothing },
};

/** The person goes on with the new one, so that later calls can sign in. */
function changePassword(person: Person): object {
  const currentPassword = person.password;
  person.password = newPassword();
  return { currentPassword, newPassword: person.password };
}

function changeEmail(person: Person): object {
  person.email = newEmail();
  return { currentPassword: person.password, newEmail: person.email };
}

const users: Record<string, Row> = {
  GetMe: { request: nothing, answers: everybody },
  GetUser: { request: ({ people }) => ({ userId: people.owner.id }), answers: onlyOneself },
  UpdateUser: {
    request: ({ people }) => ({ user: User.fromPartial({ id: people.owner.id, displayName: 'Ada' }), updateMask: ['display_name'] }),
    answers: onlyOneself,
  },
  ListUsers: { request: nothing },
};

const internalUsers: Record<string, Row> = {
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
  BatchGetNotificationSettings: { request: ({ people }) => ({ userIds: [people.owner.id] }) },
};

const newTitle = async (call: Call): Promise<UpdateTaskRequest> => {
  const { id } = await newTask(call);
  return UpdateTaskRequest.fromPartial({ task: { id, title: 'Sell milk' }, updateMask: ['title'] });
};
const oneTask = async (call: Call): Promise<object> => ({ taskId: (await newTask(call)).id });
const oneOfTasks = async (call: Call): Promise<object> => ({ taskIds: [(await newTask(call)).id] });

const tasks: Record<string, Row> = {
  CreateTask: { request: () => ({ task: Task.fromPartial({ title: 'Buy milk' }) }), answers: everybody },
  GetTask: { request: oneTask, answers: seenByBoth },
  ListTasks: { request: ({ people }) => ({ ownerId: people.owner.id }), answers: onlyOwnLists },
  UpdateTask: { request: newTitle, answers: changedByOwner },
  DeleteTask: { request: oneTask, answers: changedByOwner },
  UndeleteTask: { request: oneTask, answers: changedByOwner },
  GetTaskStats: { request: ({ people }) => ({ ownerId: people.owner.id }), answers: onlyOwnLists },
  BatchGetTasks: { request: oneOfTasks, answers: seenByBoth },
  BatchCreateTasks: { request: () => ({ tasks: [Task.fromPartial({ title: 'Buy milk' })] }), answers: everybody },
  BatchUpdateTasks: { request: async (call) => ({ requests: [await newTitle(call)] }), answers: changedByOwner },
  BatchDeleteTasks: { request: oneOfTasks, answers: changedByOwner },
  ListTaskEvents: { request: oneTask, answers: seenByBoth },
  WatchTasks: { request: nothing, answers: everybody },
  SyncTasks: { request: nothing, answers: everybody },
};

const internalTasks: Record<string, Row> = {
  SweepOverdue: { request: nothing },
  PullEvents: { request: () => ({ pageSize: 1 }) },
  BatchGetTaskStates: { request: oneOfTasks },
  ExplainDue: { request: oneTask },
};

const newSchedule = (): Schedule => Schedule.fromPartial({ id: `s-${randomUUID()}`, job: 'prune-records', cron: '0 9 * * *' });

const scheduler: Record<string, Row> = {
  CreateSchedule: { request: () => ({ schedule: newSchedule() }) },
  GetSchedule: { request: () => ({ scheduleId: 'overdue-sweep' }) },
  ListSchedules: { request: nothing },
  PauseSchedule: { request: () => ({ scheduleId: 'pruning' }) },
  ResumeSchedule: { request: () => ({ scheduleId: 'pruning' }) },
  TriggerSchedule: { request: () => ({ scheduleId: 'overdue-sweep' }) },
  BackfillSchedule: {
    request: () => ({ scheduleId: 'overdue-sweep', startTime: new Date('2026-01-05T00:00:00Z'), endTime: new Date('2026-01-06T00:00:00Z') }),
  },
  DeleteSchedule: {
    request: async ({ world }) => ({ scheduleId: await world.createSchedule(newSchedule()) }),
  },
  ListScheduleRuns: { request: () => ({ scheduleId: 'overdue-sweep' }) },
  PreviewSchedule: { request: () => ({ cron: '0 9 * * *' }) },
  ListQueues: { request: nothing },
  PauseQueue: { request: () => ({ queue: 'notifications' }) },
  ResumeQueue: { request: () => ({ queue: 'notifications' }) },
  GetJob: { request: async ({ world }) => ({ jobId: await finishedJob(world) }) },
  ListDeadJobs: { request: nothing },
  RetryDeadJob: { request: async ({ world }) => ({ deadJobId: await deadJob(world) }) },
  DiscardDeadJob: { request: async ({ world }) => ({ deadJobId: await deadJob(world) }) },
  ListParkedEvents: { request: nothing },
  RetryParkedEvent: { request: async ({ world }) => ({ eventId: await parkedEvent(world) }) },
  DiscardParkedEvent: { request: async ({ world }) => ({ eventId: await parkedEvent(world) }) },
  ExplainOverdue: { request: oneTask },
};

/** After the others of the caller are gone: there may be ten. */
async function newWebhook({ world, caller }: Call): Promise<object> {
  await world.createWebhook(caller);
  return { webhook: Webhook.fromPartial({ url: 'https://hooks.invalid/hook' }) };
}

const foreignWebhook = 'NOT_FOUND/WEBHOOK_NOT_FOUND';
const onlyOwner = { owner: 'OK', assignee: foreignWebhook, other: foreignWebhook, admin: foreignWebhook };
const ownWebhook: Row = { request: async ({ world, people }) => ({ webhookId: (await world.createWebhook(people.owner)).webhookId }), answers: onlyOwner };

const notifications: Record<string, Row> = {
  ListNotifications: { request: nothing, answers: everybody },
  GetUnreadCount: { request: nothing, answers: everybody },
  MarkNotificationsRead: { request: () => ({ all: true }), answers: everybody },
  WatchNotifications: { request: nothing, answers: everybody },
  CreateWebhook: { request: newWebhook, answers: everybody },
  ListWebhooks: { request: nothing, answers: everybody },
  ...Object.fromEntries(['GetWebhook', 'DeleteWebhook', 'RotateWebhookSecret', 'EnableWebhook', 'TestWebhook', 'ListWebhookDeliveries'].map((method) => [method, ownWebhook])),
  UpdateWebhook: {
    request: async ({ world, people }) => ({ webhook: Webhook.fromPartial({ id: (await world.createWebhook(people.owner)).webhookId }), updateMask: ['description'] }),
    answers: onlyOwner,
  },
  RedeliverWebhook: { request: ({ world, people }) => world.createWebhook(people.owner), answers: onlyOwner },
};

const server: Record<string, Row> = {
  GetServerInfo: { request: nothing },
};

/** Every service has asked auth for its keys. */
const keysBreaker = { callee: 'auth', method: 'taskflow.auth.v1.AuthService/GetJwks' };

const breakers: Record<string, Row> = {
  ListBreakers: { request: nothing },
  WatchBreakers: { request: nothing },
  ForceBreaker: { request: () => ({ ...keysBreaker, state: BreakerState.CLOSED, ttl: { seconds: 1n, nanos: 0 }, reason: 'a test' }) },
  ReleaseBreaker: { request: () => keysBreaker },
};

const rowsOf = (service: string, rows: Record<string, Row>): [string, Row][] =>
  Object.entries(rows).map(([method, row]) => [`/taskflow.${service}/${method}`, row]);

/** A row for every method of the contract; a method without one fails the test. */
export const accessTable: ReadonlyMap<string, Row> = new Map([
  ...rowsOf('server.v1.ServerInfoService', server),
  ...rowsOf('resilience.v1.BreakersService', breakers),
  ...rowsOf('auth.v1.AuthService', auth),
  ...rowsOf('auth.v1.InternalAuthService', { WatchRevocations: { request: nothing } }),
  ...rowsOf('users.v1.UsersService', users),
  ...rowsOf('users.v1.InternalUsersService', internalUsers),
  ...rowsOf('tasks.v1.TasksService', tasks),
  ...rowsOf('tasks.v1.InternalTasksService', internalTasks),
  ...rowsOf('scheduler.v1.SchedulerService', scheduler),
  ...rowsOf('scheduler.v1.NotificationsService', notifications),
]);
