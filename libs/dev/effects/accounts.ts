import { randomBytes } from 'node:crypto';
import type { ErrorKind } from '#libs/errors';
import type { AccountCall, CallLog } from './calls.ts';

/** Somebody who is signed in; the tokens are replaced as they are renewed. */
export interface Account {
  userId: string;
  email: string;
  password: string;
  token: string;
  refreshToken: string;
  /** Milliseconds since 1970. */
  tokenSince: number;
}

interface SignedIn {
  account?: { id: string } | undefined;
  tokens?: { accessToken: string; refreshToken: string } | undefined;
}

interface AuthCallOptions {
  timeoutMs: number;
  /** Sent as x-request-id. */
  requestId: string;
}

/** How a client calls auth, and where each call is put on record. */
export interface AccountCalls {
  auth: {
    login(request: Credentials, options: AuthCallOptions): Promise<SignedIn>;
    register(request: Credentials & { displayName: string }, options: AuthCallOptions): Promise<SignedIn>;
  };
  calls: CallLog;
  /** Of an attempt. */
  timeoutMs: number;
  /** Repeats a call until it is answered, or fails with an error of a kind in `wanted`. */
  persist<T>(method: string, call: () => Promise<T>, options?: { wanted: readonly ErrorKind[] }): Promise<T>;
}

type Credentials = Pick<Account, 'email' | 'password'>;

const newName = (): string => randomBytes(8).toString('hex');

function toAccount({ email, password }: Credentials, { account, tokens }: SignedIn): Account {
  const { accessToken: token = '', refreshToken = '' } = tokens ?? {};
  return { userId: account?.id ?? '', email, password, token, refreshToken, tokenSince: Date.now() };
}

async function putOnRecord<T>(calls: CallLog, call: Omit<AccountCall, 'outcome'>, answer: Promise<T>): Promise<T> {
  await answer.then(
    () => calls.account({ ...call, outcome: 'acknowledged' }),
    () => calls.account({ ...call, outcome: 'unknown' }),
  );
  return answer;
}

/** Each attempt may begin a session of its own. */
export async function signIn(
  { auth, calls, timeoutMs, persist }: AccountCalls,
  { email, password }: Credentials,
): Promise<Account> {
  const answer = await persist('Login', () => {
    const requestId = `login-${newName()}`;
    const sent = auth.login({ email, password }, { timeoutMs, requestId });
    return putOnRecord(calls, { requestId, email, what: 'login' }, sent);
  });
  return toAccount({ email, password }, answer);
}

/** An answer that got lost leaves the account behind: then signing in is what remains to do. */
export async function register(accountCalls: AccountCalls): Promise<Account> {
  const { auth, calls, timeoutMs, persist } = accountCalls;
  const name = newName();
  const [email, password, requestId] = [`${name}@example.com`, randomBytes(12).toString('hex'), `register-${name}`];
  const send = () => auth.register({ email, password, displayName: 'Ada' }, { timeoutMs, requestId });
  try {
    const answered = persist('Register', send, { wanted: ['already_exists'] });
    return toAccount({ email, password }, await putOnRecord(calls, { requestId, email, what: 'register' }, answered));
  } catch (error) {
    if ((error as { reason?: string }).reason !== 'EMAIL_TAKEN') throw error;
    return signIn(accountCalls, { email, password });
  }
}
