import type { Cluster, ServiceName } from '#dev/cluster';
import type { CallError } from '#dev/stubs';

/** Whether a replica has answered a call of these methods since it was started. `names` are parted by "|". */
export async function hasAnswered(
  cluster: Cluster,
  service: ServiceName,
  replica: number,
  names: string,
): Promise<boolean> {
  const answered = new RegExp(`^grpc_server_handled_total\\{method="[^"]*/(${names})",code="OK"`, 'm');
  return answered.test(await cluster.metrics(service, replica));
}

/** Calls that are repeated, each one after the other, until `stop`. */
export interface RepeatedCalls {
  /** What went wrong. That a call never left the client is no failure of a server. */
  readonly failures: string[];
  /** Resolves when all have come to an end: how many calls succeeded. */
  stop(): Promise<number>;
}

export function repeatCalls(calls: Record<string, () => Promise<unknown>>): RepeatedCalls {
  const failures: string[] = [];
  let succeeded = 0;
  let busy = true;
  const repeat = async (name: string, call: () => Promise<unknown>): Promise<void> => {
    while (busy) {
      await call().then(
        () => (succeeded += 1),
        ({ isUnsent, message, reason }: CallError) => isUnsent || failures.push(`${name}: ${message} ${reason ?? ''}`),
      );
    }
  };
  const repeated = Object.entries(calls).map(([name, call]) => repeat(name, call));
  return {
    failures,
    stop: async () => {
      busy = false;
      await Promise.all(repeated);
      return succeeded;
    },
  };
}
