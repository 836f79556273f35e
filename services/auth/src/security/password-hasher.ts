import { hash, verify } from '@node-rs/argon2';
import { assertNoOpenTransaction, currentContext, remainingMs } from '#libs/runtime';
import type { PasswordHasher } from '../deps.ts';
import { passwordQueueFull } from '../domain/auth.errors.ts';
import { preparePassword } from '../domain/password.ts';
import { putHashingBehindCalls } from './background-threads.ts';
import { createBoundedQueue } from './bounded-queue.ts';

// OWASP's first choice for argon2id, which is the package's default algorithm: 19 MiB, two passes, one lane.
const cost = { memoryCost: 19_456, timeCost: 2, parallelism: 1 };
const costInHash = `$argon2id$v=19$m=${cost.memoryCost},t=${cost.timeCost},p=${cost.parallelism}$`;

// One hash takes 25–50 ms of a core. More than two at once only slow each other (and every other RPC) down; 64 waiting
// are served within about a second and a half, which every caller's deadline allows. A slower machine queues fewer.
const queueLimits = { concurrency: 2, maxWaiting: 64 };
const retryAfterMs = 1000;

async function verifyEach(passwordHash: string, spellings: readonly string[]): Promise<boolean[]> {
  const matches: boolean[] = [];
  for (const spelling of spellings) matches.push(await verify(passwordHash, spelling));
  return matches;
}

/**
 * argon2id behind a bounded queue, which refuses a flood of sign-ins. Hashes from before passwords were prepared match
 * the bytes that were sent.
 */
export async function createPasswordHasher(
  limits: { concurrency: number; maxWaiting: number } = queueLimits,
): Promise<PasswordHasher> {
  const queue = createBoundedQueue({ ...limits, refusal: () => passwordQueueFull(retryAfterMs) });
  // Matches no password: it is the hash of random bytes that are thrown away.
  const nobodysHash = await hash(crypto.getRandomValues(new Uint8Array(32)), cost);
  putHashingBehindCalls();
  const inTurn = <T>(task: () => Promise<T>): Promise<T> => {
    assertNoOpenTransaction('password hashing');
    return queue.run(task, { signal: currentContext()?.signal, withinMs: remainingMs() });
  };
  return {
    hash: (password) => inTurn(() => hash(preparePassword(password), cost)),
    verify: async (passwordHash, password) => {
      const spellings = [...new Set([preparePassword(password), password])];
      // All of them, also after a match: the work depends on what was sent, and not on what is stored.
      const [isMatch = false, isOldMatch = false] = await inTurn(() =>
        verifyEach(passwordHash ?? nobodysHash, spellings),
      );
      const isCurrent = isMatch && passwordHash?.startsWith(costInHash) === true;
      return { matches: (isMatch || isOldMatch) && passwordHash !== undefined, isOutdated: !isCurrent };
    },
  };
}
