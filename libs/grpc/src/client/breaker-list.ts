import type { Metrics } from '#libs/runtime';
import type { BreakerPlace } from './breaker-override.ts';
import { createBreaker, type Breaker, type BreakerOptions } from './breaker.ts';
import type { RetryBudget } from './retry-budget.ts';

export interface ListedBreaker {
  callee: string;
  /** "taskflow.users.v1.InternalUsersService/BatchGetUsers" */
  method: string;
  /** The method's path on the wire. */
  path: string;
  breaker: Breaker;
  /** All methods of the callee share it. */
  retryBudget: RetryBudget;
}

/** The breakers of one process. */
export interface BreakerList {
  /** Sorted by callee and method. */
  all(): ListedBreaker[];
  find(callee: string, method: string): ListedBreaker | undefined;
  /** Calls `onChange` after every change of a breaker. Returns a function that ends the subscription. */
  subscribe(onChange: (changed: ListedBreaker) => void): () => void;
}

interface OwnList extends BreakerList {
  add(listed: ListedBreaker): void;
  remove(listed: ListedBreaker): void;
  notify(listed: ListedBreaker): void;
}

function createList(): OwnList {
  const breakers = new Set<ListedBreaker>();
  const listeners = new Set<(changed: ListedBreaker) => void>();
  const keyOf = ({ callee, method }: Pick<ListedBreaker, 'callee' | 'method'>): string => `${callee} ${method}`;
  const notify = (listed: ListedBreaker): void => listeners.forEach((listener) => listener(listed));
  return {
    all: () => [...breakers].sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1)),
    find: (callee, method) => [...breakers].find((listed) => listed.callee === callee && listed.method === method),
    subscribe: (onChange) => {
      listeners.add(onChange);
      return () => void listeners.delete(onChange);
    },
    add: (listed) => {
      breakers.add(listed);
      notify(listed);
    },
    remove: (listed) => void breakers.delete(listed),
    notify,
  };
}

// Each service has one metrics registry, so the registry identifies the service.
const lists = new WeakMap<Metrics, OwnList>();

function ownListOf(metrics: Metrics): OwnList {
  const list = lists.get(metrics) ?? createList();
  lists.set(metrics, list);
  return list;
}

/** The breakers of the service with this metrics registry. */
export function breakersOf(metrics: Metrics): BreakerList {
  return ownListOf(metrics);
}

interface Listing extends Pick<ListedBreaker, 'path' | 'retryBudget'> {
  options: Partial<BreakerOptions> | undefined;
}

/** Creates a breaker and lists it until it is closed. */
export function openListedBreaker(place: BreakerPlace, { options, ...listing }: Listing): Breaker {
  const { callee, method, metrics } = place;
  const list = ownListOf(metrics);
  const onChange = (): void => list.notify(listed);
  const onClose = (): void => list.remove(listed);
  const breaker = createBreaker({ ...place, onChange, onClose }, options);
  const listed: ListedBreaker = { callee, method, ...listing, breaker };
  list.add(listed);
  return breaker;
}
