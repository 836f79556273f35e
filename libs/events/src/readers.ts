import type { FeedScope, FeedSource } from './feed.ts';
import { isBehindJoining, type Membership } from './joining.ts';
import type { Position } from './position.ts';
import type { StoredEvent } from './pull.ts';
import { createSubscription, type Subscription } from './subscription.ts';

/** Whom an event concerns. */
export interface Audience {
  /** Users, and shared parts of the log, in one list without duplicates. */
  audienceOf: (event: StoredEvent) => readonly string[];
  /** Those of the audience that are shared parts. Default: none. */
  partsOf?: (event: StoredEvent) => readonly string[];
}

/** The subscribers of a broadcaster. */
export interface Readers {
  everybody(): Subscription[];
  join(userId: string, scope: FeedScope): Subscription;
  leave(userId: string, subscription: Subscription): void;
  /** Who of the subscribers reads the shared parts that the events concern. */
  findMembers(events: readonly StoredEvent[]): Promise<Members>;
  /**
   * Offers the events to the subscriptions that they concern. Returns those, which must still be woken; undefined, and
   * nothing is offered, when somebody has come since the members were looked up.
   */
  hand(events: readonly StoredEvent[], members: Members): Set<Subscription> | undefined;
}

/** The members of shared parts among the users who were asked about; undefined = nobody had to be asked about. */
export type Members = { users: ReadonlySet<string>; byPart: ReadonlyMap<string, readonly Membership[]> } | undefined;

export function createReaders(
  source: Pick<FeedSource, 'membersOf'>,
  { audienceOf, partsOf = () => [] }: Audience,
  broadcastPosition: () => Position | undefined,
): Readers {
  const byUser = new Map<string, Map<Subscription, FeedScope>>();

  function subscriptionsOf(event: StoredEvent, members: Members): Map<Subscription, Map<string, Membership>> {
    const found = new Map<Subscription, Map<string, Membership>>();
    const reading = partsOf(event).flatMap((partId) => members?.byPart.get(partId) ?? []);
    const partsFor = (userId: string): Map<string, Membership> =>
      new Map(reading.filter((member) => member.userId === userId).map((member) => [member.partId, member]));
    for (const userId of audienceOf(event))
      for (const subscription of byUser.get(userId)?.keys() ?? []) found.set(subscription, partsFor(userId));
    for (const member of reading.filter((each) => isBehindJoining(event, each)))
      for (const [subscription, scope] of byUser.get(member.userId) ?? [])
        if (scope === 'all') found.set(subscription, partsFor(member.userId));
    return found;
  }

  return {
    everybody: () => [...byUser.values()].flatMap((all) => [...all.keys()]),
    join: (userId, scope) => {
      const subscription = createSubscription(broadcastPosition);
      byUser.set(userId, (byUser.get(userId) ?? new Map<Subscription, FeedScope>()).set(subscription, scope));
      return subscription;
    },
    leave: (userId, subscription) => {
      const all = byUser.get(userId);
      all?.delete(subscription);
      if (all?.size === 0) byUser.delete(userId);
    },
    findMembers: async (events) => {
      const parts = [...new Set(events.flatMap(partsOf))];
      if (parts.length === 0 || source.membersOf === undefined) return undefined;
      const users = new Set(byUser.keys());
      const found = await source.membersOf(parts, [...users]);
      return { users, byPart: Map.groupBy(found, ({ partId }) => partId) };
    },
    hand: (events, members) => {
      if (members !== undefined && [...byUser.keys()].some((userId) => !members.users.has(userId))) return undefined;
      const concerned = new Set<Subscription>();
      for (const event of events)
        for (const [subscription, parts] of subscriptionsOf(event, members)) {
          subscription.offer({ event, parts });
          concerned.add(subscription);
        }
      return concerned;
    },
  };
}
