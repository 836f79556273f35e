import type { Metrics } from '#libs/runtime';
import { createBreaker, type Breaker, type BreakerOptions, type BreakerPlace } from './breaker.ts';
import type { RetryBudget } from './retry-budget.ts';

export interface ListedBreaker {
  callee: string;
  /** "taskflow.users.v1.InternalUsersService/BatchGetUsers" */
  method: string;
  /** The same as a path on the wire. */
  path: string;
  breaker: Breaker;
  /** Of the callee: all its methods share it. */
  retryBudget: RetryBudget;
}

/** The breakers of one service, so that they can be looked at and held. */
export interface BreakerList {
  /** By callee and method. */
  all(): ListedBreaker[];
  find(callee: string, method: string): ListedBreaker | undefined;
  /** Told of every change; returns how to stop that. */
  subscribe(onChange: (changed: ListedBreaker) => void): () => void;
}

interface OwnList extends BreakerList {
  add(listed: ListedBreaker): void;
  remove(listed: ListedBreaker): void;
  tell(listed: ListedBreaker): void;
}

function createList(): OwnList {
  const breakers = new Set<ListedBreaker>();
  const listeners = new Set<(changed: ListedBreaker) => void>();
  const keyOf = ({ callee, method }: Pick<ListedBreaker, 'callee' | 'method'>): string => `${callee} ${method}`;
  const tell = (listed: ListedBreaker): void => listeners.forEach((listener) => listener(listed));
  return {
    all: () => [...breakers].sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1)),
    find: (callee, method) => [...breakers].find((listed) => listed.callee === callee && listed.method === method),
    subscribe: (onChange) => {
      listeners.add(onChange);
      return () => void listeners.delete(onChange);
    },
    add: (listed) => {
      breakers.add(listed);
      tell(listed);
    },
    remove: (listed) => void breakers.delete(listed),
    tell,
  };
}

// A service has one registry of metrics, and everything that it constructs is given it.
const lists = new WeakMap<Metrics, OwnList>();

function ownListOf(metrics: Metrics): OwnList {
  const list = lists.get(metrics) ?? createList();
  lists.set(metrics, list);
  return list;
}

/** The breakers of the service that these metrics are of. */
export function breakersOf(metrics: Metrics): BreakerList {
  return ownListOf(metrics);
}

/** Makes a breaker that is listed until it is closed. */
export function openListedBreaker(place: BreakerPlace, { options = {}, ...listing }: Pick<ListedBreaker, 'path' | 'retryBudget'> & { options?: Partial<BreakerOptions> | undefined }): Breaker {
  const list = ownListOf(place.metrics);
  const { callee, method } = place;
  const breaker = createBreaker({ ...place, onChange: () => list.tell(listed) }, options);
  const close = (): void => {
    list.remove(listed);
    breaker.close();
  };
  // The getters of the breaker stay getters.
  const listed: ListedBreaker = { callee, method, ...listing, breaker: Object.defineProperties({ close }, { ...Object.getOwnPropertyDescriptors(breaker), close: { value: close } }) as Breaker };
  list.add(listed);
  return listed.breaker;
}
