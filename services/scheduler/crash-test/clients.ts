import { randomBytes, randomUUID } from 'node:crypto';
import { AuthServiceService } from '#contract/auth/v1/auth';
import { Task, TasksServiceService } from '#contract/tasks/v1/tasks';
import type { Cluster } from '#libs/devcluster';
import { openPublicClient, patiently } from '#libs/grpc';

const patienceMs = 90_000;
const attemptMs = 3_000;
/** Well before an access token expires. */
const signInEveryMs = 300_000;

interface Person {
  email: string;
  password: string;
  token: string;
  signedInAt: number;
}

/** Clients who repeat their requests until they are acknowledged. */
export interface Clients {
  /** Resolves when the task is acknowledged; it is overdue from the beginning. */
  createTask(): Promise<AcknowledgedTask>;
  /** Gives it another due time in the past: one more due version. */
  reschedule(task: AcknowledgedTask): Promise<void>;
  /** Acknowledgements of requests that had been carried out before, by the same request id. */
  repeated(): number;
  close(): void;
}

export interface AcknowledgedTask {
  id: string;
  owner: number;
}

const minutesAgo = (minutes: number): Date => new Date(Date.now() - minutes * 60_000);

export async function openClients(cluster: Cluster, count: number, nextOwner: () => number): Promise<Clients> {
  const auth = openPublicClient(AuthServiceService, cluster.address('auth'));
  const tasks = openPublicClient(TasksServiceService, cluster.address('tasks'));
  const people = await Promise.all(Array.from({ length: count }, () => register(auth)));
  let repeated = 0;

  const as = async (owner: number): Promise<{ token: string; timeoutMs: number }> => {
    const person = people[owner] as Person;
    if (Date.now() - person.signedInAt > signInEveryMs) {
      const { tokens } = await auth.login({ email: person.email, password: person.password });
      Object.assign(person, { token: tokens?.accessToken ?? '', signedInAt: Date.now() });
    }
    return { token: person.token, timeoutMs: attemptMs };
  };

  return {
    createTask: async () => {
      const owner = nextOwner();
      const request = { task: Task.fromPartial({ title: 'Water the plants', dueTime: minutesAgo(60) }), requestId: randomUUID() };
      let begunAt = 0;
      const { task } = await patiently(async () => {
        const credentials = await as(owner);
        begunAt = Date.now();
        return tasks.createTask(request, credentials);
      }, patienceMs);
      // A task older than the attempt that was acknowledged is the work of an earlier attempt.
      if ((task?.createTime?.getTime() ?? Infinity) < begunAt - 1) repeated += 1;
      return { id: task?.id ?? '', owner };
    },
    reschedule: async ({ id, owner }) => {
      const request = { task: Task.fromPartial({ id, dueTime: minutesAgo(30) }), updateMask: ['due_time'], requestId: randomUUID() };
      await patiently(async () => tasks.updateTask(request, await as(owner)), patienceMs);
    },
    repeated: () => repeated,
    close: () => {
      auth.close();
      tasks.close();
    },
  };
}

async function register(auth: ReturnType<typeof openPublicClient<typeof AuthServiceService>>): Promise<Person> {
  const [email, password] = [`${randomBytes(8).toString('hex')}@example.com`, randomBytes(12).toString('hex')];
  const { tokens } = await auth.register({ email, password, displayName: 'Ada' });
  return { email, password, token: tokens?.accessToken ?? '', signedInAt: Date.now() };
}
