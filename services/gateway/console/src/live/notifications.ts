import type { ServiceClient } from '#client/index';
import { TaskFlowError } from '#client/index';
import type { NotificationsService } from '#client/scheduler';
import { whileVisible } from './while-visible.ts';

const firstMs = 500;
const maxMs = 10_000;

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener('abort', () => {
      clearTimeout(timer);
      resolve();
    });
  });
}

interface Place {
  token: string;
  failures: number;
}

/** Reads one stream to its end. */
async function read(
  client: ServiceClient<typeof NotificationsService>,
  place: Place,
  { signal, onNews }: { signal: AbortSignal; onNews: () => void },
): Promise<void> {
  for await (const { notification, resumeToken } of client.watchNotifications(
    { resumeToken: place.token },
    { signal },
  )) {
    place.failures = 0;
    place.token = resumeToken;
    if (notification !== undefined) onNews();
  }
}

/** Calls `onNews` whenever something has arrived in the inbox, or may have. Ends when the returned function is called. */
export function followNotifications(
  client: ServiceClient<typeof NotificationsService>,
  onNews: () => void,
): () => void {
  const place: Place = { token: '', failures: 0 };
  const follow = async (signal: AbortSignal): Promise<void> => {
    while (!signal.aborted) {
      try {
        await read(client, place, { signal, onNews });
      } catch (error) {
        // The place is gone: what came meanwhile is in the inbox.
        if (error instanceof TaskFlowError && /^(RESUME_TOKEN|LOG_RESTORED)/.test(error.reason ?? '')) {
          place.token = '';
          onNews();
        }
      }
      place.failures += 1;
      await pause(Math.min(firstMs * 2 ** place.failures, maxMs), signal);
    }
  };
  return whileVisible(follow, () => place.failures === 0);
}
