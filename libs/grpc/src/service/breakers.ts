import { z } from 'zod';
import {
  BreakersServiceService,
  BreakerState,
  type Breaker as BreakerMessage,
  type EdgeLimits,
  type ForceBreakerRequest,
  type WatchBreakersResponse,
} from '#contract/resilience/v1/resilience';
import type { Duration } from '#google/protobuf/duration';
import { policyOf, retryLimits } from '#libs/contract';
import { AppError, fieldTypes, parseRequest } from '#libs/errors';
import type { CallContext, Metrics } from '#libs/runtime';
import { breakersOf, type BreakerList, type ListedBreaker } from '../client/breaker-list.ts';
import { bind, type ServiceBinding } from '../server/binding.ts';
import { requireUser } from '../server/require-user.ts';

const toDuration = (ms: number): Duration => ({ seconds: BigInt(Math.floor(ms / 1000)), nanos: (ms % 1000) * 1_000_000 });
const toTime = (ms: number | undefined): Date | undefined => (ms === undefined ? undefined : new Date(ms));

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

function toMessage(listed: ListedBreaker): BreakerMessage {
  const { callee, method, breaker } = listed;
  const { answered, failed, refused, inFlight, changedAt, probeAt } = breaker.look();
  const forcing = breaker.forcing.current();
  return {
    callee,
    method,
    state: states[breaker.state],
    changeTime: toTime(changedAt),
    probeTime: toTime(probeAt),
    forcing: forcing && { state: states[forcing.state], expireTime: new Date(forcing.until), actor: forcing.actor, reason: forcing.reason },
    answered: BigInt(answered),
    failed: BigInt(failed),
    refused: BigInt(refused),
    inFlight,
    limits: toLimits(listed),
  };
}

const name = fieldTypes.text({ min: 1, max: 200 });
const place = { callee: name, method: name };
const ttlRule = 'must be 1 second to 1 hour';
const ttl = z
  .object({ seconds: z.bigint(), nanos: z.number() }, ttlRule)
  .transform(({ seconds, nanos }) => Number(seconds) * 1000 + nanos / 1e6)
  .refine((ms) => ms >= 1000 && ms <= 3_600_000, ttlRule);
const forceSchema = z.object({
  ...place,
  state: z.enum([BreakerState.OPEN, BreakerState.CLOSED], 'must be OPEN or CLOSED'),
  ttl,
  reason: fieldTypes.text({ min: 1, max: 500 }),
});
const releaseSchema = z.object(place);

function findBreaker(list: BreakerList, callee: string, method: string): ListedBreaker {
  const found = list.find(callee, method);
  if (found === undefined) throw new AppError('not_found', 'BREAKER_NOT_FOUND', 'this server has no such breaker');
  return found;
}

const heartbeatMs = 10_000;

/** Resolves at the next change, at the next heartbeat, or when the call ends. */
async function nextNews(wait: { wake: () => void }, signal: AbortSignal): Promise<void> {
  await new Promise<void>((resolve) => {
    const end = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', end);
      resolve();
    };
    const timer = setTimeout(end, heartbeatMs);
    signal.addEventListener('abort', end, { once: true });
    wait.wake = end;
  });
}

/** Several changes of one breaker between two messages are one. */
async function* watch(list: BreakerList, { signal }: CallContext): AsyncGenerator<WatchBreakersResponse> {
  const changed = new Set<ListedBreaker>(list.all());
  const wait = { wake: (): void => undefined };
  const stop = list.subscribe((listed) => {
    changed.add(listed);
    wait.wake();
  });
  try {
    for (let told = false; !signal.aborted; ) {
      for (const listed of changed) {
        changed.delete(listed);
        yield { breaker: toMessage(listed) };
      }
      if (!told) yield { breaker: undefined };
      told = true;
      if (changed.size > 0) continue;
      await nextNews(wait, signal);
      if (changed.size === 0 && !signal.aborted) yield { breaker: undefined };
    }
  } finally {
    stop();
  }
}

function force(list: BreakerList, request: ForceBreakerRequest, call: CallContext): BreakerMessage {
  const { callee, method, state, ttl: ttlMs, reason } = parseRequest(forceSchema, request);
  const actor = requireUser(call).userId;
  const listed = findBreaker(list, callee, method);
  const until = Date.now() + ttlMs;
  listed.breaker.forcing.set({ state: state === BreakerState.OPEN ? 'open' : 'closed', until, actor, reason });
  // Not the reason: what people write freely may hold anything, and logs hold no secrets. ListBreakers tells it.
  call.logger.warn({ audit: 'breaker_forced', by: actor, callee, breaker: method, state, until: new Date(until) }, 'breaker forced by an administrator');
  return toMessage(listed);
}

function release(list: BreakerList, request: { callee: string; method: string }, call: CallContext): BreakerMessage {
  const { callee, method } = parseRequest(releaseSchema, request);
  const listed = findBreaker(list, callee, method);
  listed.breaker.forcing.clear();
  call.logger.warn({ audit: 'breaker_released', by: requireUser(call).userId, callee, breaker: method }, 'breaker released by an administrator');
  return toMessage(listed);
}

/** The breakers of this server, for administrators. */
export function bindBreakers(metrics: Metrics): ServiceBinding {
  const list = breakersOf(metrics);
  return bind(BreakersServiceService, {
    listBreakers: async () => ({ breakers: list.all().map(toMessage) }),
    watchBreakers: (_request, call) => watch(list, call),
    forceBreaker: async (request, call) => ({ breaker: force(list, request, call) }),
    releaseBreaker: async (request, call) => ({ breaker: release(list, request, call) }),
  });
}
