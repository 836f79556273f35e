import { hash, verify } from '@node-rs/argon2';
import { assertNoOpenTransaction, currentContext, remainingMs } from '#libs/runtime';
import type { PasswordHasher } from '../deps.ts';
import { passwordQueueFull } from '../domain/auth.errors.ts';
import { createBoundedQueue } from './bounded-queue.ts';

// OWASP's first choice for argon2id, which is the package's default algorithm: 19 MiB, two passes, one lane.
const cost = { memoryCost: 19_456, timeCost: 2, parallelism: 1 };
const costInHash = `$argon2id$v=19$m=${cost.memoryCost},t=${cost.timeCost},p=${cost.parallelism}$`;

// One hash takes 25–50 ms of a core. More than two at once only slow each other (and every other RPC) down; 64 waiting
// are served within about a second and a half, which every caller's deadline allows. A slower machine lets less wait.
const queueLimits = { concurrency: 2, maxWaiting: 64 };
const retryAfterMs = 1000;

/** argon2id behind a bounded queue: a flood of sign-ins is refused, not piled up. */
export async function createPasswordHasher(limits: { concurrency: number; maxWaiting: number } = queueLimits): Promise<PasswordHasher> {
  const queue = createBoundedQueue({ ...limits, refusal: () => passwordQueueFull(retryAfterMs) });
  // Nobody knows a password for it: it is made from random bytes that are thrown away.
  const nobodysHash = await hash(crypto.getRandomValues(new Uint8Array(32)), cost);
  const inTurn = <T>(task: () => Promise<T>): Promise<T> => {
    assertNoOpenTransaction('password hashing');
    return queue.run(task, { signal: currentContext()?.signal, withinMs: remainingMs() });
  };
  return {
    hash: (password) => inTurn(() => hash(password, cost)),
    verify: async (passwordHash, password) => {
      const matches = await inTurn(() => verify(passwordHash ?? nobodysHash, password));
      return matches && passwordHash !== undefined;
    },
    isOutdated: (passwordHash) => !passwordHash.startsWith(costInHash),
  };
}
