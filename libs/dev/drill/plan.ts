import { serviceNames, type ServiceName } from '#dev/cluster';
import type { Random } from '../testing/src/random.ts';

export const faultKinds = [
  'kill',
  'freeze',
  'redis-down',
  'redis-empty',
  'redis-hung',
  'redis-full',
  'postgres-restart',
  'slow-callee',
  'refused-callee',
  'rolling-restart',
] as const;
export type FaultKind = (typeof faultKinds)[number];

/** One fault: what is done to whom, how long after the recovery from the one before, and for how long. */
export interface PlannedFault {
  readonly kind: FaultKind;
  readonly service: ServiceName;
  readonly replica: number;
  readonly afterMs: number;
  readonly holdMs: number;
}

export interface PlanOptions {
  readonly faults: number;
  readonly holdMs: number;
  /** Only these kinds; all when left out. */
  readonly kinds?: readonly FaultKind[];
}

/** Whom others call, so that a fault on the way to it can be noticed. */
const callees: readonly ServiceName[] = ['users', 'tasks', 'auth'];
const withCallee: ReadonlySet<FaultKind> = new Set(['slow-callee', 'refused-callee']);

/** Each kind comes up before any comes up again. */
export function makePlan(random: Random, { faults, holdMs, kinds = faultKinds }: PlanOptions): PlannedFault[] {
  const order: FaultKind[] = [];
  while (order.length < faults) order.push(...random.shuffle(kinds));
  return order.slice(0, faults).map((kind) => ({
    kind,
    service: random.pick(withCallee.has(kind) ? callees : serviceNames),
    replica: random.below(2),
    afterMs: 1000 + random.below(1500),
    holdMs: Math.round(holdMs * (0.5 + random.below(100) / 100)),
  }));
}

export function describeFault({ kind, service, replica }: PlannedFault): string {
  switch (kind) {
    case 'kill':
    case 'freeze':
      return `${kind} ${service}-${replica + 1}`;
    case 'slow-callee':
    case 'refused-callee':
    case 'rolling-restart':
      return `${kind} ${service}`;
    default:
      return kind;
  }
}
