import type { ServiceName } from '#libs/contract';
import type { Logger, Metrics } from '#libs/runtime';

/** Whether callees accept the identity of this service. */
export interface Standing {
  /** Records whether a callee accepted the identity. */
  note(callee: ServiceName, accepted: boolean): void;
  /** For health: throws when all recent callees refuse the identity. */
  check(): Promise<void>;
}

/** Older outcomes are ignored, because their cause may be gone. */
const forgetMs = 30_000;

/** Reports refusals. A single callee that refuses may itself be wrong, so health fails only when all refuse. */
export function createStanding(logger?: Logger, metrics?: Metrics): Standing {
  const refused = metrics?.gauge(
    'taskflow_identity_refused',
    'Whether the callee last refused the identity of this service.',
    ['callee'],
  );
  const refusals = metrics?.counter(
    'taskflow_identity_refusals_total',
    'Calls that were refused because the callee does not believe who this service is.',
    ['callee'],
  );
  const heard = new Map<ServiceName, { accepted: boolean; at: number }>();
  const reportChange = (callee: ServiceName, accepted: boolean): void => {
    if (accepted) logger?.info({ callee }, 'the identity of this service is accepted again');
    else logger?.error({ callee }, 'the identity of this service is refused: look at its key and at the clocks');
  };
  return {
    note: (callee, accepted) => {
      const before = heard.get(callee)?.accepted ?? true;
      heard.set(callee, { accepted, at: performance.now() });
      refused?.set({ callee }, accepted ? 0 : 1);
      if (!accepted) refusals?.inc({ callee });
      if (accepted !== before) reportChange(callee, accepted);
    },
    check: async () => {
      const lately = [...heard].filter(([, { at }]) => performance.now() - at < forgetMs);
      if (lately.length === 0 || lately.some(([, { accepted }]) => accepted)) return;
      throw new Error(`our identity is refused by ${lately.map(([callee]) => callee).join(', ')}`);
    },
  };
}
