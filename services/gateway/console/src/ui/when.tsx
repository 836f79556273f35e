import { useMe } from '../session/use-session.ts';
import { distanceInWords, formatter } from '../tasks/days.ts';
import { useMinute } from '../tasks/use-viewer.ts';

const toTheMinute = { day: 'numeric', month: 'short', hour: '2-digit', minute: '2-digit' } as const;
const toTheSecond = { ...toTheMinute, second: '2-digit' } as const;

/** How long ago, or until when; the moment itself on hover, in the person's zone. */
export function When({ ms }: { ms: number }) {
  const { timeZone } = useMe();
  // Renders again with each minute.
  useMinute();
  const exact = formatter(timeZone || 'UTC', { dateStyle: 'medium', timeStyle: 'medium' }, 'en-GB').format(ms);
  return (
    <time dateTime={new Date(ms).toISOString()} title={`${exact} (${timeZone || 'UTC'})`}>
      {distanceInWords(ms, Date.now())}
    </time>
  );
}

/** The moment itself, where it matters; `exact`: to the second. */
export function Moment({ ms, exact = false }: { ms: number; exact?: boolean }) {
  const { timeZone } = useMe();
  const zone = timeZone || 'UTC';
  return (
    <time dateTime={new Date(ms).toISOString()} title={zone}>
      {formatter(zone, exact ? toTheSecond : toTheMinute, 'en-GB').format(ms)}
    </time>
  );
}
