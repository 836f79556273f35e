import { useSyncExternalStore } from 'react';
import { useMe } from '../session/use-session.ts';
import { dayOf } from './days.ts';
import type { Viewer } from './filters.ts';

let minute = Math.floor(Date.now() / 60_000);
const listeners = new Set<() => void>();
setInterval(() => {
  minute = Math.floor(Date.now() / 60_000);
  for (const listener of listeners) listener();
}, 15_000);

/** The present minute: views that say "today" or "overdue" follow it. */
export const useMinute = (): number =>
  useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => minute,
  );

/** Whose eyes a view is for: their id, zone and day. */
export function useViewer(): Viewer {
  const { id, timeZone } = useMe();
  const now = useMinute() * 60_000;
  const zone = timeZone === '' ? 'UTC' : timeZone;
  return { id, timeZone: zone, today: dayOf(now, zone) };
}
