import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import {
  BreakersServiceService,
  BreakerState,
  type Breaker as BreakerMessage,
  type EdgeLimits,
  OverrideBreakerRequest,
  ReleaseBreakerRequest,
  type ListBreakersRequest,
  type ListBreakersResponse,
  type WatchBreakersResponse,
} from '#contract/resilience/v1/resilience';
import { policyOf, retryLimits } from '#libs/contract';
import type { AuditLog } from '#libs/audit';
import { createPageTokens } from '#libs/db';
import { AppError, fieldTypes, parseRequest } from '#libs/errors';
import { fieldsOf } from '#libs/fields';
import { bind, breakersOf, requireUser, type BreakerList, type ListedBreaker, type ServiceBinding } from '#libs/grpc';
import { createWakeableSleep, steadyNow, toDuration, type CallContext, type Metrics } from '#libs/runtime';
import { rememberAnswers } from './remembered-answers.ts';

/** Converts a time by `steadyNow`. */
const toTime = (ms: number): Date => new Date(Date.now() + ms - steadyNow());

const states = { closed: BreakerState.CLOSED, half_open: BreakerState.HALF_OPEN, open: BreakerState.OPEN } as const;

function toLimits({ path, breaker, retryBudget }: ListedBreaker): EdgeLimits {
  const { deadlineMs, retry } = policyOf(path);
  const { maxInFlight, volumeThreshold, errorThresholdPercentage, windowMs, resetTimeoutMs } = breaker.options;
  return {
    deadline: toDuration(deadlineMs),
    maxInFlight,
    volumeThreshold,
    errorThresholdPercentage,
    window: toDuration(windowMs),
    resetTimeout: toDuration(resetTimeoutMs),
    maxAttempts: retry === 'always' ? retryLimits.maxAttempts : 1,
    retryBudget: { maxTokens: retryLimits.maxTokens, tokenRatio: retryLimits.tokenRatio, tokens: retryBudget.tokens },
  };
}

/** The breaker as it is, or under the given override (null: none). */
function toMessage(listed: ListedBreaker, override = listed.breaker.override.current() ?? null): BreakerMessage {
  const { callee, method, breaker } = listed;
  const { state, answered, failed, refused, inFlight, changedAt, probeAt } = breaker.look(override);
  return {
    callee,
    method,
    state: states[state],
    changeTime: changedAt === undefined ? undefined : toTime(changedAt),
    probeTime: probeAt === undefined ? undefined : toTime(probeAt),
    override:
      override === null
        ? undefined
        : {
            state: states[override.state],
            expireTime: toTime(override.until),
            overriderId: override.actor,
            reason: override.reason,
          },
    answeredCount: BigInt(answered),
    failedCount: BigInt(failed),
    refusedCount: BigInt(refused),
    inFlightCount: inFlight,
    limits: toLimits(listed),
  };
}

const overriding = fieldsOf('taskflow.resilience.v1.OverrideBreakerRequest');
const place = { callee: overriding.text('callee'), method: overriding.text('method') };
const mutation = { requestId: fieldTypes.idempotencyKey(), validateOnly: z.boolean() };
const overrideSchema = z.object({
  ...place,
  state: z.enum([BreakerState.OPEN, BreakerState.CLOSED], 'must be OPEN or CLOSED'),
  ttl: overriding.span('ttl'),
  reason: overriding.text('reason'),
  ...mutation,
});
const releaseSchema = z.object({ ...place, ...mutation });
const listing = fieldsOf('taskflow.resilience.v1.ListBreakersRequest');
const listSchema = z.object({ pageSize: listing.pageSize(), pageToken: listing.pageToken() });

function findBreaker(list: BreakerList, callee: string, method: string): ListedBreaker {
  const found = list.find(callee, method);
  // What was asked for is free text, and no error repeats such.
  if (found === undefined) throw new AppError('not_found', 'BREAKER_NOT_FOUND', 'this server has no such breaker');
  return found;
}

const heartbeatMs = 10_000;

