import { getOption, hasOption, type DescExtension, type DescMethod, type Message } from '@bufbuild/protobuf';
import { MethodOptions_IdempotencyLevel } from '@bufbuild/protobuf/wkt';
import { fileRegistry } from './descriptors.ts';
import { readScope, type NeededScope } from './scopes.ts';

export const serviceNames = ['auth', 'users', 'tasks', 'scheduler'] as const;
export type ServiceName = (typeof serviceNames)[number];
export type Access = 'public' | 'user' | 'admin' | 'service';
export type Retry = 'always' | 'with_request_id' | 'never';

export interface RateLimitPolicy {
  requests: number;
  perMs: number;
  key: 'user' | 'peer';
  /** While the store of the limits is out of reach: refuse (true) or allow (false). */
  failClosed: boolean;
}

/** What the contract declares about one method; see proto/taskflow/policy/v1/policy.proto. */
export interface MethodPolicy {
  /** The path on the wire: "/taskflow.tasks.v1.TasksService/CreateTask". */
  path: string;
  /** "taskflow.tasks.v1.TasksService" */
  service: string;
  /** "CreateTask" */
  method: string;
  access: Access;
  callers: readonly ServiceName[];
  sensitive: boolean;
  deadlineMs: number;
  retry: Retry;
  /** Absent when the method is declared unlimited. */
  rateLimit: RateLimitPolicy | undefined;
  /** What the answer looks like while a service that this method calls is down. */
  degradation: string;
  /** The reasons of errors that are its own; `reasonsOf` gives all. */
  reasons: readonly string[];
  /** What a personal token must hold; undefined: none may call it, or it needs no user. */
  scope: NeededScope | undefined;
  /** A call may end its token, by which only its repeats are answered then. */
  endsOwnToken: boolean;
}

interface DurationMessage {
  seconds: bigint;
  nanos: number;
}
interface RateLimitMessage {
  requests: number;
  per?: DurationMessage;
  key: number;
  failClosed: boolean;
  unlimited: boolean;
}
interface PolicyMessage extends Message {
  access: number;
  callers: string[];
  sensitive: boolean;
  deadline?: DurationMessage;
  retry: number;
  rateLimit?: RateLimitMessage;
  degradation: string;
  reasons: number[];
  scope: number;
  endsOwnToken: boolean;
}

const accesses = [undefined, 'public', 'user', 'admin', 'service'] as const;
const retries = [undefined, 'always', 'with_request_id', 'never'] as const;
const keys = [undefined, 'user', 'peer'] as const;

const reasonNames = new Map(
  fileRegistry
    .getEnum('taskflow.policy.v1.ErrorReason')
    ?.values.map(({ number, name }) => [number, name.replace('ERROR_REASON_', '')]),
);

const option = fileRegistry.getExtension('taskflow.policy.v1.method') as DescExtension;

function toMs(duration: DurationMessage | undefined): number {
  return duration === undefined ? 0 : Number(duration.seconds) * 1000 + duration.nanos / 1e6;
}

function demand<T>(value: T | undefined, path: string, name: string): T {
  if (value === undefined) throw new Error(`${path}: its policy lacks ${name}`);
  return value;
}

function toRateLimit(path: string, limit: RateLimitMessage): RateLimitPolicy | undefined {
  if (limit.unlimited) return undefined;
  const perMs = toMs(limit.per);
  if (limit.requests === 0 || perMs <= 0) throw new Error(`${path}: its rate limit lacks requests or per`);
  return {
    requests: limit.requests,
    perMs,
    key: demand(keys[limit.key], path, 'rate_limit.key'),
    failClosed: limit.failClosed,
  };
}

function toCallers(path: string, access: Access, callers: readonly string[]): ServiceName[] {
  if (access === 'service' && callers.length === 0) throw new Error(`${path}: a method for services names its callers`);
  return callers.map((caller) =>
    demand(
      serviceNames.find((name) => name === caller),
      path,
      `a known service instead of "${caller}"`,
    ),
  );
}

/** A method without side effects may be asked for by HTTP GET, which browsers and proxies repeat by themselves. */
function readRetry({ idempotency }: DescMethod, path: string, retry: number): Retry {
  const found = demand(retries[retry], path, 'retry');
  if (idempotency === MethodOptions_IdempotencyLevel.NO_SIDE_EFFECTS && found !== 'always')
    throw new Error(`${path}: a method without side effects needs RETRY_SAFETY_ALWAYS`);
  return found;
}

/** The answers of repeats are recorded under their request ids. */
function readEndsOwnToken({ input }: DescMethod, path: string, { endsOwnToken }: PolicyMessage): boolean {
  if (endsOwnToken && !input.fields.some(({ name }) => name === 'request_id'))
    throw new Error(`${path}: a method that ends its own token takes a request_id`);
  return endsOwnToken;
}

/** Reads the policy of a method. Throws when the option is missing or incomplete: a defect of the contract. */
function readPolicy(method: DescMethod): MethodPolicy {
  const path = `/${method.parent.typeName}/${method.name}`;
  if (!hasOption(method, option)) throw new Error(`${path}: the option (taskflow.policy.v1.method) is missing`);
  const message = getOption(method, option) as PolicyMessage;
  const access = demand(accesses[message.access], path, 'access');
  const deadlineMs = toMs(message.deadline);
  if (deadlineMs <= 0) throw new Error(`${path}: its policy lacks deadline`);
  return {
    path,
    service: method.parent.typeName,
    method: method.name,
    access,
    callers: toCallers(path, access, message.callers),
    sensitive: message.sensitive,
    deadlineMs,
    retry: readRetry(method, path, message.retry),
    rateLimit: toRateLimit(path, demand(message.rateLimit, path, 'rate_limit')),
    degradation: message.degradation,
    reasons: message.reasons.map((number) => demand(reasonNames.get(number), path, 'a known reason')),
    scope: readScope({ path, access, sensitive: message.sensitive, scope: message.scope }),
    endsOwnToken: readEndsOwnToken(method, path, message),
  };
}

function readPolicies(): Map<string, MethodPolicy> {
  const found = new Map<string, MethodPolicy>();
  for (const type of fileRegistry) {
    if (type.kind !== 'service' || !type.typeName.startsWith('taskflow.')) continue;
    for (const method of type.methods) {
      const policy = readPolicy(method);
      found.set(policy.path, policy);
    }
  }
  return found;
}

/** The policy of every method of the contract, by its path on the wire. */
export const policies: ReadonlyMap<string, MethodPolicy> = readPolicies();

/** The policy of a method by its path on the wire. Throws for a method that the contract does not declare. */
export function policyOf(path: string): MethodPolicy {
  const policy = policies.get(path);
  if (policy === undefined) throw new Error(`the contract declares no method ${path}`);
  return policy;
}
