import { Client, Metadata, status, type ServiceError } from '@grpc/grpc-js';
import { AuditServiceService } from '#contract/audit/v1/audit';
import { AuthServiceService, InternalAuthServiceService } from '#contract/auth/v1/auth';
import { ExportServiceService } from '#contract/export/v1/export';
import { InternalNotificationsServiceService, NotificationsServiceService } from '#contract/scheduler/v1/notifications';
import { InternalMailsServiceService } from '#contract/scheduler/v1/mails';
import { SchedulerServiceService } from '#contract/scheduler/v1/scheduler';
import { ServerInfoServiceService } from '#contract/server/v1/server';
import { BreakersServiceService } from '#contract/resilience/v1/resilience';
import { CommentsServiceService } from '#contract/tasks/v1/comments';
import { InternalProjectsServiceService, ProjectsServiceService } from '#contract/tasks/v1/projects';
import { InternalReadersServiceService } from '#contract/tasks/v1/readers';
import { InternalTasksServiceService, TasksServiceService } from '#contract/tasks/v1/tasks';
import { InternalUsersServiceService, UsersServiceService } from '#contract/users/v1/users';
import { ownerOf, type ServiceName } from '#libs/contract';
import { waitUntil, type Cluster } from '#dev/cluster';
import { channelCredentials } from '#libs/grpc';
import { CallError } from '#dev/stubs';

interface Method {
  path: string;
  responseStream: boolean;
  requestSerialize: (value: never) => Buffer;
  requestDeserialize: (value: Buffer) => object;
  responseSerialize: (value: never) => Buffer;
  responseDeserialize: (value: Buffer) => unknown;
}

const definitions = [
  AuditServiceService,
  ExportServiceService,
  BreakersServiceService,
  AuthServiceService,
  InternalAuthServiceService,
  UsersServiceService,
  InternalUsersServiceService,
  TasksServiceService,
  ProjectsServiceService,
  InternalProjectsServiceService,
  CommentsServiceService,
  InternalTasksServiceService,
  InternalReadersServiceService,
  SchedulerServiceService,
  NotificationsServiceService,
  InternalMailsServiceService,
  InternalNotificationsServiceService,
  ServerInfoServiceService,
];

const methods: ReadonlyMap<string, Method> = new Map(
  definitions
    .flatMap((definition) => Object.values(definition) as unknown as Method[])
    .map((method) => [method.path, method]),
);

function methodOf(path: string): Method {
  const method = methods.get(path);
  if (method === undefined) throw new Error(`${path} belongs to no service that this test knows`);
  return method;
}

/** The service that serves a path. */
export function serviceOf(path: string): ServiceName {
  // Of what every server has, any of them does.
  return ownerOf(path.slice(1)) ?? 'tasks';
}

/** The request as a client would send it; fields that are left out have their defaults. */
export function encode(path: string, request: object): Buffer {
  const { requestSerialize, requestDeserialize } = methodOf(path);
  return requestSerialize({ ...requestDeserialize(Buffer.alloc(0)), ...request } as never);
}

/** An answer as the server has sent it. */
export function encodeAnswer(path: string, answer: unknown): Buffer {
  return methodOf(path).responseSerialize(answer as never);
}

export interface Credentials {
  /** An access token. */
  token?: string | undefined;
  /** What a service proves itself with. */
  serviceToken?: string | undefined;
  /** Anything else. */
  metadata?: Record<string, string>;
}

export interface Answer {
  /** "OK", or code and reason: "NOT_FOUND/TASK_NOT_FOUND". */
  outcome: string;
  error: CallError | undefined;
  /** The answer; of a stream its first message. */
  response: unknown;
}

/** Calls any method of a cluster by its path, over the wire, as somebody outside the processes. */
export interface Wire {
  call(path: string, request: object | Buffer, credentials?: Credentials): Promise<Answer>;
  close(): void;
}

/** Repeats a call until it has this outcome. */
export const untilOutcome = (call: () => Promise<Answer>, expected = 'OK'): Promise<Answer> =>
  waitUntil(call, ({ outcome }) => outcome === expected);

const timeoutMs = 15_000;

function toMetadata({ token, serviceToken, metadata = {} }: Credentials): Metadata {
  const sent = new Metadata();
  if (token !== undefined) sent.set('authorization', `Bearer ${token}`);
  if (serviceToken !== undefined) sent.set('x-taskflow-service', serviceToken);
  for (const [key, value] of Object.entries(metadata)) sent.set(key, value);
  return sent;
}

function toAnswer(path: string, error: ServiceError | null, response?: unknown): Answer {
  if (error === null) return { outcome: 'OK', error: undefined, response };
  const callError = new CallError(path, error);
  return {
    outcome: `${status[error.code]}/${callError.reason ?? error.details}`,
    error: callError,
    response: undefined,
  };
}

const keep = (bytes: Buffer): Buffer => bytes;

/** A unary call is on the wire what a stream of one message is. */
function callOnce(
  client: Client,
  { path, responseStream, responseDeserialize }: Method,
  bytes: Buffer,
  metadata: Metadata,
): Promise<Answer> {
  return new Promise((resolve) => {
    let first: unknown;
    const stream = client.makeServerStreamRequest(path, keep, responseDeserialize, bytes, metadata, {
      deadline: Date.now() + timeoutMs,
    });
    stream.on('data', (message: unknown) => {
      first = message;
      if (!responseStream) return;
      resolve(toAnswer(path, null, message));
      stream.cancel();
    });
    stream.on('error', (error) => resolve(toAnswer(path, error as ServiceError)));
    stream.on('end', () => resolve(toAnswer(path, null, first)));
  });
}

/** `userAgent` is what the client calls itself, before what grpc-js says of itself. */
export function openWire(cluster: Cluster, userAgent?: string): Wire {
  const options = {
    'grpc.max_reconnect_backoff_ms': 1000,
    ...(userAgent !== undefined && { 'grpc.primary_user_agent': userAgent }),
  };
  const clients = new Map<ServiceName, Client>();
  const clientOf = (service: ServiceName): Client => {
    const open = (): Client => {
      const address = cluster.address(service);
      const { credentials, options: names } = channelCredentials(cluster.certificates, address);
      return new Client(address, credentials, { ...options, ...names });
    };
    const client = clients.get(service) ?? open();
    clients.set(service, client);
    return client;
  };
  return {
    call: (path, request, given = {}) => {
      const method = methodOf(path);
      const bytes = Buffer.isBuffer(request) ? request : encode(path, request);
      return callOnce(clientOf(serviceOf(path)), method, bytes, toMetadata(given));
    },
    close: () => clients.forEach((client) => client.close()),
  };
}