/** Sends all breakers, then the changed ones. Several changes of one breaker between two messages become one. */
async function* watch(list: BreakerList, { signal }: CallContext): AsyncGenerator<WatchBreakersResponse> {
  const changed = new Set<ListedBreaker>(list.all());
  const pause = createWakeableSleep();
  const stop = list.subscribe((listed) => {
    changed.add(listed);
    pause.wake();
  });
  try {
    for (let isComplete = false; !signal.aborted;) {
      for (const listed of changed) {
        changed.delete(listed);
        yield { breaker: toMessage(listed) };
      }
      if (!isComplete) yield { breaker: undefined };
      isComplete = true;
      if (changed.size > 0) continue;
      await pause.sleep(heartbeatMs, signal);
      if (changed.size === 0 && !signal.aborted) yield { breaker: undefined };
    }
  } finally {
    stop();
  }
}

/** Breakers exist only in this process, and so do the keys of their page tokens. */
const pageTokens = createPageTokens([randomBytes(32)]);

function page(list: BreakerList, request: ListBreakersRequest, call: CallContext): ListBreakersResponse {
  const { pageSize, pageToken } = parseRequest(listSchema, request);
  const scope = { caller: requireUser(call).userId, method: 'ListBreakers', filter: null };
  const after = pageTokens.open<string>(pageToken, scope) ?? '';
  const keyOf = ({ callee, method }: ListedBreaker): string => `${callee} ${method}`;
  const rest = list.all().filter((listed) => keyOf(listed) > after);
  const breakers = rest.slice(0, pageSize);
  const last = rest.length > pageSize ? breakers.at(-1) : undefined;
  return {
    breakers: breakers.map((listed) => toMessage(listed)),
    nextPageToken: last === undefined ? '' : pageTokens.seal(keyOf(last), scope),
  };
}

/** The breakers of this server, and where it is written down who intervened. */
interface Controls {
  list: BreakerList;
  audit: Pick<AuditLog, 'record'>;
}

const targetOf = (method: string) => ({ kind: 'breaker', id: method }) as const;

async function override(
  { list, audit }: Controls,
  request: OverrideBreakerRequest,
  call: CallContext,
): Promise<BreakerMessage> {
  const { callee, method, state, ttl: ttlMs, reason, validateOnly } = parseRequest(overrideSchema, request);
  const actor = requireUser(call).userId;
  const listed = findBreaker(list, callee, method);
  const until = steadyNow() + ttlMs;
  const wanted = { state: state === BreakerState.OPEN ? 'open' : 'closed', until, actor, reason } as const;
  if (validateOnly) return toMessage(listed, wanted);
  // Without the reason, because free text may contain secrets. ListBreakers shows it.
  const details = { callee, state: wanted.state, until: toTime(until).toISOString() };
  await audit.record({ action: 'breaker_overridden', target: targetOf(method), details });
  listed.breaker.override.set(wanted);
  return toMessage(listed);
}

async function release({ list, audit }: Controls, request: ReleaseBreakerRequest): Promise<BreakerMessage> {
  const { callee, method, validateOnly } = parseRequest(releaseSchema, request);
  const listed = findBreaker(list, callee, method);
  if (validateOnly) return toMessage(listed, null);
  await audit.record({ action: 'breaker_released', target: targetOf(method), details: { callee } });
  listed.breaker.override.clear();
  return toMessage(listed);
}

/** The breakers of this server, for administrators. */
export function bindBreakers(metrics: Metrics, audit: Controls['audit']): ServiceBinding {
  const list = breakersOf(metrics);
  const controls = { list, audit };
  const remembered = rememberAnswers<BreakerMessage>();
  const once = (
    method: string,
    { requestId, validateOnly }: Pick<ReleaseBreakerRequest, 'requestId' | 'validateOnly'>,
    call: CallContext,
    content: Uint8Array,
  ) => ({
    userId: requireUser(call).userId,
    method,
    idempotencyKey: validateOnly ? '' : requestId,
    content: Buffer.from(content).toString('base64'),
  });
  return bind(BreakersServiceService, {
    listBreakers: async (request, call) => page(list, request, call),
    watchBreakers: (_request, call) => watch(list, call),
    overrideBreaker: async (request, call) => ({
      breaker: await remembered(
        once('OverrideBreaker', request, call, OverrideBreakerRequest.encode(request).finish()),
        () => override(controls, request, call),
      ),
    }),
    releaseBreaker: async (request, call) => ({
      breaker: await remembered(
        once('ReleaseBreaker', request, call, ReleaseBreakerRequest.encode(request).finish()),
        () => release(controls, request),
      ),
    }),
  });
}
