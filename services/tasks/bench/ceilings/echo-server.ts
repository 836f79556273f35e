// Ceiling E: bare grpc-js that answers every call with the same message, of the size that the service answered with.
import { TasksServiceService } from '#contract/tasks/v1/tasks';
import { runServerProcess, startBareServer, type BareHandlers } from '#dev/bench';

/** Encoded answers by method. */
export type EchoSettings = Readonly<Record<string, Uint8Array>>;

type Method = { responseDeserialize: (value: Buffer) => unknown };

runServerProcess(async (settings: EchoSettings) => {
  const handlers = Object.entries(settings).map(([name, bytes]) => {
    const answer = (TasksServiceService as Record<string, Method>)[name]?.responseDeserialize(Buffer.from(bytes));
    return [name, () => answer] as const;
  });
  return startBareServer(TasksServiceService, Object.fromEntries(handlers) as BareHandlers<typeof TasksServiceService>);
});
